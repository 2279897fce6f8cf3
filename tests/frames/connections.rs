//! Connections beyond the bounds, half-open ones and idle ones.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Daemon, PATIENCE, Raw, until};
use crate::{connect, handshake, is_served, quiet};

/// The status of what a handshake is answered; the connection if it was granted.
async fn try_to_connect(daemon: &Daemon) -> (u16, Option<Raw>) {
    let mut raw = Raw(TcpStream::connect(daemon.address).await.expect("a connection"));
    raw.send(handshake(daemon).as_bytes()).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(raw.byte().await.expect("an answer"));
    }
    let head = String::from_utf8(head).expect("ASCII");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("{head}"));
    if status != 101 {
        assert!(head.to_lowercase().contains("retry-after: "), "{head}");
        assert_eq!(raw.byte().await, None, "the connection ends");
    }
    (status, (status == 101).then_some(raw))
}

/// Fills the daemon with three clients: one more is answered `status`, until one has left.
async fn check_bound(config: &str, status: u16) {
    let daemon = quiet(&format!("[server]\n{config} = 3\n")).await;
    let mut clients = Vec::new();
    while clients.len() < 3 {
        // The connection that asked whether the daemon is ready may take a moment to end.
        clients.extend(try_to_connect(&daemon).await.1);
    }
    for _ in 0..5 {
        assert_eq!(try_to_connect(&daemon).await.0, status, "{config}");
    }
    drop(clients.pop());
    until("there is room for another", || async { try_to_connect(&daemon).await.1 }).await;
    for mut client in clients {
        let _ = client.next().await.expect("the initial state");
        is_served(&mut client).await;
    }
}

#[tokio::test]
async fn too_many_connections_are_503() {
    check_bound("max_connections", 503).await;
}

#[tokio::test]
async fn too_many_that_have_not_asked_are_503_and_those_that_have_live_on() {
    let daemon = quiet("[server]\nmax_handshakes = 2\n").await;
    let mut client = connect(&daemon).await;
    let connect = async || TcpStream::connect(daemon.address).await.expect("a connection");
    // The one that asked whether the daemon is ready has asked.
    let mut idle = vec![connect().await, connect().await];
    until("there are two", || async { (try_to_connect(&daemon).await.0 == 503).then_some(()) })
        .await;
    is_served(&mut client).await;
    // Half a request is none.
    idle[0].write_all(b"GET /healthz HTTP/1.1\r\n").await.expect("written");
    assert_eq!(try_to_connect(&daemon).await.0, 503);
    let host = format!("Host: {}\r\n\r\n", daemon.address);
    idle[0].write_all(host.as_bytes()).await.expect("written");
    let mut answer = [0; 12];
    let read = timeout(PATIENCE, idle[0].read_exact(&mut answer)).await.expect("an answer in time");
    read.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200");
    until("one has asked", || async { try_to_connect(&daemon).await.1 }).await;
    idle.push(connect().await);
    until("there are two", || async { (try_to_connect(&daemon).await.0 == 503).then_some(()) })
        .await;
    drop(idle);
    until("they are gone", || async { try_to_connect(&daemon).await.1 }).await;
}

#[tokio::test]
async fn too_many_connections_from_one_address_are_429() {
    check_bound("max_connections_per_address", 429).await;
}

#[tokio::test]
async fn who_does_not_end_its_request_is_cut_off() {
    let daemon = quiet("[server]\nheader_timeout = \"200ms\"\n").await;
    let request = handshake(&daemon);
    for sent in [&request[..0], "GET", &request[..40], &request[..request.len() - 2]] {
        let mut raw = Raw(TcpStream::connect(daemon.address).await.expect("a connection"));
        raw.send(sent.as_bytes()).await;
        let mut answer = Vec::new();
        let end = timeout(PATIENCE, raw.0.read_to_end(&mut answer)).await;
        let _ = end.expect("the connection ends");
        assert!(!answer.starts_with(b"HTTP/1.1 101"), "{sent:?}");
    }
    // A client that was granted its upgrade is under no such limit.
    let mut client = connect(&daemon).await;
    is_served(&mut client).await;
}

#[tokio::test]
async fn many_idle_connections_hold_up_nobody() {
    let daemon = quiet("").await;
    let mut idle = Vec::new();
    for index in 0..300 {
        let mut raw = Raw(TcpStream::connect(daemon.address).await.expect("a connection"));
        if index % 2 == 0 {
            raw.send(b"GET /ws HTTP/1.1\r\nHost: x\r\n").await;
        }
        idle.push(raw);
    }
    let mut upgraded = Vec::new();
    for _ in 0..100 {
        upgraded.push(connect(&daemon).await);
    }
    assert_eq!(daemon.get("/healthz").await.status, 200);
    for client in &mut upgraded {
        is_served(client).await;
    }
}
