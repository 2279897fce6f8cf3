//! How a daemon ends: told to, told twice, or killed.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Daemon, PATIENCE, daemon, until};

const BODY: &str = r#"{"name":"in flight","id":"x"}"#;

/// A request whose handler waits for the body.
async fn half_a_request(daemon: &Daemon) -> TcpStream {
    let mut socket = TcpStream::connect(daemon.address).await.expect("a connection");
    let head = format!(
        "POST /api/v1/tasks HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        daemon.address,
        BODY.len()
    );
    socket.write_all(head.as_bytes()).await.expect("sent");
    // The daemon says so when the handler begins to read.
    let mut answer = [0; 25];
    let read = timeout(PATIENCE, socket.read_exact(&mut answer)).await.expect("in time");
    read.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket
}

async fn is_gone(daemon: &Daemon) {
    until("the port is closed", async || TcpStream::connect(daemon.address).await.err()).await;
}

#[tokio::test]
async fn both_signals_end_with_0_and_finish_what_is_in_flight() {
    for signal in ["TERM", "INT"] {
        let config = "[server]\nshutdown_timeout = \"1h\"";
        let mut daemon = daemon().config(config).start().await;
        let mut client = daemon.websocket().await;
        client.next_of("initial_state").await;
        let idle = TcpStream::connect(daemon.address).await.expect("a connection");
        let mut request = half_a_request(&daemon).await;
        daemon.signal(signal);
        assert_eq!(client.close_code().await, Some(1001), "SIG{signal}");
        is_gone(&daemon).await;
        request.write_all(BODY.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        let read = timeout(PATIENCE, request.read_to_string(&mut answer)).await.expect("in time");
        read.expect("an answer and an end");
        assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "SIG{signal}: {answer}");
        assert!(answer.contains("\"in flight\""), "SIG{signal}: {answer}");
        assert_eq!(daemon.ended().await.code(), Some(0), "SIG{signal}");
        drop(idle);
    }
}

#[tokio::test]
async fn what_takes_too_long_is_cut() {
    let config = "[server]\nshutdown_timeout = \"100ms\"";
    let mut daemon = daemon().config(config).start().await;
    let mut request = half_a_request(&daemon).await;
    daemon.signal("TERM");
    assert_eq!(daemon.ended().await.code(), Some(0));
    let mut rest = String::new();
    // An end of either kind will do.
    let _ = timeout(PATIENCE, request.read_to_string(&mut rest)).await.expect("an end in time");
    assert_eq!(rest, "");
    daemon.until_logged("connections were cut").await;
}

#[tokio::test]
async fn a_second_signal_ends_at_once_and_a_reload_does_not() {
    for second in ["TERM", "INT"] {
        let config = "[server]\nshutdown_timeout = \"1h\"";
        let mut daemon = daemon().config(config).start().await;
        let _request = half_a_request(&daemon).await;
        daemon.signal("TERM");
        daemon.until_logged("stopping").await;
        daemon.signal("HUP");
        daemon.signal(second);
        assert_eq!(daemon.ended().await.code(), Some(0), "SIG{second}");
    }
}

#[tokio::test]
async fn killed_and_started_again_on_the_same_port() {
    let mut first = daemon().start().await;
    first.post("/api/v1/tasks", json!({"name": "x"})).await;
    let mut client = first.websocket().await;
    let before = client.next_of("initial_state").await["data"]["stream"].take();
    first.signal("KILL");
    assert_eq!(first.ended().await.code(), None);
    assert!(client.next().await.is_none(), "the connection is gone");
    let config = format!("[server]\nport = {}", first.address.port());
    let second = daemon().config(&config).port_from_config().start().await;
    assert_eq!(second.address, first.address);
    let mut client = second.websocket().await;
    let after = client.next_of("initial_state").await["data"]["stream"].take();
    assert_ne!(before["epoch"], after["epoch"], "the numbers begin anew, and say so");
}

#[tokio::test]
async fn who_has_just_connected_is_answered() {
    let mut daemon = daemon().start().await;
    let mut stream = TcpStream::connect(daemon.address).await.expect("a connection");
    // Accepted in their order: the first one is when the second has its answer.
    daemon.get("/healthz").await;
    daemon.signal("TERM");
    daemon.until_logged("stopping").await;
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    let mut answer = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("in time");
    read.expect("an answer, and the end");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    daemon.ended().await;
}
