//! Every message of the document: it comes when it should, with its fields and types to the letter.

use serde_json::{Value, json};

use crate::shape;
use crate::support::until;
use crate::{connect, create_task, fire, ping, quick, quiet, resolve, seq, subscribe, subscribed};

#[tokio::test]
async fn the_first_message_is_the_state_of_the_whole() {
    let daemon = quiet().await;
    create_task(&daemon, "task-b").await;
    let task = create_task(&daemon, "task-a").await;
    create_task(&daemon, "ended").await;
    daemon.patch("/api/v1/tasks/ended", json!({"status": "failed"})).await;
    fire(&daemon, "cpu-high", "critical").await;
    let resolved = fire(&daemon, "disk-full", "low").await;
    resolve(&daemon, &resolved).await;

    let (_client, initial) = connect(&daemon).await;
    let data = shape::reply(&initial, "initial_state");
    shape::initial_state(data);
    let tasks = data["active_tasks"].as_array().expect("an array");
    assert_eq!(tasks.iter().map(|task| &task["id"]).collect::<Vec<_>>(), ["task-a", "task-b"]);
    assert_eq!(tasks[0], task);
    let stats = json!({"total_rules": 0, "total_alerts": 2, "firing_alerts": 1,
        "resolved_alerts": 1, "silenced_alerts": 0});
    assert_eq!(data["alert_stats"], stats);
    assert_eq!(data["system_status"]["status"], "critical");
    assert_eq!(data["system_status"]["active_tasks"], 2);
    assert_eq!(data["metrics_summary"]["active_tasks"], 2);
    // Four changes of tasks and three of alerts came before, and nothing else.
    assert_eq!(data["stream"]["seq"], 7);
}

#[tokio::test]
async fn each_daemon_has_a_number_line_of_its_own() {
    let (first, second) = (quiet().await, quiet().await);
    let (_, first) = connect(&first).await;
    let (_, second) = connect(&second).await;
    assert_ne!(first["data"]["stream"]["epoch"], second["data"]["stream"]["epoch"]);
    assert_eq!(first["data"]["stream"]["seq"], 0);
}

#[tokio::test]
async fn status_and_metrics_come_by_themselves() {
    let daemon = quick().await;
    let (mut client, _) = connect(&daemon).await;
    for _ in 0..3 {
        let status = client.next().await.expect("a message");
        shape::system_status(shape::broadcast(&status, "system_status"));
        let metrics = client.next().await.expect("a message");
        shape::metrics(shape::broadcast(&metrics, "metrics_update"));
        assert_eq!(seq(&metrics), seq(&status) + 1, "they are a pair");
        for name in ["active_tasks", "total_requests", "cpu_usage", "uptime"] {
            assert_eq!(status["data"][name], metrics["data"][name], "{name}");
        }
    }
}

#[tokio::test]
async fn a_task_is_reported_whenever_it_changes() {
    let daemon = quiet().await;
    let (mut client, _) = connect(&daemon).await;
    let new = json!({"id": "task-123", "name": "Bulk Clone GitHub", "status": "pending"});
    let created = daemon.post("/api/v1/tasks", new).await.json();
    let change = json!({"status": "running", "progress": 75,
        "details": {"processed": 150, "total": 200, "errors": 2}});
    let changed = daemon.patch("/api/v1/tasks/task-123", change).await.json();
    let stopped = daemon.post("/api/v1/tasks/task-123/stop", json!({})).await.json();
    let ended = daemon.patch("/api/v1/tasks/task-123", json!({"status": "cancelled"})).await.json();
    assert_eq!(daemon.delete("/api/v1/tasks/task-123").await.status, 204);
    create_task(&daemon, "next").await;

    for expected in [&created, &changed, &stopped, &ended] {
        let update = client.next().await.expect("a message");
        let data = shape::broadcast(&update, "task_update");
        shape::task(data);
        assert_eq!(data, expected);
    }
    let details = json!({"processed": 150, "total": 200, "errors": 2});
    assert_eq!((&changed["progress"], &changed["details"]), (&json!(75), &details));
    assert_eq!(created.get("stop_requested"), None);
    assert_eq!((&stopped["stop_requested"], stopped.get("end_time")), (&json!(true), None));
    assert_eq!(ended["end_time"], ended["updated_at"]);
    let next = client.next().await.expect("a message");
    assert_eq!(next["data"]["id"], "next", "a deletion is not reported");
}

#[tokio::test]
async fn an_alert_is_reported_when_it_fires_changes_and_ends() {
    let daemon = quiet().await;
    let (mut client, _) = connect(&daemon).await;
    let fired = fire(&daemon, "cpu-high", "critical").await;
    let again = json!({"rule_id": "cpu-high", "severity": "high", "message": "better"});
    let changed = daemon.post("/api/v1/alerts", again).await.json();
    let resolved = resolve(&daemon, &fired).await;
    for expected in [&fired, &changed, &resolved] {
        let message = client.next().await.expect("a message");
        let data = shape::broadcast(&message, "alert");
        shape::alert(data);
        assert_eq!(data, expected);
        assert_eq!((&data["id"], &data["starts_at"]), (&fired["id"], &fired["starts_at"]));
    }
    assert_eq!((&fired["value"], &fired["threshold"]), (&json!(92.5), &json!(90.0)));
    assert_eq!((&changed["value"], &changed["severity"]), (&Value::Null, &json!("high")));
}

#[tokio::test]
async fn a_collection_brings_its_samples() {
    let daemon = quick().await;
    let filter = json!({"types": ["collector_update"], "collectors": ["load", "network"]});
    let mut client = subscribed(&daemon, filter).await;
    let mut missing = vec!["load", "network"];
    while !missing.is_empty() {
        let update = client.next().await.expect("a message");
        let data = shape::broadcast(&update, "collector_update");
        shape::collector_update(data);
        missing.retain(|name| data["collector"] != *name);
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_the_client_s_id() {
    let daemon = quiet().await;
    let (mut one, _) = connect(&daemon).await;
    let (mut other, _) = connect(&daemon).await;
    let (first, second) = (ping(&mut one).await, ping(&mut other).await);
    shape::pong(shape::reply(&first, "pong"));
    let id = first["data"]["client_id"].as_str().expect("an id");
    assert!(id.starts_with("client-"), "{id}");
    assert_ne!(first["data"], second["data"]);
    assert_eq!(ping(&mut one).await["data"], first["data"]);
}

#[tokio::test]
async fn clients_are_listed() {
    let daemon = quiet().await;
    let (mut one, _) = connect(&daemon).await;
    let id = ping(&mut one).await["data"]["client_id"].clone();
    let filter = json!({"types": ["alert"], "alert_level": "high"});
    let mut other = subscribed(&daemon, filter.clone()).await;
    ping(&mut other).await;

    // What is written is counted once it is written, which the client may know sooner.
    let list = until("initial_state, subscribed and two pongs are counted", || async {
        let list = daemon.get("/api/v1/clients").await.json();
        let sent = |index: usize| list["clients"][index]["messages_sent"].clone();
        (sent(0) == 2 && sent(1) == 3).then_some(list)
    })
    .await;
    let clients = list["clients"].as_array().expect("an array");
    clients.iter().for_each(shape::client);
    assert_eq!(clients.len(), 2, "{list}");
    assert_eq!((&clients[0]["id"], &clients[0]["lag"]), (&id, &json!(0)));
    let types = json!(["system_status", "metrics_update", "task_update", "alert", "group_message"]);
    assert_eq!(clients[0]["filter"], json!({"types": types}));
    assert_eq!(clients[1]["filter"], filter);
    assert!(clients[0]["bytes_sent"].as_u64() > Some(500), "{list}");

    for unknown in ["client-9", "9", "client-", "x"] {
        let answer = daemon.delete(&format!("/api/v1/clients/{unknown}")).await;
        assert_eq!(answer.status, 404, "{unknown}");
        assert_eq!(answer.json()["code"], "client_not_found", "{}", answer.text);
    }
    let id = id.as_str().expect("text");
    assert_eq!(daemon.delete(&format!("/api/v1/clients/{id}")).await.status, 204);
    assert_eq!(one.close_code().await, Some(1008));
    until("the client is gone from the list", || async {
        let list = daemon.get("/api/v1/clients").await.json();
        (list["clients"].as_array()?.len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_filter_that_holds_is_told() {
    let daemon = quiet().await;
    let (mut client, _) = connect(&daemon).await;
    let default = json!({"types":
        ["system_status", "metrics_update", "task_update", "alert", "group_message"]});
    let all = json!({"types":
        ["system_status", "metrics_update", "task_update", "alert", "collector_update", "group_message"]});
    for (filter, expected) in [
        (json!({}), default.clone()),
        (json!({"types": [], "task_ids": [], "collectors": []}), default.clone()),
        (json!({"alert_level": "info"}), default.clone()),
        (json!({"types": ["all"]}), all),
        (
            json!({"types": ["alert", "task_update"], "task_ids": ["b"], "alert_level": "low"}),
            json!({"types": ["task_update", "alert"], "task_ids": ["b"], "alert_level": "low"}),
        ),
        (
            json!({"types": ["collector_update"], "collectors": ["cpu"]}),
            json!({"types": ["collector_update"], "collectors": ["cpu"]}),
        ),
        (
            json!({"types": ["group_message"], "groups": ["ops", "dev"]}),
            json!({"types": ["group_message"], "groups": ["dev", "ops"]}),
        ),
    ] {
        let answer = subscribe(&mut client, filter).await;
        assert_eq!(shape::reply(&answer, "subscribed"), &json!({"filter": expected}));
    }
    let answer = client.ask(json!({"type": "subscribe"}), "subscribed").await;
    assert_eq!(answer["data"]["filter"], default);
}
