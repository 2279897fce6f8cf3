//! Notifications as their receivers meet them: an HTTP server, a mail server and programs, which the
//! tests start; well, failing, slow, hanging up, gone and back.

#[path = "../support/mod.rs"]
mod support;

mod delivery;
mod kill;
mod mail;
mod mailbox;
mod program;
mod receiver;
mod trouble;

use serde_json::{Value, json};
use support::{Daemon, until};

/// Nobody waits for anything, and attempts come soon after each other.
const AT_ONCE: &str = "[notify]\ngroup_wait = \"0s\"\ngroup_interval = \"0s\"\nretry_min = \"50ms\"\n\
    retry_max = \"200ms\"\n";

/// Fires the alert of a rule; returns its id.
async fn fire(daemon: &Daemon, rule: &str, severity: &str) -> String {
    let report =
        json!({"rule_id": rule, "severity": severity, "message": format!("{rule} is bad")});
    let answer = daemon.post("/api/v1/alerts", report).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["id"].as_str().expect("an id").to_owned()
}

async fn resolve(daemon: &Daemon, id: &str) {
    let answer = daemon.post_nothing(&format!("/api/v1/alerts/{id}/resolve")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// What the daemon says of a channel.
async fn channel(daemon: &Daemon, name: &str) -> Value {
    let all = daemon.get("/api/v1/notify/channels").await.json();
    let all = all["channels"].as_array().expect("a list");
    all.iter().find(|channel| channel["name"] == name).cloned().unwrap_or_default()
}

/// Waits until what the daemon says of a channel is as wanted.
async fn until_channel(daemon: &Daemon, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    until(&format!("the channel {name} is as wanted"), async || {
        Some(channel(daemon, name).await).filter(&wanted)
    })
    .await
}

/// The notifications of a path's query, newest first.
async fn notifications(daemon: &Daemon, query: &str) -> Vec<Value> {
    let answer = daemon.get(&format!("/api/v1/notifications{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["notifications"].as_array().expect("a list").clone()
}
