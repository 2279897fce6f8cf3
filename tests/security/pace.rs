//! Requests a second: of one address, and by one token.

use std::net::Ipv4Addr;

use tokio::net::TcpSocket;
use tokio::time::timeout;

use crate::support::{Daemon, PATIENCE, daemon, until};
use crate::{Answered, exchange, request};

/// Asks from this address of the loopback network.
async fn ask_from(daemon: &Daemon, last: u8, path: &str, headers: &[(&str, &str)]) -> Answered {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).expect("an address");
    let mut stream = socket.connect(daemon.address).await.expect("a connection");
    let host = daemon.address.to_string();
    let headers = [&[("Host", host.as_str())], headers].concat();
    exchange(&mut stream, &request("GET", path, &headers)).await
}

/// Asks until it is one too many.
async fn flood(daemon: &Daemon, last: u8, headers: &[(&str, &str)]) -> Answered {
    let asking = async || {
        let answered = ask_from(daemon, last, "/api/v1/status", headers).await;
        (answered.status != 200).then_some(answered)
    };
    let flooding = async {
        loop {
            if let Some(refused) = asking().await {
                return refused;
            }
        }
    };
    timeout(PATIENCE, flooding).await.expect("one too many")
}

async fn until_counted(daemon: &Daemon, by: &str, headers: &[(&str, &str)]) {
    let zero = format!("gz_http_requests_limited_total{{by=\"{by}\"}} 0");
    until("it is counted", || async {
        // Who looks may have to wait too.
        let metrics = ask_from(daemon, 9, "/metrics", headers).await;
        (metrics.status == 200 && !metrics.body.contains(&zero)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_address_may_ask_so_often_and_others_are_not_held_up() {
    let daemon = daemon().config("[server]\nmax_request_rate = 20").start().await;
    let refused = flood(&daemon, 3, &[]).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"));
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert_eq!(wait, 1);
    assert!(refused.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(ask_from(&daemon, 4, "/api/v1/status", &[]).await.status, 200, "another");
    until_counted(&daemon, "address", &[]).await;
}

#[tokio::test]
async fn a_token_may_ask_so_often_from_wherever() {
    let config = "[server]\nauth.max_request_rate = 20";
    let daemon = daemon().config(config).start().await;
    let (one, other) =
        (daemon.make_token("one", "viewer", &[]), daemon.make_token("two", "viewer", &[]));
    daemon.until_known(&other).await;
    let (one, other) = (format!("Bearer {one}"), format!("Bearer {other}"));
    let refused = flood(&daemon, 3, &[("Authorization", &one)]).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"));
    let also = flood(&daemon, 4, &[("Authorization", &one)]).await;
    assert_eq!(also.status, 429, "another address is no way around");
    let free = ask_from(&daemon, 3, "/api/v1/status", &[("Authorization", &other)]).await;
    assert_eq!(free.status, 200, "nor is the address to blame");
    until_counted(&daemon, "token", &[("Authorization", &other)]).await;
}

#[tokio::test]
async fn there_may_be_no_bound() {
    let config = "[server]\nmax_request_rate = 0\nauth.max_request_rate = 0";
    let daemon = daemon().config(config).start().await;
    for _ in 0..100 {
        assert_eq!(ask_from(&daemon, 3, "/healthz", &[]).await.status, 200);
    }
}
