//! Rules, alerts and silences as the users of a real daemon meet them.

#[path = "../support/mod.rs"]
mod support;

mod files;
mod kill;
mod life;
mod terminal;

use serde_json::Value;
use support::{Daemon, until};

/// Nothing by itself but rules, every second, and what they look at.
const FAST: &str = "[status]\ninterval = \"1h\"\n[collectors]\ninterval = \"1s\"\n\
    [alerts]\ninterval = \"1s\"\nstart_grace = \"0s\"\n";

/// A rule whose condition is that a task is running.
const RUNNING: &str = "[[alerts.rule]]\nid = \"running\"\nname = \"Running\"\n\
    expr = \"gz_tasks{status=\\\"running\\\"} > 0\"\nseverity = \"high\"\n\
    message = \"{{ $value }} are {{ $labels.status }}\"\n\
    labels = { team = \"ops\" }\nannotations = { runbook = \"see {{ $labels.status }}\" }\n";

/// All alerts.
async fn alerts(daemon: &Daemon) -> Vec<Value> {
    daemon.get("/api/v1/alerts").await.json()["alerts"].as_array().cloned().expect("a list")
}

/// The alert of a rule, once it has this status.
async fn until_status(daemon: &Daemon, rule: &str, status: &str) -> Value {
    until(&format!("{rule} is {status}"), || async {
        let alerts = alerts(daemon).await;
        alerts.into_iter().find(|alert| alert["rule_id"] == rule && alert["status"] == status)
    })
    .await
}

/// The rules, by their ids.
async fn rules(daemon: &Daemon) -> std::collections::BTreeMap<String, Value> {
    let answer = daemon.get("/api/v1/rules").await.json();
    assert_eq!(answer["status"], "success", "{answer}");
    let groups = answer["data"]["groups"].as_array().expect("groups").iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules"));
    rules.map(|rule| (rule["id"].as_str().expect("an id").to_owned(), rule.clone())).collect()
}
