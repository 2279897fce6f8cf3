//! Handshakes that are not granted: each is answered over HTTP, with the reason.

use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Daemon, PATIENCE, Raw};
use crate::{handshake, quiet};

/// What a request is answered, read to the end of its body.
struct Answered {
    status: String,
    headers: String,
    body: String,
}

async fn ask(daemon: &Daemon, request: &str) -> Answered {
    let mut raw = Raw(TcpStream::connect(daemon.address).await.expect("a connection"));
    raw.send(request.as_bytes()).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(raw.byte().await.unwrap_or_else(|| panic!("no answer to {request}")));
    }
    let head = String::from_utf8(head).expect("ASCII");
    let (status, headers) = head.split_once("\r\n").expect("a status line");
    let headers = headers.to_lowercase();
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
    let read = timeout(PATIENCE, raw.0.read_exact(&mut body)).await.expect("a body in time");
    read.expect("a body");
    let body = String::from_utf8(body).expect("UTF-8");
    Answered { status: status.to_owned(), headers, body }
}

/// Asserts that a handshake in which `from` is replaced by `to` is refused with `status`.
async fn check(daemon: &Daemon, from: &str, to: &str, status: u16, header: &str) {
    let request = handshake(daemon);
    assert!(request.contains(from), "{from}");
    let answered = ask(daemon, &request.replace(from, to)).await;
    let what = format!("{from:?} as {to:?}: {}\n{}", answered.headers, answered.body);
    assert!(answered.status.starts_with(&format!("HTTP/1.1 {status} ")), "{what}");
    assert!(answered.headers.contains("content-type: application/problem+json"), "{what}");
    assert!(answered.headers.contains(header), "{what}");
    let problem: Value = serde_json::from_str(&answered.body).expect("JSON");
    assert_eq!(problem["status"], status, "{what}");
    assert_eq!(problem["code"], "handshake_refused", "{what}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{what}");
    assert!(problem["title"].is_string(), "{what}");
}

#[tokio::test]
async fn a_broken_handshake_is_answered_with_the_reason() {
    let daemon = quiet("").await;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (from, to, status, header) in [
        ("Connection: Upgrade", "Connection: close", 400, ""),
        ("Connection: Upgrade\r\n", "", 400, ""),
        (key, "", 400, ""),
        (key, "Sec-WebSocket-Key: \r\n", 400, ""),
        (key, "Sec-WebSocket-Key: c2hvcnQ=\r\n", 400, ""),
        (key, "Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ==\r\n", 400, ""),
        (key, &key.repeat(2), 400, ""),
        ("GET /ws", "POST /ws", 405, "allow: get"),
        ("GET /ws", "DELETE /ws", 405, "allow: get"),
        ("Upgrade: websocket\r\n", "", 426, "upgrade: websocket"),
        ("Upgrade: websocket\r\n", "Upgrade: h2c\r\n", 426, "upgrade: websocket"),
        ("Version: 13", "Version: 8", 426, "sec-websocket-version: 13"),
        ("Sec-WebSocket-Version: 13\r\n", "", 426, "sec-websocket-version: 13"),
    ] {
        check(&daemon, from, to, status, header).await;
    }
}

#[tokio::test]
async fn an_old_http_is_no_way_to_open() {
    let daemon = quiet("").await;
    let answered = ask(&daemon, &handshake(&daemon).replace("HTTP/1.1", "HTTP/1.0")).await;
    assert!(answered.status.contains(" 400 "), "{}", answered.status);
    assert!(answered.body.contains("handshake_refused"), "{}", answered.body);
}

#[tokio::test]
async fn a_handshake_that_is_in_order_is_granted() {
    let daemon = quiet("").await;
    for (from, to) in [
        ("Connection: Upgrade", "Connection: keep-alive, upgrade"),
        ("Upgrade: websocket", "Upgrade: h2c, WebSocket"),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
        ("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat, superchat\r\n\r\n"),
        ("GET /ws", "GET /ws?token=x"),
    ] {
        let answered = ask(&daemon, &handshake(&daemon).replace(from, to)).await;
        assert!(answered.status.starts_with("HTTP/1.1 101 "), "{to:?}: {}", answered.status);
        let headers = &answered.headers;
        assert!(headers.contains("upgrade: websocket"), "{headers}");
        assert!(headers.contains("connection: upgrade"), "{headers}");
        // The example of section 1.3.
        let accept = "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=";
        assert!(headers.contains(accept), "{headers}");
        // Nothing is agreed on that this server does not speak (section 4.2.2).
        assert!(!headers.contains("extensions") && !headers.contains("protocol:"), "{headers}");
    }
}

#[tokio::test]
async fn the_connection_outlives_a_refusal() {
    let daemon = quiet("").await;
    let refused = handshake(&daemon).replace("Version: 13", "Version: 7");
    let both = refused + &handshake(&daemon);
    let mut raw = Raw(TcpStream::connect(daemon.address).await.expect("a connection"));
    raw.send(both.as_bytes()).await;
    let mut text = String::new();
    while !text.contains("initial_state") {
        text.push(char::from(raw.byte().await.unwrap_or_else(|| panic!("{text}"))));
    }
    let (first, second) = (text.find("HTTP/1.1 426"), text.find("HTTP/1.1 101"));
    assert!(first.is_some() && first < second, "{text}");
}
