//! The stream as a client of the document sees it.

mod support;

use serde_json::json;
use support::daemon;

#[tokio::test]
async fn a_ping_is_answered_with_the_client_s_id() {
    let daemon = daemon().start().await;
    let mut client = daemon.websocket().await;
    let initial = client.next().await.expect("the initial state");
    assert_eq!(initial["type"], "initial_state");
    let pong = client.ask(json!({"type": "ping"}), "pong").await;
    assert!(
        pong["data"]["client_id"].as_str().is_some_and(|id| id.starts_with("client-")),
        "{pong}"
    );
    assert!(pong.get("seq").is_none(), "{pong}");
}
