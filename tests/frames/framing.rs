//! Frames that are in order, however they come: fragments, control frames between them, odd pieces.

use serde_json::json;
use tokio::net::TcpStream;

use crate::support::{Daemon, Raw};
use crate::{
    CONTINUATION, FIN, PING, PING_MESSAGE, PONG, TEXT, connect, frame, handshake, is_served,
    message, quiet,
};

#[tokio::test]
async fn a_message_may_come_in_fragments() {
    let daemon = quiet("").await;
    let mut raw = connect(&daemon).await;
    raw.frame(TEXT, &PING_MESSAGE[..5]).await;
    raw.frame(CONTINUATION, &PING_MESSAGE[5..5]).await;
    raw.frame(CONTINUATION, &PING_MESSAGE[5..11]).await;
    raw.frame(FIN | CONTINUATION, &PING_MESSAGE[11..]).await;
    assert_eq!(message(&mut raw).await["type"], "pong");
    // An empty first and an empty last fragment.
    raw.frame(TEXT, b"").await;
    raw.frame(CONTINUATION, PING_MESSAGE).await;
    raw.frame(FIN | CONTINUATION, b"").await;
    assert_eq!(message(&mut raw).await["type"], "pong");
}

#[tokio::test]
async fn control_frames_may_come_between_fragments() {
    let daemon = quiet("").await;
    let mut raw = connect(&daemon).await;
    raw.frame(TEXT, &PING_MESSAGE[..5]).await;
    raw.frame(FIN | PING, b"one").await;
    raw.frame(FIN | PONG, b"nobody asked").await;
    raw.frame(CONTINUATION, &PING_MESSAGE[5..9]).await;
    raw.frame(FIN | PING, b"two").await;
    // They are answered before the message is whole.
    assert_eq!(raw.next().await, Some((FIN | PONG, b"one".to_vec())));
    assert_eq!(raw.next().await, Some((FIN | PONG, b"two".to_vec())));
    raw.frame(FIN | CONTINUATION, &PING_MESSAGE[9..]).await;
    assert_eq!(message(&mut raw).await["type"], "pong");
}

#[tokio::test]
async fn a_ping_is_echoed() {
    let daemon = quiet("").await;
    let mut raw = connect(&daemon).await;
    for payload in [&b""[..], b"x", &[0, 0xff, 0xc3, 0x28], &[b'y'; 125]] {
        raw.frame(FIN | PING, payload).await;
        assert_eq!(raw.next().await, Some((FIN | PONG, payload.to_vec())));
    }
    raw.frame(FIN | PONG, b"unasked").await;
    is_served(&mut raw).await;
}

#[tokio::test]
async fn a_character_may_be_cut_by_fragments() {
    let daemon = quiet("").await;
    let mut raw = connect(&daemon).await;
    let text = "{\"type\":\"čau 🦀\"}";
    for (index, byte) in text.bytes().enumerate() {
        let opcode = if index == 0 { TEXT } else { CONTINUATION };
        let fin = if index + 1 == text.len() { FIN } else { 0 };
        raw.frame(fin | opcode, &[byte]).await;
    }
    let answer = message(&mut raw).await;
    assert_eq!(answer["data"]["code"], "unknown_type");
    assert!(answer["data"]["message"].as_str().is_some_and(|text| text.contains("čau 🦀")));
}

/// Connects by hand, sending all of `bytes` in one write.
async fn send_at_once(daemon: &Daemon, bytes: &[u8]) -> Raw {
    let mut raw = Raw(TcpStream::connect(daemon.address).await.expect("a connection"));
    raw.send(bytes).await;
    read_head(&mut raw).await;
    raw
}

async fn read_head(raw: &mut Raw) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(raw.byte().await.expect("the answer to a handshake"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
}

#[tokio::test]
async fn frames_may_come_with_the_handshake() {
    let daemon = quiet("").await;
    let subscribe = json!({"type": "subscribe", "filter": {"types": ["alert"]}}).to_string();
    let frames = [frame(FIN | TEXT, subscribe.as_bytes()), frame(FIN | PING, b"early")].concat();
    // The last frame comes in two halves.
    let last = frame(FIN | TEXT, PING_MESSAGE);
    let bytes = [handshake(&daemon).as_bytes(), &frames, &last[..9]].concat();
    let mut raw = send_at_once(&daemon, &bytes).await;
    assert_eq!(message(&mut raw).await["type"], "initial_state");
    assert_eq!(message(&mut raw).await["type"], "subscribed");
    assert_eq!(raw.next().await, Some((FIN | PONG, b"early".to_vec())));
    raw.send(&last[9..]).await;
    assert_eq!(message(&mut raw).await["type"], "pong");
}

#[tokio::test]
async fn a_close_with_the_handshake_is_answered() {
    let daemon = quiet("").await;
    let close = frame(0x88, &1000u16.to_be_bytes());
    let mut raw = send_at_once(&daemon, &[handshake(&daemon).as_bytes(), &close].concat()).await;
    assert_eq!(message(&mut raw).await["type"], "initial_state");
    assert_eq!(raw.close_code().await, 1000);
}

#[tokio::test]
async fn bytes_may_come_one_by_one() {
    let daemon = quiet("").await;
    let mut raw = Raw(TcpStream::connect(daemon.address).await.expect("a connection"));
    raw.0.set_nodelay(true).expect("no delay");
    for byte in handshake(&daemon).into_bytes() {
        raw.send(&[byte]).await;
    }
    read_head(&mut raw).await;
    assert_eq!(message(&mut raw).await["type"], "initial_state");
    let frames = [
        frame(TEXT, &PING_MESSAGE[..3]),
        frame(FIN | PING, b"slowly"),
        frame(FIN | CONTINUATION, &PING_MESSAGE[3..]),
    ];
    for byte in frames.concat() {
        raw.send(&[byte]).await;
    }
    assert_eq!(raw.next().await, Some((FIN | PONG, b"slowly".to_vec())));
    assert_eq!(message(&mut raw).await["type"], "pong");
}

#[tokio::test]
async fn many_messages_may_come_at_once() {
    let daemon = quiet("").await;
    let mut raw = connect(&daemon).await;
    raw.send(&frame(FIN | TEXT, PING_MESSAGE).repeat(50)).await;
    for _ in 0..50 {
        assert_eq!(message(&mut raw).await["type"], "pong");
    }
}

#[tokio::test]
async fn a_message_may_be_as_large_as_the_limit() {
    let daemon = quiet("[websocket]\nmax_message_size = \"128KiB\"\n").await;
    let mut raw = connect(&daemon).await;
    // Lengths around the two places where the header grows, and the limit.
    for length in [125, 126, 127, 0xffff, 0x10000, 128 << 10] {
        let mut text = PING_MESSAGE.to_vec();
        text.resize(length, b' ');
        raw.frame(FIN | TEXT, &text).await;
        assert_eq!(message(&mut raw).await["type"], "pong", "{length} bytes");
    }
}
