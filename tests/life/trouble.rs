//! A collector that hangs, one that fails, and a process that has run out of file descriptors.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpStream;

use crate::support::{Root, daemon, until};
use crate::{collector, until_collected, until_collector};

/// Long enough for a loop that spins to be seen; nothing depends on what is done within it.
const PAUSE: Duration = Duration::from_millis(50);

const QUICK: &str = "interval = \"100ms\"\nbackoff_max = \"200ms\"";

#[tokio::test]
async fn a_collector_that_hangs_delays_no_other() {
    let root = Root::with_load_that_blocks();
    let config = root.config(QUICK) + "[[collector]]\nplugin = \"load\"\ndeadline = \"300ms\"\n";
    let mut daemon = daemon().config(&config).start().await;
    let load = until_collector(&daemon, "load", "hangs", |load| load["state"] == "timed_out").await;
    assert_eq!(load["last_success"], json!(null), "{load}");
    for name in ["cpu", "memory", "system", "gz-monitor"] {
        until_collected(&daemon, name).await;
    }
    assert_eq!(collector(&daemon, "load").await["state"], "timed_out");
    assert_eq!(daemon.get("/readyz").await.status, 200, "it does not keep the rest from use");
    let health = daemon.get("/api/v1/health").await.json();
    assert_eq!(health["status"], "degraded", "{health}");
    let success = "/api/v1/samples?name=gz_collector_success&label=collector=load";
    assert_eq!(daemon.get(success).await.json()["samples"][0]["value"], 0);

    // Neither a reload nor the end waits for it.
    daemon.reload(&config.replace("300ms", "200ms"));
    daemon.until_logged("reloaded changes").await;
    until_collector(&daemon, "load", "hangs again", |load| load["state"] == "timed_out").await;
    daemon.signal("TERM");
    assert_eq!(daemon.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_collector_that_hung_works_again() {
    let root = Root::with_load_that_blocks();
    let config = root.config(QUICK) + "[[collector]]\nplugin = \"load\"\ndeadline = \"300ms\"\n";
    let daemon = daemon().config(&config).start().await;
    until_collector(&daemon, "load", "hangs", |load| load["state"] == "timed_out").await;
    root.mend();
    let load = until_collector(&daemon, "load", "works", |load| load["state"] == "ok").await;
    assert_eq!((&load["error"], &load["samples"]), (&json!(null), &json!(3)), "{load}");
}

#[tokio::test]
async fn a_collector_that_fails_says_why_and_is_left_alone_for_longer_and_longer() {
    let root = Root::without_load();
    let daemon = daemon().config(&root.config("interval = \"100ms\"")).start().await;
    let load = collector(&daemon, "load").await;
    assert_eq!(load["state"], "failing", "{load}");
    let error = load["error"].as_str().expect("an error");
    assert!(error.contains("proc/loadavg: No such file or directory"), "{error}");
    let health = daemon.get("/api/v1/health").await.json();
    let checks = health["checks"].as_array().expect("a list");
    let check = checks.iter().find(|check| check["name"] == "collector load").expect("its check");
    assert_eq!((&check["ok"], &check["message"]), (&json!(false), &json!(error)), "{health}");

    // As many rounds of a collector that works, with the same interval, are the clock.
    let mut client = daemon.websocket().await;
    let filter = json!({"types": ["collector_update"], "collectors": ["memory"]});
    client.ask(json!({"type": "subscribe", "filter": filter}), "subscribed").await;
    for _ in 0..20 {
        client.next_of("collector_update").await;
    }
    let load = collector(&daemon, "load").await;
    let failures = load["consecutive_failures"].as_u64().expect("a number");
    assert!((2..14).contains(&failures), "20 rounds: {load}");
    assert_eq!(load["total_failures"], failures, "{load}");
    root.mend();
    let load = until_collector(&daemon, "load", "works", |load| load["state"] == "ok").await;
    assert_eq!(load["consecutive_failures"], 0, "{load}");
    assert!(load["total_failures"].as_u64() >= Some(failures), "{load}");
    assert_eq!(load["error"], json!(null), "{load}");
}

#[tokio::test]
async fn one_that_fails_too_often_is_broken_until_somebody_restarts_it() {
    let root = Root::without_load();
    let lines = "interval = \"100ms\"\nmax_failures = 3\nbackoff_max = \"1h\"";
    let daemon = daemon().config(&root.config(lines)).start().await;
    let load =
        until_collector(&daemon, "load", "is broken", |load| load["state"] == "broken").await;
    assert_eq!(load["consecutive_failures"], 3, "{load}");
    root.mend();
    let restart = |name| daemon.post_nothing(name);
    assert_eq!(restart("/api/v1/collectors/load/restart").await.status, 202);
    until_collector(&daemon, "load", "works", |load| load["state"] == "ok").await;
    daemon.until_logged("restarted by request").await;
    let unknown = restart("/api/v1/collectors/lod/restart").await;
    assert_eq!((unknown.status, &unknown.json()["code"]), (404, &json!("collector_not_found")));
}

#[tokio::test]
async fn out_of_file_descriptors() {
    let config = format!("[log]\nlevel = \"debug\"\n[collectors]\n{QUICK}");
    let daemon = daemon().config(&config).start().await;
    let mut client = daemon.websocket().await;
    client.next_of("initial_state").await;
    let before = daemon.bound_files(Some(daemon.open_files() + 4));
    let (mut connections, begin) = (Vec::new(), Instant::now());
    for _ in 0..40 {
        connections.push(TcpStream::connect(daemon.address).await.expect("the backlog takes it"));
    }
    daemon.until_logged("cannot accept connections").await;
    // Who is connected is served all the same.
    client.ask(json!({"type": "ping"}), "pong").await;
    let (spent, while_out) = (daemon.cpu_time(), Instant::now());
    for _ in 0..20 {
        client.ask(json!({"type": "ping"}), "pong").await;
        tokio::time::sleep(PAUSE).await;
    }
    // A loop that spins takes a processor; what is done here takes a twentieth of one.
    let spent = daemon.cpu_time().saturating_sub(spent);
    assert!(spent < while_out.elapsed() / 2, "{spent:?} of {:?}", while_out.elapsed());
    drop(connections);
    assert_eq!(daemon.get("/healthz").await.status, 200, "places that were freed are used");
    daemon.bound_files(before);
    until("every collector works", async || {
        let health = daemon.get("/api/v1/health").await.json();
        (health["status"] == "ok").then_some(())
    })
    .await;
    // There is a pause of 100 ms after each attempt that fails, and a minute between warnings.
    let (log, elapsed) = (daemon.log(), begin.elapsed().as_millis() as usize);
    let attempts = log.matches("cannot accept connections").count();
    assert!(attempts <= elapsed / 100 + 2, "{attempts} attempts in {elapsed} ms");
    let warnings = log.matches("WARN cannot accept connections").count();
    assert!(warnings <= elapsed / 60_000 + 1, "{warnings} warnings in {elapsed} ms");
    client.ask(json!({"type": "ping"}), "pong").await;
}
