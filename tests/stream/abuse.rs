//! What a client must not say: it is answered, and who does not stop is shown the door.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, daemon};
use crate::{QUIET, connect, ping, quiet, shape};

/// Sends texts without waiting for an answer. The daemon may hang up meanwhile.
async fn flood(client: &mut Client, text: &str, count: usize) {
    for _ in 0..count {
        if client.0.feed(Message::text(text)).await.is_err() {
            return;
        }
    }
    let _ = client.0.flush().await;
}

#[tokio::test]
async fn what_is_not_understood_is_answered_and_the_connection_stays() {
    let daemon = quiet().await;
    let (mut client, _) = connect(&daemon).await;
    for (text, code) in [
        ("", "invalid_json"),
        ("{", "invalid_json"),
        ("ping", "invalid_json"),
        ("{\"type\":\"ping\"} x", "invalid_json"),
        ("null", "invalid_message"),
        ("\"ping\"", "invalid_message"),
        ("[{\"type\":\"ping\"}]", "invalid_message"),
        ("{}", "invalid_message"),
        ("{\"type\":null}", "invalid_message"),
        ("{\"type\":[\"ping\"]}", "invalid_message"),
        ("{\"type\":\"Ping\"}", "unknown_type"),
        ("{\"type\":\"\"}", "unknown_type"),
        ("{\"type\":\"initial_state\"}", "unknown_type"),
        ("{\"type\":\"subscribe\",\"filter\":7}", "invalid_filter"),
    ] {
        client.0.send(Message::text(text)).await.expect("sent");
        let answer = client.next_of("error").await;
        let data = shape::reply(&answer, "error");
        shape::error(data);
        assert_eq!(data["code"], code, "{text:?}: {answer}");
    }
    ping(&mut client).await;
}

#[tokio::test]
async fn fields_that_are_unknown_are_left_alone() {
    let daemon = quiet().await;
    let (mut client, _) = connect(&daemon).await;
    client.ask(json!({"type": "ping", "id": 7, "later": {"version": 2}}), "pong").await;
    client.ask(json!({"type": "subscribe", "filter": null, "id": 8}), "subscribed").await;
    client.ask(json!({"type": "unsubscribe", "filter": "x"}), "unsubscribed").await;
}

#[tokio::test]
async fn repeated_nonsense_closes() {
    let config = format!("{QUIET}[websocket]\nmax_errors_per_minute = 3\n");
    let daemon = daemon().config(&config).start().await;
    let (mut client, _) = connect(&daemon).await;
    let (mut other, _) = connect(&daemon).await;
    flood(&mut client, "nonsense", 30).await;
    for _ in 0..3 {
        assert_eq!(client.next().await.expect("an answer")["data"]["code"], "invalid_json");
    }
    assert_eq!(client.close_code().await, Some(1008));
    ping(&mut other).await;
}

#[tokio::test]
async fn too_many_messages_close() {
    let config = format!("{QUIET}[websocket]\nmax_message_rate = 1\n");
    let daemon = daemon().config(&config).start().await;
    let (mut client, _) = connect(&daemon).await;
    let (mut other, _) = connect(&daemon).await;
    flood(&mut client, "{\"type\":\"ping\"}", 100).await;
    for _ in 0..2 {
        assert_eq!(client.next().await.expect("an answer")["type"], "pong");
    }
    assert_eq!(client.close_code().await, Some(1008));
    ping(&mut other).await;
}

#[tokio::test]
async fn pings_of_the_protocol_count_as_messages() {
    let config = format!("{QUIET}[websocket]\nmax_message_rate = 1\n");
    let daemon = daemon().config(&config).start().await;
    let (mut client, _) = connect(&daemon).await;
    for _ in 0..100 {
        if client.0.feed(Message::Ping("x".into())).await.is_err() {
            break;
        }
    }
    let _ = client.0.flush().await;
    assert_eq!(client.close_code().await, Some(1008));
    assert!(client.0.next().await.is_none_or(|message| message.is_err()));
}
