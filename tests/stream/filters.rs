//! Filters: what a client asked for and nothing else, each condition on its own type.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::Client;
use crate::{connect, create_task, fire, ping, quick, quiet, seq, shape, subscribe, subscribed};

/// Creates tasks "a" and "b" and fires an alert of each level: all there is to choose from.
async fn happen(daemon: &crate::Daemon) {
    create_task(daemon, "a").await;
    create_task(daemon, "b").await;
    for severity in ["info", "low", "medium", "high", "critical"] {
        fire(daemon, severity, severity).await;
    }
}

/// What a client was sent before the answer to a ping: ids of tasks and levels of alerts.
async fn received(client: &mut Client) -> Vec<String> {
    client.send(json!({"type": "ping"})).await;
    let mut names = Vec::new();
    loop {
        let message = client.next().await.expect("a pong at the end");
        let name = match message["type"].as_str() {
            Some("pong") => return names,
            Some("task_update") => &message["data"]["id"],
            Some("alert") => &message["data"]["severity"],
            _ => panic!("unexpected: {message}"),
        };
        names.push(name.as_str().expect("text").to_owned());
    }
}

#[tokio::test]
async fn a_condition_narrows_its_own_type() {
    let daemon = quiet().await;
    let mut clients = Vec::new();
    for (filter, expected) in [
        (json!({}), "a b info low medium high critical"),
        (json!({"types": ["all"]}), "a b info low medium high critical"),
        (json!({"types": ["task_update"]}), "a b"),
        (json!({"types": ["alert"]}), "info low medium high critical"),
        (json!({"types": ["system_status"]}), ""),
        (json!({"types": ["alert", "all"]}), "a b info low medium high critical"),
        (json!({"task_ids": ["b", "z"]}), "b info low medium high critical"),
        (json!({"types": ["all"], "task_ids": ["z"]}), "info low medium high critical"),
        (json!({"alert_level": "low"}), "a b low medium high critical"),
        (json!({"types": ["all"], "alert_level": "high"}), "a b high critical"),
        (json!({"types": ["alert"], "alert_level": "critical", "task_ids": ["a"]}), "critical"),
        (json!({"collectors": ["cpu"]}), "a b info low medium high critical"),
    ] {
        clients.push((subscribed(&daemon, filter.clone()).await, filter, expected));
    }
    happen(&daemon).await;
    for (mut client, filter, expected) in clients {
        assert_eq!(received(&mut client).await.join(" "), expected, "{filter}");
    }
}

#[tokio::test]
async fn samples_are_sent_only_to_who_asks() {
    let daemon = quick().await;
    let mut wants = subscribed(&daemon, json!({"types": ["all"]})).await;
    let mut narrow = subscribed(&daemon, json!({"types": ["all"], "collectors": ["load"]})).await;
    let (mut default, _) = connect(&daemon).await;
    // Until each collector has had its turn.
    let mut kinds = BTreeSet::new();
    let mut collectors = BTreeSet::new();
    while collectors.len() < 8 || kinds.len() < 3 {
        let message = wants.next().await.expect("a message");
        kinds.insert(message["type"].to_string());
        if message["type"] == "collector_update" {
            collectors.insert(message["data"]["collector"].to_string());
        }
    }
    let end = seq(&wants.next().await.expect("a message"));
    for (client, expected) in [(&mut default, &[][..]), (&mut narrow, &["load"])] {
        let mut seen = BTreeSet::new();
        loop {
            let message = client.next().await.expect("a message");
            if message["type"] == "collector_update" {
                seen.insert(message["data"]["collector"].as_str().expect("text").to_owned());
            }
            if seq(&message) > end {
                break;
            }
        }
        assert_eq!(Vec::from_iter(seen), expected);
    }
}

#[tokio::test]
async fn who_unsubscribes_is_told_and_then_left_in_peace() {
    let daemon = quiet().await;
    let (mut client, _) = connect(&daemon).await;
    create_task(&daemon, "before").await;
    let answer = client.ask(json!({"type": "unsubscribe"}), "unsubscribed").await;
    assert_eq!(shape::reply(&answer, "unsubscribed"), &json!({}));
    happen(&daemon).await;
    assert_eq!(received(&mut client).await, [""; 0]);
    let list = daemon.get("/api/v1/clients").await.json();
    assert_eq!(list["clients"][0]["filter"], json!({"types": []}));

    subscribe(&mut client, json!({"types": ["task_update"]})).await;
    create_task(&daemon, "after").await;
    assert_eq!(received(&mut client).await, ["after"]);
}

#[tokio::test]
async fn what_happened_before_a_subscribe_is_still_owed() {
    let daemon = quiet().await;
    let (mut client, _) = connect(&daemon).await;
    create_task(&daemon, "before").await;
    client.send(json!({"type": "subscribe", "filter": {"types": ["alert"]}})).await;
    let first = client.next().await.expect("a message");
    assert_eq!(first["data"]["id"], "before");
    assert_eq!(client.next().await.expect("a message")["type"], "subscribed");
}

#[tokio::test]
async fn a_filter_that_cannot_be_changes_nothing() {
    let daemon = quiet().await;
    let mut client = subscribed(&daemon, json!({"types": ["task_update"]})).await;
    let many: Vec<String> = (0..1001).map(|id| id.to_string()).collect();
    for filter in [
        json!("all"),
        json!([]),
        json!({"types": "all"}),
        json!({"types": ["alerts"]}),
        json!({"types": [1]}),
        json!({"types": [""]}),
        json!({"task_ids": "a"}),
        json!({"task_ids": many}),
        json!({"collectors": many}),
        json!({"alert_level": "severe"}),
        json!({"alert_level": 3}),
        json!({"level": "high"}),
    ] {
        let message = json!({"type": "subscribe", "filter": filter});
        let answer = client.ask(message, "error").await;
        let data = shape::reply(&answer, "error");
        shape::error(data);
        assert_eq!(data["code"], "invalid_filter", "{filter}: {answer}");
    }
    happen(&daemon).await;
    assert_eq!(received(&mut client).await, ["a", "b"]);
    let most: Vec<String> = (0..1000).map(|id| id.to_string()).collect();
    subscribe(&mut client, json!({"task_ids": most, "collectors": most})).await;
}

#[tokio::test]
async fn filters_of_two_clients_are_two() {
    let daemon = quiet().await;
    let mut one = subscribed(&daemon, json!({"types": ["alert"]})).await;
    let mut other = subscribed(&daemon, json!({"types": ["task_update"]})).await;
    let id = |pong: Value| pong["data"]["client_id"].clone();
    assert_ne!(id(ping(&mut one).await), id(ping(&mut other).await));
    happen(&daemon).await;
    assert_eq!(received(&mut other).await, ["a", "b"]);
    assert_eq!(received(&mut one).await.len(), 5);
}
