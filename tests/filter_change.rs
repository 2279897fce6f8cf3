//! A client that changes its filter while it is behind: nothing that it was owed is lost.

mod support;

use serde_json::json;
use support::daemon;

/// So much that neither the kernel's buffers hold it nor the daemon takes it from its log at once.
const UPDATES: usize = 80;
const DETAILS_BYTES: usize = 200 << 10;

const CONFIG: &str = r#"
[server]
max_body_size = "1MiB"
[tasks]
max_details_size = "1MiB"
[hub]
log_bytes = "64MiB"
"#;

#[tokio::test]
async fn what_was_published_before_is_owed_by_the_old_filter() {
    let daemon = daemon().config(CONFIG).start().await;
    let mut client = daemon.websocket().await;
    let updates = json!({"type": "subscribe", "filter": {"types": ["task_update"]}});
    client.ask(updates, "subscribed").await;
    daemon.post("/api/v1/tasks", json!({"id": "t", "name": "large"})).await;
    let details = "x".repeat(DETAILS_BYTES);
    for progress in 1..=UPDATES {
        let change = json!({"progress": progress, "details": details});
        assert_eq!(daemon.patch("/api/v1/tasks/t", change).await.status, 200);
    }

    client.send(json!({"type": "subscribe", "filter": {"types": ["alert"]}})).await;
    let mut progress = Vec::new();
    loop {
        let message = client.next().await.expect("an open connection");
        match message["type"].as_str() {
            Some("task_update") => progress.push(message["data"]["progress"].as_u64()),
            Some("subscribed") => break,
            _ => panic!("{message}"),
        }
    }
    let expected: Vec<_> = (0..=UPDATES as u64).map(Some).collect();
    assert_eq!(progress, expected);
}
