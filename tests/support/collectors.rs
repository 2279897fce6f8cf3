//! What a daemon says of its collectors.

use serde_json::Value;

use super::{Daemon, until};

/// What the daemon says of one collector; null if it has none of this name.
pub async fn collector(daemon: &Daemon, name: &str) -> Value {
    let all = daemon.get("/api/v1/collectors").await.json();
    let all = all["collectors"].as_array().expect("a list");
    all.iter().find(|collector| collector["name"] == name).cloned().unwrap_or_default()
}

/// Waits until what the daemon says of a collector is as wanted, and returns it.
pub async fn until_collector(
    daemon: &Daemon,
    name: &str,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    until(&format!("collector {name} {what}"), async || {
        Some(collector(daemon, name).await).filter(&wanted)
    })
    .await
}

/// Waits until a collector has succeeded once more than now.
pub async fn until_collected(daemon: &Daemon, name: &str) {
    let before = collector(daemon, name).await["last_success"].clone();
    let is_later = |now: &Value| now["last_success"] != before && now["state"] == "ok";
    until_collector(daemon, name, "succeeds again", is_later).await;
}
