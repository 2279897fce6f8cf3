//! Many sockets and hostile ones, on a real daemon: ten thousand clients, storms of them, clients that
//! stop reading, strangers that speak no protocol, and what is left when all have gone.

#[path = "../support/mod.rs"]
mod support;

mod crowd;
mod many;
mod storm;
mod strangers;
mod stuck;
mod traces;

use serde_json::{Value, json};
use support::{Daemon, daemon, until};

/// Nothing by itself for as long as a test lasts, but its own numbers; nobody is asked whether it is
/// still there, because the clients here do not answer.
async fn quiet(websocket: &str, more: &str) -> Daemon {
    let config = format!(
        "[status]\ninterval = \"1h\"\n[collectors]\ninterval = \"1h\"\n\
         [websocket]\nping_interval = \"1h\"\n{websocket}\n{more}\n\
         [[collector]]\nplugin = \"gz-monitor\"\ninterval = \"200ms\"\n"
    );
    daemon().config(&config).start().await
}

/// Creates a running task.
async fn create_task(daemon: &Daemon, id: &str) {
    let answer = daemon.post("/api/v1/tasks", json!({"id": id, "name": "job"})).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

/// Fires the alert of a rule.
async fn fire(daemon: &Daemon, rule: &str) {
    let report = json!({"rule_id": rule, "severity": "high", "message": "m"});
    let answer = daemon.post("/api/v1/alerts", report).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// The value of one of the daemon's own numbers, as of its last collection; 0 if it has none.
async fn own_number(daemon: &Daemon, name: &str) -> f64 {
    let samples = daemon.get(&format!("/api/v1/samples?name={name}")).await.json();
    samples["samples"][0]["value"].as_f64().unwrap_or_default()
}

/// Waits until the daemon knows of so many clients, and says the same everywhere.
async fn until_clients(daemon: &Daemon, count: usize) {
    until(&format!("there are {count} clients"), async || {
        let list = daemon.get("/api/v1/clients").await.json();
        let listed = list["clients"].as_array().map_or(0, Vec::len);
        let is_told = own_number(daemon, "gz_ws_clients").await == count as f64;
        (listed == count && is_told).then_some(())
    })
    .await;
}

/// A message's number in the stream.
fn seq(message: &Value) -> u64 {
    message["seq"].as_u64().unwrap_or_else(|| panic!("no number: {message}"))
}
