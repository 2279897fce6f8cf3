//! One sequence for everybody: numbers rise, nobody misses anything, and many are served alike.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::{Client, Daemon, until};
use crate::{connect, create_task, fire, quick, quiet, seq, subscribed};

#[tokio::test]
async fn all_clients_see_the_same_messages_without_holes() {
    let daemon = quick().await;
    let mut one = subscribed(&daemon, json!({"types": ["all"]})).await;
    let mut other = subscribed(&daemon, json!({"types": ["all"]})).await;
    create_task(&daemon, "a").await;
    fire(&daemon, "cpu-high", "high").await;
    let mut first = Vec::new();
    let mut kinds = BTreeSet::new();
    while kinds.len() < 5 || first.len() < 60 {
        let message = one.next().await.expect("a message");
        kinds.insert(message["type"].as_str().expect("text").to_owned());
        first.push(message);
    }
    assert!(first.windows(2).all(|pair| seq(&pair[1]) == seq(&pair[0]) + 1), "{first:?}");
    let end = seq(first.last().expect("messages"));
    let mut second = vec![other.next().await.expect("a message")];
    while seq(&second[second.len() - 1]) < end {
        second.push(other.next().await.expect("a message"));
    }
    // The other one subscribed later.
    let start = seq(&second[0]);
    first.retain(|message| seq(message) >= start);
    assert!(first.len() > 30);
    assert_eq!(first, second);
}

#[tokio::test]
async fn replies_have_no_number() {
    let daemon = quiet().await;
    let (mut client, initial) = connect(&daemon).await;
    let mut replies = vec![initial];
    for (message, kind) in [
        (json!({"type": "subscribe"}), "subscribed"),
        (json!({"type": "ping"}), "pong"),
        (json!({"type": "nonsense"}), "error"),
        (json!({"type": "unsubscribe"}), "unsubscribed"),
    ] {
        replies.push(client.ask(message, kind).await);
    }
    assert!(replies.iter().all(|reply| reply.get("seq").is_none()), "{replies:?}");
}

/// Reads until the task "last" was seen; the ids of all tasks that a client has learnt of, first
/// from its initial state and then from updates.
async fn learn(mut client: Client, initial: Value) -> (Vec<String>, Vec<String>) {
    let id = |task: &Value| task["id"].as_str().expect("an id").to_owned();
    let known = initial["data"]["active_tasks"].as_array().expect("an array");
    let known: Vec<String> = known.iter().map(id).collect();
    let (mut told, mut last) = (Vec::new(), initial["data"]["stream"]["seq"].as_u64());
    while known.iter().chain(&told).all(|id| id != "last") {
        let message = client.next().await.expect("a message");
        let number = message["seq"].as_u64();
        assert!(number > last, "{message} after {last:?}");
        last = number;
        told.push(id(&message["data"]));
    }
    (known, told)
}

async fn create_tasks(daemon: Arc<Daemon>) {
    for number in 0..150 {
        create_task(&daemon, &format!("{number:03}")).await;
    }
}

#[tokio::test]
async fn who_connects_in_the_middle_misses_nothing() {
    let daemon = Arc::new(quiet().await);
    let creating = tokio::spawn(create_tasks(daemon.clone()));
    let mut clients = Vec::new();
    while !creating.is_finished() {
        let (client, initial) = connect(&daemon).await;
        clients.push(tokio::spawn(learn(client, initial)));
    }
    creating.await.expect("150 tasks");
    create_task(&daemon, "last").await;
    let mut in_the_middle = 0;
    for client in clients {
        let (known, told) = client.await.expect("150 tasks");
        in_the_middle += usize::from(!known.is_empty() && !told.is_empty());
        // In order and once each: those that were there, then those that came.
        let all = (0..150).map(|number| format!("{number:03}")).chain(["last".to_owned()]);
        assert_eq!([known, told].concat(), Vec::from_iter(all));
    }
    assert!(in_the_middle > 0, "no client connected while tasks were created");
}

#[tokio::test]
async fn two_hundred_clients_get_the_same() {
    let daemon = quiet().await;
    let mut clients = Vec::new();
    for _ in 0..200 {
        clients.push(connect(&daemon).await.0);
    }
    let list = daemon.get("/api/v1/clients").await.json();
    let list = list["clients"].as_array().expect("an array");
    let ids: BTreeSet<&str> = list.iter().filter_map(|client| client["id"].as_str()).collect();
    assert_eq!(ids.len(), 200);
    let task = create_task(&daemon, "task-123").await;
    let alert = fire(&daemon, "cpu-high", "high").await;
    let mut first: Option<[Value; 2]> = None;
    for client in &mut clients {
        let got = [client.next().await.expect("a task"), client.next().await.expect("an alert")];
        assert_eq!((&got[0]["data"], &got[1]["data"]), (&task, &alert));
        assert_eq!(first.get_or_insert_with(|| got.clone()), &got);
    }
    drop(clients);
    until("all have left", || async {
        let list = daemon.get("/api/v1/clients").await.json();
        list["clients"].as_array()?.is_empty().then_some(())
    })
    .await;
}
