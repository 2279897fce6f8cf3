//! Ten thousand wrong tokens from many addresses: slowed, counted and told of, within bounds.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::{Target, statuses};
use crate::support::{PATIENCE, until};

const GUESSES: usize = 10_000;
const ADDRESSES: usize = 50;
/// Lines of the log that tell of refusals.
const LINES_MAX: usize = 400;

/// Asks from an address of its own, on one connection; how often it was refused, and how slowed.
async fn guess(address: std::net::SocketAddr, number: usize) -> (usize, usize) {
    let socket = TcpSocket::new_v4().expect("a socket");
    let from = Ipv4Addr::new(127, 9, 0, 1 + number as u8);
    socket.bind((from, 0).into()).expect("an address of loopback");
    let mut stream: TcpStream = socket.connect(address).await.expect("a connection");
    let (mut refused, mut slowed) = (0, 0);
    for index in 0..GUESSES / ADDRESSES {
        let text = format!(
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer gzm_guess-{number}-{index}\r\n\r\n"
        );
        stream.write_all(text.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            answer.push(stream.read_u8().await.expect("an answer"));
        }
        match statuses(&String::from_utf8_lossy(&answer))[..] {
            [401] => refused += 1,
            [429] => slowed += 1,
            ref other => panic!("{other:?}"),
        }
    }
    (refused, slowed)
}

#[tokio::test]
async fn ten_thousand_wrong_tokens_change_nothing_for_the_right_one() {
    let config = "[server.auth]\nmax_failures_per_minute = 10\nmax_failure_addresses = 20";
    let target = Target::patient(config).await;
    let daemon = &target.daemon;
    let token = daemon.make_token("me", "viewer", &[]);
    daemon.until_known(&token).await;
    let address = daemon.address;
    let clients: Vec<_> =
        (0..ADDRESSES).map(|number| tokio::spawn(guess(address, number))).collect();
    let bearer = format!("Bearer {token}");
    let (mut refused, mut slowed) = (0, 0);
    for client in clients {
        let right = daemon.get_with("/metrics", &[("Authorization", &bearer)]).await;
        assert_eq!(right.status, 200, "who has the token is served meanwhile");
        let told = tokio::time::timeout(PATIENCE, client).await.expect("in time");
        let (one, other) = told.expect("no panic");
        (refused, slowed) = (refused + one, slowed + other);
    }
    assert_eq!(refused + slowed, GUESSES);
    assert!(slowed > GUESSES / 2, "{slowed} were slowed");
    // Each is counted.
    until("all are counted", || async {
        let text = daemon.get_with("/metrics", &[("Authorization", &bearer)]).await.body;
        let counts = text.lines().filter(|line| line.starts_with("gz_auth_refused_total{"));
        let counts = counts.filter(|line| line.contains("invalid") || line.contains("slowed"));
        let sum: f64 = counts.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum();
        (sum >= GUESSES as f64).then_some(())
    })
    .await;
    // And told of, with an address, and not each by a line.
    let log = daemon.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("access refused")).collect();
    assert!((1..=LINES_MAX).contains(&lines.len()), "{} lines", lines.len());
    assert!(lines.iter().any(|line| line.contains("127.9.0.")), "{lines:?}");
    assert!(!log.contains("gzm_guess"), "no guess is written down");
    target.is_as_before().await;
}
