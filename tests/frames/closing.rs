//! The closing handshake, and peers that are gone without one.

use crate::support::until;
use crate::{
    CLOSE, FIN, PING, PING_MESSAGE, PONG, TEXT, connect, frame, is_served, message, quiet,
};

#[tokio::test]
async fn a_close_is_echoed() {
    let daemon = quiet("").await;
    for code in [1000u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999] {
        for reason in [&b""[..], b"goodbye", &[b'x'; 123]] {
            let mut raw = connect(&daemon).await;
            raw.frame(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat()).await;
            assert_eq!(raw.close_code().await, code);
        }
    }
}

#[tokio::test]
async fn a_close_without_a_code_is_answered_without_one() {
    let daemon = quiet("").await;
    let mut raw = connect(&daemon).await;
    raw.frame(FIN | CLOSE, b"").await;
    assert_eq!(raw.next().await, Some((FIN | CLOSE, Vec::new())));
    assert_eq!(raw.next().await, None, "the connection ends");
}

#[tokio::test]
async fn a_close_may_come_between_fragments_and_is_the_last_word() {
    let daemon = quiet("").await;
    let mut raw = connect(&daemon).await;
    let bytes = [
        frame(FIN | TEXT, PING_MESSAGE),
        frame(TEXT, b"{"),
        frame(FIN | CLOSE, &1000u16.to_be_bytes()),
        frame(FIN | TEXT, PING_MESSAGE),
        frame(FIN | PING, b"anybody?"),
    ];
    raw.send(&bytes.concat()).await;
    assert_eq!(message(&mut raw).await["type"], "pong");
    assert_eq!(raw.next().await, Some((FIN | CLOSE, 1000u16.to_be_bytes().to_vec())));
    assert_eq!(raw.next().await, None, "the connection ends");
}

#[tokio::test]
async fn a_client_that_hangs_up_is_forgotten() {
    let daemon = quiet("").await;
    let mut raw = connect(&daemon).await;
    raw.frame(TEXT, b"half a mess").await;
    drop(raw);
    until("the client is gone from the list", || async {
        let list = daemon.get("/api/v1/clients").await.json();
        list["clients"].as_array()?.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_silent_peer_is_pinged_and_then_dropped() {
    let daemon = quiet("[websocket]\nping_interval = \"1s\"\npong_timeout = \"50ms\"\n").await;
    let mut raw = connect(&daemon).await;
    assert_eq!(raw.next().await, Some((FIN | PING, Vec::new())));
    assert_eq!(raw.next().await, None, "dropped without a close frame");
}

#[tokio::test]
async fn a_peer_that_answers_pings_stays() {
    let daemon = quiet("[websocket]\nping_interval = \"1s\"\npong_timeout = \"1h\"\n").await;
    let mut raw = connect(&daemon).await;
    for _ in 0..2 {
        let (first, payload) = raw.next().await.expect("a ping");
        assert_eq!(first, FIN | PING);
        raw.frame(FIN | PONG, &payload).await;
    }
    is_served(&mut raw).await;
}
