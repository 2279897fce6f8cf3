//! Clients that read slowly or never: nobody waits for them, and they get what they are owed.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio_tungstenite::{MaybeTlsStream, client_async};

use crate::support::{Client, Daemon, PATIENCE, daemon, until};
use crate::{connect, create_task, ping, seq, shape, subscribe, subscribed};

/// Bytes of details in one update.
const UPDATE_BYTES: usize = 100 << 10;

/// A client for which the kernel keeps as little as it can, so that the daemon soon cannot write.
async fn narrow(daemon: &Daemon) -> Client {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let stream = socket.connect(daemon.address).await.expect("a connection");
    let url = format!("ws://{}/ws", daemon.address);
    let (socket, _) = client_async(url, MaybeTlsStream::Plain(stream)).await.expect("an upgrade");
    let mut client = Client(socket);
    assert_eq!(client.next().await.expect("a message")["type"], "initial_state");
    client
}

/// Updates enough to fill whatever the kernel keeps for a sender, and as many again.
fn enough() -> u64 {
    let text = fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem").unwrap_or_default();
    let kept = text.split_whitespace().last().and_then(|most| most.parse().ok());
    let kept: usize = kept.unwrap_or(4 << 20);
    (2 * kept / UPDATE_BYTES) as u64 + 20
}

async fn update(daemon: &Daemon, number: u64) {
    let details = json!({"number": number, "padding": "x".repeat(UPDATE_BYTES)});
    let answer = daemon.patch("/api/v1/tasks/t", json!({"details": details})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn number(message: &Value) -> Option<u64> {
    message["data"]["details"]["number"].as_u64()
}

async fn start(status_interval: &str, more: &str) -> Daemon {
    let config = format!(
        "[status]\ninterval = \"{status_interval}\"\n[collectors]\ninterval = \"1h\"\n\
         [tasks]\nmax_details_size = \"128KiB\"\n{more}"
    );
    let daemon = daemon().config(&config).start().await;
    create_task(&daemon, "t").await;
    daemon
}

#[tokio::test]
async fn a_slow_client_gets_every_event_and_the_newest_states() {
    let daemon = start("100ms", "[hub]\nclient_buffer = 8\nlog_bytes = \"1GiB\"\n").await;
    let mut slow = narrow(&daemon).await;
    let (mut fast, _) = connect(&daemon).await;
    let count = enough();
    for expected in 0..count {
        update(&daemon, expected).await;
        // The other client has each update before the next one is made.
        while number(&fast.next_of("task_update").await) != Some(expected) {}
    }
    let mut late = Vec::new();
    while late.len() < 20 {
        late.push(seq(&fast.next().await.expect("a status")));
    }

    let list = daemon.get("/api/v1/clients").await.json();
    // The slow one connected first.
    assert!(list["clients"][0]["lag"].as_u64() >= Some(20), "{list}");

    let (newest, outdated) = (late[19], &late[..18]);
    let (mut updates, mut states, mut last) = (Vec::new(), Vec::new(), 0);
    while last < newest {
        let message = slow.next().await.expect("a message");
        assert!(seq(&message) > last, "{} after {last}", seq(&message));
        last = seq(&message);
        match number(&message) {
            Some(number) => updates.push(number),
            None => states.push(last),
        }
    }
    assert!(updates.iter().copied().eq(0..count), "{updates:?}");
    assert!(!states.iter().any(|seq| outdated.contains(seq)), "{states:?} of {late:?}");
    slow.next_of("system_status").await;
    slow.next_of("metrics_update").await;
}

#[tokio::test]
async fn who_is_too_far_behind_is_told_what_is_lost() {
    let config = "[hub]\nclient_buffer = 8\nlog_messages = 10\n[storage]\nenabled = false\n";
    let daemon = start("1h", config).await;
    let mut slow = narrow(&daemon).await;
    subscribe(&mut slow, json!({"types": ["task_update"]})).await;
    let count = enough();
    for number in 0..count {
        update(&daemon, number).await;
    }
    let (mut updates, mut gaps, mut last) = (Vec::new(), Vec::new(), 0);
    while updates.last() != Some(&(count - 1)) {
        let message = slow.next().await.expect("a message");
        if message["type"] == "gap" {
            let data = shape::reply(&message, "gap");
            shape::gap(data);
            let [from, to] = ["from", "to"].map(|name| data[name].as_u64().expect("a number"));
            assert!(last < from && from <= to, "{message} after {last}");
            gaps.push(to - from + 1);
            last = to;
        } else {
            assert!(seq(&message) > last, "{} after {last}", seq(&message));
            last = seq(&message);
            updates.extend(number(&message));
        }
    }
    let lost = count - updates.len() as u64;
    assert!(lost > 0 && lost <= gaps.iter().sum(), "{lost} updates are lost in {gaps:?}");
    assert!(updates.is_sorted_by(|one, next| one < next), "{updates:?}");
}

#[tokio::test]
async fn who_never_reads_is_dropped() {
    let daemon = start("1h", "[websocket]\nwrite_timeout = \"200ms\"\n").await;
    let never = narrow(&daemon).await;
    let mut other = subscribed(&daemon, json!({"types": ["alert"]})).await;
    let deadline = Instant::now() + PATIENCE;
    for number in 0.. {
        update(&daemon, number).await;
        let list = daemon.get("/api/v1/clients").await.json();
        if list["clients"].as_array().map(Vec::len) == Some(1) {
            break;
        }
        assert!(Instant::now() < deadline, "it is still there: {list}");
    }
    ping(&mut other).await;
    drop(never);
}

/// A slow client that is owed updates beyond both bounds, and how many they are.
async fn far_behind(policy: &str) -> (Daemon, Client, u64) {
    let more = format!(
        "[websocket]\nslow_client = \"{policy}\"\n[hub]\nclient_buffer = 8\nlog_bytes = \"1GiB\"\n\
         [[collector]]\nplugin = \"gz-monitor\"\ninterval = \"200ms\"\n"
    );
    let daemon = start("1h", &more).await;
    let mut slow = narrow(&daemon).await;
    subscribe(&mut slow, json!({"types": ["task_update"]})).await;
    let count = enough();
    for number in 0..count {
        update(&daemon, number).await;
    }
    (daemon, slow, count)
}

#[tokio::test]
async fn what_is_dropped_for_a_slow_client_is_named() {
    let (_daemon, mut slow, count) = far_behind("drop").await;
    let (mut updates, mut dropped) = (Vec::new(), 0);
    let mut last = None;
    while updates.last() != Some(&(count - 1)) {
        let message = slow.next().await.expect("a message");
        // Every number is that of an update, but for the creation of the task.
        let next = if message["type"] == "gap" {
            let data = shape::reply(&message, "gap");
            assert_eq!(data["reason"], "slow", "{message}");
            let [from, to] = ["from", "to"].map(|name| data[name].as_u64().expect("a number"));
            dropped += to - from + 1;
            (from, to)
        } else {
            updates.push(number(&message).expect("an update"));
            (seq(&message), seq(&message))
        };
        assert!(last.is_none_or(|last| next.0 == last + 1), "{message} after {last:?}");
        last = Some(next.1);
    }
    assert!(dropped > 0 && updates.len() as u64 + dropped == count, "{dropped} of {count}");
}

#[tokio::test]
async fn a_slow_client_is_closed_if_that_is_what_is_wanted() {
    let (daemon, mut slow, count) = far_behind("disconnect").await;
    let mut updates = 0;
    while slow.next().await.is_some() {
        updates += 1;
    }
    assert!(updates < count, "{updates} of {count}");
    until("it is counted", || async {
        let text = daemon.get("/metrics").await.text;
        let codes = "gz_ws_connections_closed_total{code=\"1013\"} 1";
        (text.contains("gz_ws_slow_disconnects_total 1") && text.contains(codes)).then_some(())
    })
    .await;
}
