//! What outlives a daemon, and what a client that comes back is given: nothing that was acknowledged
//! or delivered is missing, and nothing comes twice.

#[path = "../support/mod.rs"]
mod support;

mod history;
mod kill;
mod pages;
mod restart;
mod resume;
mod slow;
mod trouble;

use serde_json::{Value, json};
use support::{Client, Daemon};

/// Nothing by itself for as long as a test lasts.
const QUIET: &str = "[status]\ninterval = \"1h\"\n[collectors]\ninterval = \"1h\"\n";

/// The place that an initial state tells.
fn place(initial: &Value) -> (String, u64) {
    let stream = &initial["data"]["stream"];
    let epoch = stream["epoch"].as_str().unwrap_or_else(|| panic!("no epoch: {initial}"));
    (epoch.to_owned(), stream["seq"].as_u64().expect("a number"))
}

/// Where the stream is now.
async fn now(daemon: &Daemon) -> (String, u64) {
    place(&daemon.websocket().await.next_of("initial_state").await)
}

/// Creates a running task.
async fn create(daemon: &Daemon, id: &str) {
    let answer = daemon.post("/api/v1/tasks", json!({"id": id, "name": "job"})).await;
    assert_eq!((answer.status, &answer.json()["durable"]), (201, &json!(null)), "{}", answer.text);
}

/// Reports progress of a task.
async fn progress(daemon: &Daemon, id: &str, percent: u64) -> Value {
    let answer = daemon.patch(&format!("/api/v1/tasks/{id}"), json!({"progress": percent})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Fires the alert of a rule.
async fn fire(daemon: &Daemon, rule: &str) -> Value {
    let report = json!({"rule_id": rule, "severity": "high", "message": "m"});
    let answer = daemon.post("/api/v1/alerts", report).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// What a client that resumes is sent: the events, then `gap`s, then `resumed`; the initial state
/// comes after it.
struct Resumed {
    events: Vec<Value>,
    gaps: Vec<Value>,
    resumed: Value,
    initial: Value,
}

impl Resumed {
    async fn read(client: &mut Client) -> Self {
        let (mut events, mut gaps) = (Vec::new(), Vec::new());
        loop {
            let message = client.next().await.expect("an open connection");
            match message["type"].as_str() {
                Some("task_update" | "alert") => events.push(message),
                Some("gap") => gaps.push(message["data"].clone()),
                Some("resumed") => {
                    let initial = client.next().await.expect("an open connection");
                    assert_eq!(initial["type"], "initial_state");
                    let resumed = message["data"].clone();
                    assert_eq!(resumed["replayed"], events.len(), "{resumed}");
                    return Self { events, gaps, resumed, initial };
                }
                _ => panic!("{message}"),
            }
        }
    }

    /// The events' numbers.
    fn seqs(&self) -> Vec<u64> {
        self.events.iter().map(|event| event["seq"].as_u64().expect("a number")).collect()
    }

    fn is_complete(&self) -> bool {
        assert_eq!(self.resumed["complete"] == true, self.gaps.is_empty(), "{}", self.resumed);
        self.resumed["complete"] == true
    }
}
