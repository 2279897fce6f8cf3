//! One client among a thousand that stops reading: the others do not notice, and it gets what is its.

use std::fs;

use serde_json::json;
use tokio::net::TcpSocket;

use crate::support::{Daemon, Raw, may_open};
use crate::{create_task, crowd, fire, quiet, seq};

const CLIENTS: usize = 1_000;
/// Those that want the long messages too.
const FULL: usize = 50;
const UPDATE_BYTES: usize = 64 << 10;

/// Updates enough to fill whatever the kernel keeps for a sender, and as many again.
fn enough() -> u64 {
    let text = fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem").unwrap_or_default();
    let kept = text.split_whitespace().last().and_then(|most| most.parse().ok());
    let kept: usize = kept.unwrap_or(4 << 20);
    (2 * kept / UPDATE_BYTES) as u64 + 20
}

/// A client for which the kernel keeps as little as it can.
async fn narrow(daemon: &Daemon) -> Raw {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let stream = socket.connect(daemon.address).await.expect("a connection");
    let mut member = crowd::upgrade(stream, daemon.address).await;
    member.next_of(crowd::TEXT).await;
    member
}

async fn subscribe(member: &mut Raw, types: &[&str]) {
    crowd::say(member, &json!({"type": "subscribe", "filter": {"types": types}})).await;
    assert_eq!(crowd::message(member).await["type"], "subscribed");
}

/// Reads up to the last alert; what came, by type: numbers of updates, and rules of alerts.
async fn read_all(member: &mut Raw, last: &str) -> (Vec<u64>, Vec<String>) {
    let (mut updates, mut rules, mut before) = (Vec::new(), Vec::new(), 0);
    while rules.last().is_none_or(|rule| rule != last) {
        let message = crowd::message(member).await;
        assert!(seq(&message) > before, "{} after {before}", seq(&message));
        before = seq(&message);
        match message["type"].as_str() {
            Some("task_update") => {
                updates.extend(message["data"]["details"]["number"].as_u64());
            }
            Some("alert") => {
                rules.push(message["data"]["rule_id"].as_str().expect("a rule").to_owned());
            }
            _ => panic!("{message}"),
        }
    }
    (updates, rules)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_stops_reading_holds_up_none_of_a_thousand() {
    if !may_open(2 * CLIENTS as u64, "a thousand clients") {
        return;
    }
    let daemon = quiet(
        "write_timeout = \"10m\"",
        "[tasks]\nmax_details_size = \"128KiB\"\n[hub]\nclient_buffer = 8",
    )
    .await;
    create_task(&daemon, "t").await;
    let mut stuck = narrow(&daemon).await;
    subscribe(&mut stuck, &["task_update", "alert"]).await;
    let mut crowd = crowd::gather(&daemon, CLIENTS - 1).await;
    for (index, member) in crowd.iter_mut().enumerate() {
        let types = if index < FULL { &["task_update", "alert"][..] } else { &["alert"] };
        subscribe(member, types).await;
    }
    let count = enough();
    let rules: Vec<String> = (0..count / 20).map(|number| format!("rule-{number}")).collect();
    let last = rules.last().expect("some alerts").clone();
    // They read while it is written.
    let readers = crowd.into_iter().map(|mut member| {
        let last = last.clone();
        tokio::spawn(async move { (read_all(&mut member, &last).await, member) })
    });
    let readers: Vec<_> = readers.collect();
    for number in 0..count {
        let details = json!({"number": number, "padding": "x".repeat(UPDATE_BYTES)});
        let answer = daemon.patch("/api/v1/tasks/t", json!({"details": details})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        if number % 20 == 19 {
            fire(&daemon, &rules[(number / 20) as usize]).await;
        }
    }
    // Rounds of twenty are whole; what comes after the last alert nobody waits for.
    let updates = rules.len() as u64 * 20;
    for (index, reader) in readers.into_iter().enumerate() {
        let ((got, alerts), member) = reader.await.expect("a reader that saw nothing wrong");
        assert_eq!(alerts, rules, "client {index}");
        let expected = if index < FULL { updates } else { 0 };
        assert!(got.iter().copied().eq(0..expected), "client {index}: {got:?}");
        drop(member);
    }
    let list = daemon.get("/api/v1/clients").await.json();
    assert!(list["clients"][0]["lag"].as_u64() > Some(8), "it was stuck: {}", list["clients"][0]);
    // Its own are kept on disk, whatever has left the hub's log.
    let (got, alerts) = read_all(&mut stuck, &last).await;
    assert!(got.iter().copied().eq(0..updates), "{got:?}");
    assert_eq!(alerts, rules);
}
