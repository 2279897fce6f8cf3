//! Clients that take their time: heads and bodies that never end, and answers that nobody reads.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{Target, ending, is_served, statuses};

const CLIENTS: usize = 40;
const BODY: &str =
    "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

/// Has many clients begin with `head` and go on with `drip`, again and again; what each is answered.
async fn drip(target: &Target, head: &str, drip: &'static str) -> Vec<String> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut stream = TcpStream::connect(target.daemon.address).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("sent");
        clients.push(tokio::spawn(async move {
            let (mut reader, mut writer) = stream.into_split();
            let dripping = tokio::spawn(async move {
                while writer.write_all(drip.as_bytes()).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
            let mut answer = Vec::new();
            let read = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut answer);
            let _ = tokio::time::timeout(crate::support::PATIENCE, read).await.expect("an end");
            dripping.abort();
            String::from_utf8_lossy(&answer).into_owned()
        }));
    }
    is_served(&target.daemon).await;
    let mut answers = Vec::new();
    for client in clients {
        answers.push(client.await.expect("no panic"));
    }
    answers
}

#[tokio::test]
async fn heads_that_never_end_are_cut_off() {
    let target = Target::start("").await;
    for answer in drip(&target, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n", "X: y\r\n").await {
        // Whoever is quick meets the bound of headers first.
        assert!(matches!(statuses(&answer)[..], [] | [408] | [431]), "{answer}");
    }
    target.is_as_before().await;
}

#[tokio::test]
async fn bodies_that_never_end_are_cut_off() {
    let target = Target::start("").await;
    let announced = format!("{BODY}Content-Length: 100000\r\n\r\n{{");
    let chunked = format!("{BODY}Transfer-Encoding: chunked\r\n\r\n");
    for (head, more) in [(&announced, " "), (&chunked, "1\r\n \r\n")] {
        for answer in drip(&target, head, more).await {
            assert_eq!(statuses(&answer), [503], "{answer}");
            assert!(answer.contains("\"timeout\""), "{answer}");
        }
    }
    target.is_as_before().await;
}

#[tokio::test]
async fn who_says_nothing_or_only_half_is_cut_off() {
    let target = Target::start("").await;
    let announced = format!("{BODY}Content-Length: 9\r\n\r\n{{");
    for said in ["", "G", "GET /healthz HTTP/1.1\r\nHost: loc", &announced] {
        let mut streams = Vec::new();
        for index in 0..CLIENTS {
            let mut stream = TcpStream::connect(target.daemon.address).await.expect("a connection");
            stream.write_all(said.as_bytes()).await.expect("sent");
            if index % 2 == 0 {
                stream.shutdown().await.expect("a half");
            }
            streams.push(stream);
        }
        is_served(&target.daemon).await;
        for mut stream in streams {
            let answer = ending(&mut stream).await;
            assert!(!statuses(&answer).contains(&201), "{answer}");
        }
    }
    target.is_as_before().await;
}

#[tokio::test]
async fn answers_that_nobody_reads_hold_up_nobody() {
    let target = Target::start("").await;
    let asked = "GET /dashboard/app.js HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(500);
    let mut streams = Vec::new();
    for _ in 0..CLIENTS {
        let mut stream = TcpStream::connect(target.daemon.address).await.expect("a connection");
        // It takes no more requests than it has room for answers.
        let sending = stream.write_all(asked.as_bytes());
        let _ = tokio::time::timeout(Duration::from_millis(50), sending).await;
        streams.push(stream);
    }
    is_served(&target.daemon).await;
    drop(streams);
    target.is_as_before().await;
}
