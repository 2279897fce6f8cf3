//! The end of the daemon: every client is told, and what is in flight is done.

use serde_json::json;

use crate::{connect, create_task, quiet, subscribed};

#[tokio::test]
async fn every_client_is_told_that_the_daemon_stops() {
    for signal in ["TERM", "INT"] {
        let mut daemon = quiet().await;
        let mut clients = Vec::new();
        for _ in 0..10 {
            clients.push(connect(&daemon).await.0);
        }
        clients.push(subscribed(&daemon, json!({"types": ["alert"]})).await);
        daemon.signal(signal);
        for client in &mut clients {
            assert_eq!(client.close_code().await, Some(1001), "SIG{signal}");
        }
        let status = daemon.ended().await;
        assert_eq!(status.code(), Some(0), "SIG{signal}: {}", daemon.log());
    }
}

#[tokio::test]
async fn what_was_published_before_the_end_is_sent() {
    let mut daemon = quiet().await;
    let (mut client, _) = connect(&daemon).await;
    for number in 0..20 {
        create_task(&daemon, &number.to_string()).await;
    }
    daemon.signal("TERM");
    for number in 0..20 {
        let message = client.next().await.expect("a message");
        assert_eq!(message["data"]["id"], number.to_string());
    }
    assert_eq!(client.close_code().await, Some(1001));
    assert_eq!(daemon.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_client_that_does_not_answer_does_not_hold_up_the_end() {
    let mut daemon = quiet().await;
    // It never reads, so that it does not answer the close frame either.
    let _silent = daemon.raw().await;
    daemon.signal("TERM");
    assert_eq!(daemon.ended().await.code(), Some(0));
}
