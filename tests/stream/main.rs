//! The stream from outside: the daemon itself, and clients that know only the protocol's document.

#[path = "../support/mod.rs"]
mod support;

mod abuse;
mod end;
mod filters;
mod groups;
mod messages;
mod order;
mod shape;
mod slow;
mod values;

use serde_json::{Value, json};
use support::{Client, Daemon, daemon};

/// Everything by itself, and soon.
const QUICK: &str = "[status]\ninterval = \"200ms\"\n[collectors]\ninterval = \"200ms\"\n";
/// Nothing by itself for as long as a test lasts.
const QUIET: &str = "[status]\ninterval = \"1h\"\n[collectors]\ninterval = \"1h\"\n";

/// A daemon that sends of itself all the time.
async fn quick() -> Daemon {
    daemon().config(QUICK).start().await
}

/// A daemon that sends only what the test brings about.
async fn quiet() -> Daemon {
    daemon().config(QUIET).start().await
}

/// A client with its initial state.
async fn connect(daemon: &Daemon) -> (Client, Value) {
    let mut client = daemon.websocket().await;
    let initial = client.next().await.expect("the initial state");
    assert_eq!(initial["type"], "initial_state");
    (client, initial)
}

/// A client whose filter this is.
async fn subscribed(daemon: &Daemon, filter: Value) -> Client {
    let (mut client, _) = connect(daemon).await;
    subscribe(&mut client, filter).await;
    client
}

async fn subscribe(client: &mut Client, filter: Value) -> Value {
    client.ask(json!({"type": "subscribe", "filter": filter}), "subscribed").await
}

async fn ping(client: &mut Client) -> Value {
    client.ask(json!({"type": "ping"}), "pong").await
}

/// Creates a running task; the answer's body.
async fn create_task(daemon: &Daemon, id: &str) -> Value {
    let answer = daemon.post("/api/v1/tasks", json!({"id": id, "name": "Bulk Clone"})).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

/// Fires the alert of a rule; the answer's body.
async fn fire(daemon: &Daemon, rule: &str, severity: &str) -> Value {
    let report = json!({"rule_id": rule, "rule_name": "High CPU Usage", "severity": severity,
        "message": "CPU usage above 90%", "value": 92.5, "threshold": 90.0});
    let answer = daemon.post("/api/v1/alerts", report).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Resolves an alert; the answer's body.
async fn resolve(daemon: &Daemon, alert: &Value) -> Value {
    let id = alert["id"].as_str().expect("an id");
    let answer = daemon.post(&format!("/api/v1/alerts/{id}/resolve"), json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// A message's number in the stream.
fn seq(message: &Value) -> u64 {
    message["seq"].as_u64().unwrap_or_else(|| panic!("no number: {message}"))
}
