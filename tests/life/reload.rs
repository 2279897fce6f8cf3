//! SIGHUP: what changed is applied, everything else goes on, and a bad file changes nothing.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::{Daemon, Root, daemon, until};
use crate::{collector, until_collected, until_collector};

async fn is_exposed(daemon: &Daemon, metric: &str) -> bool {
    let text = daemon.get("/metrics").await.text;
    text.lines().any(|line| line.starts_with(metric))
}

async fn until_interval(daemon: &Daemon, name: &str, interval: &str) {
    let what = format!("has the interval {interval}");
    until_collector(daemon, name, &what, |collector| collector["interval"] == interval).await;
}

#[tokio::test]
async fn only_the_collector_that_changed_starts_anew() {
    let root = Root::without_load();
    let config = |interval: &str| {
        let load = "[[collector]]\nplugin = \"load\"\ninterval = \"1h\"\n";
        let memory = format!("[[collector]]\nplugin = \"memory\"\ninterval = \"{interval}\"\n");
        root.config("") + load + &memory
    };
    let daemon = daemon().config(&config("1h")).start().await;
    // The second reading of a collector follows its first by a second; the third, by an hour.
    let failed_twice = |load: &Value| load["total_failures"] == 2;
    let load = until_collector(&daemon, "load", "fails twice", failed_twice).await;

    daemon.reload(&config("200ms"));
    daemon.until_logged("reloaded changes=collector[memory].interval 1h -> 200ms").await;
    until_interval(&daemon, "memory", "200ms").await;
    until_collected(&daemon, "memory").await;
    assert_eq!(collector(&daemon, "load").await, load, "it has not even collected");
    let tried = daemon.log().matches("collection failed collector=\"load\"").count();
    assert_eq!(tried, 2, "{}", daemon.log());
    assert!(is_exposed(&daemon, "node_cpu_seconds_total{").await);
}

#[tokio::test]
async fn a_collector_is_switched_off_and_on() {
    let daemon = daemon().start().await;
    assert!(is_exposed(&daemon, "node_load1 ").await);
    daemon.reload("[[collector]]\nplugin = \"load\"\nenabled = false");
    until("its series are gone", async || {
        (!is_exposed(&daemon, "node_load1 ").await).then_some(())
    })
    .await;
    assert_eq!(collector(&daemon, "load").await, json!(null));
    assert!(is_exposed(&daemon, "node_memory_MemTotal_bytes ").await);
    daemon.reload("[[collector]]\nplugin = \"load\"\nlabels = { rack = \"7\" }");
    until("its series are back, and labelled", async || {
        is_exposed(&daemon, "node_load1{rack=\"7\"} ").await.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_new_address_serves_and_clients_of_the_old_one_live_on() {
    let mut daemon = daemon().config("[server]\nport = 0").port_from_config().start().await;
    let old = daemon.address;
    let mut client = daemon.websocket().await;
    client.next_of("initial_state").await;
    daemon.reload("[server]\nport = 0\nhost = \"127.0.0.2\"");
    let text = "listening on a new address address=";
    daemon.until_logged(text).await;
    let new: SocketAddr = until("the line is whole", async || {
        daemon.log().split(text).nth(1)?.lines().next()?.trim().parse().ok()
    })
    .await;
    assert_eq!(new.ip().to_string(), "127.0.0.2");
    until("the old address is closed", async || tokio::net::TcpStream::connect(old).await.err())
        .await;
    client.ask(json!({"type": "ping"}), "pong").await;
    daemon.address = new;
    assert_eq!(daemon.post("/api/v1/tasks", json!({"name": "x"})).await.status, 201);
    assert_eq!(client.next_of("task_update").await["data"]["name"], "x");
    let clients = daemon.get("/api/v1/clients").await.json();
    assert_eq!(clients["clients"].as_array().map(Vec::len), Some(1), "{clients}");
}

#[tokio::test]
async fn the_log_level() {
    let config = |level: &str, interval: &str| {
        format!("[log]\nlevel = \"{level}\"\n[collectors]\ninterval = \"{interval}\"")
    };
    let connections = async |daemon: &Daemon, expected: usize| {
        daemon.websocket().await.next_of("initial_state").await;
        // The line is written by a thread of its own.
        let what = format!("{expected} lines tell of connections");
        until(&what, async || {
            (daemon.log().matches("client connected").count() == expected).then_some(())
        })
        .await;
    };
    let daemon = daemon().config(&config("error", "1s")).start().await;
    connections(&daemon, 0).await;
    assert_eq!(daemon.log(), "");
    for (level, interval, expected) in [("debug", "2s", 1), ("info", "3s", 1), ("trace", "4s", 2)] {
        daemon.reload(&config(level, interval));
        until_interval(&daemon, "load", interval).await;
        connections(&daemon, expected).await;
    }
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_every_mistake_is_named() {
    let good = "[collectors]\ninterval = \"1s\"\n";
    let daemon = daemon().config(good).start().await;
    daemon
        .reload("[server]\nprot = 1\n[collectors]\ninterval = \"1ms\"\n[log]\nlevel = \"loud\"\n");
    for mistake in [":2: server.prot: ", ":4: collectors.interval: ", ":6: log.level: "] {
        daemon.until_logged(mistake).await;
    }
    daemon.reload("[server\n");
    daemon.until_logged(":1: syntax error").await;
    std::fs::remove_file(daemon.path().join("gz-monitor.toml")).expect("removed");
    daemon.signal("HUP");
    daemon.until_logged("no such file").await;
    assert_eq!(collector(&daemon, "load").await["interval"], "1s");
    assert!(!daemon.log().contains("reloaded changes"), "{}", daemon.log());
    daemon.reload(good);
    daemon.until_logged("nothing has changed").await;
    daemon.reload("[collectors]\ninterval = \"2s\"\n");
    until_interval(&daemon, "load", "2s").await;
}

#[tokio::test]
async fn a_port_that_is_taken_changes_nothing() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let config = |port: u16, interval: &str| {
        format!("[server]\nport = {port}\n[collectors]\ninterval = \"{interval}\"\n")
    };
    let daemon = daemon().config(&config(0, "1s")).port_from_config().start().await;
    daemon.reload(&config(port, "2s"));
    daemon.until_logged(&format!("cannot listen on 127.0.0.1:{port}")).await;
    assert_eq!(collector(&daemon, "load").await["interval"], "1s");
    daemon.reload(&config(0, "3s"));
    until_interval(&daemon, "load", "3s").await;
}

#[tokio::test]
async fn many_reloads_in_a_row() {
    let daemon = daemon().start().await;
    let mut client = daemon.websocket().await;
    for round in 1..=20 {
        daemon.reload(&format!("[[collector]]\nplugin = \"load\"\ninterval = \"{round}s\""));
    }
    until_interval(&daemon, "load", "20s").await;
    client.ask(json!({"type": "ping"}), "pong").await;
    daemon.until_ready().await;
}
