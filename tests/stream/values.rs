//! The figures are this machine's: compared with /proc, and with what the test did itself.

use std::fs;

use serde_json::Value;

use crate::shape::seconds;
use crate::support::{Client, PATIENCE};
use crate::{connect, create_task, fire, quick, resolve};

/// Takes `system_status` messages until one is as it should be; the state that it should be of is
/// read before and after it arrives, since the machine does not stand still.
async fn until_status(client: &mut Client, what: &str, is_right: impl Fn(&Value) -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let status = client.next_of("system_status").await;
        if is_right(&status["data"]) {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{what}: {status}");
    }
}

/// A line of /proc/meminfo, in bytes.
fn meminfo(name: &str) -> f64 {
    let text = fs::read_to_string("/proc/meminfo").expect("/proc/meminfo");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_else(|| panic!("no {name}")) * 1024.0
}

/// Bytes received and sent over all interfaces but loopback.
fn network() -> [u64; 2] {
    let text = fs::read_to_string("/proc/net/dev").expect("/proc/net/dev");
    let mut total = [0, 0];
    for (name, rest) in text.lines().filter_map(|line| line.split_once(':')) {
        let fields: Vec<u64> = rest.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        if name.trim() != "lo" {
            total = [total[0] + fields[0], total[1] + fields[8]];
        }
    }
    total
}

#[tokio::test]
async fn memory_is_total_less_available() {
    let daemon = quick().await;
    let (mut client, _) = connect(&daemon).await;
    until_status(&mut client, "memory is near /proc/meminfo", |data| {
        let (total, available) = (meminfo("MemTotal"), meminfo("MemAvailable"));
        let used = data["memory_usage"].as_f64().expect("bytes");
        (used - (total - available)).abs() < total / 50.0
    })
    .await;
    let metrics = client.next_of("metrics_update").await;
    let mb = metrics["data"]["memory_usage_mb"].as_f64().expect("a number");
    assert!((mb * 1_048_576.0) < meminfo("MemTotal") && mb > 1.0, "{metrics}");
}

#[tokio::test]
async fn network_is_counted_since_boot_without_loopback() {
    let daemon = quick().await;
    let (mut client, _) = connect(&daemon).await;
    let before = network();
    until_status(&mut client, "network is between two looks at /proc/net/dev", |data| {
        let after = network();
        ["bytes_in", "bytes_out"].iter().zip(before.iter().zip(after)).all(
            |(name, (before, after))| {
                let bytes = data["network_io"][name].as_u64().unwrap_or(0);
                (*before..=after).contains(&bytes)
            },
        )
    })
    .await;
}

#[tokio::test]
async fn processors_are_measured() {
    let daemon = quick().await;
    let (mut client, _) = connect(&daemon).await;
    // The tests keep this machine busy.
    until_status(&mut client, "processors are in use", |data| {
        data["cpu_usage"].as_f64().is_some_and(|percent| percent > 0.0)
    })
    .await;
}

#[tokio::test]
async fn uptime_is_the_daemon_s_and_grows() {
    let daemon = quick().await;
    let (mut client, initial) = connect(&daemon).await;
    let uptime = |data: &Value| seconds(data["uptime"].as_str().expect("text")).expect("duration");
    let first = uptime(&initial["data"]["system_status"]);
    let mut last = first;
    while last < first + 1.0 {
        let status = client.next_of("system_status").await;
        let now = uptime(&status["data"]);
        assert!(now >= last && now < 600.0, "{now} after {last}");
        last = now;
    }
}

#[tokio::test]
async fn requests_and_tasks_are_counted() {
    let daemon = quick().await;
    let (mut client, _) = connect(&daemon).await;
    let before = client.next_of("system_status").await["data"]["total_requests"].clone();
    let before = before.as_u64().expect("a number");
    for id in ["a", "b", "c"] {
        create_task(&daemon, id).await;
    }
    for _ in 0..7 {
        assert_eq!(daemon.get("/no/such/path").await.status, 404);
    }
    // The first figure may be from before the handshake and a last look whether it was ready.
    until_status(&mut client, "ten requests more, three tasks", |data| {
        let more = data["total_requests"].as_u64().expect("a number") - before;
        (10..=12).contains(&more) && data["active_tasks"] == 3
    })
    .await;
    let metrics = client.next_of("metrics_update").await;
    let data = &metrics["data"];
    assert_eq!((&data["error_rate"], &data["active_tasks"]), (&0.0.into(), &3.into()));
    let mean = seconds(data["avg_response_time"].as_str().expect("text")).expect("a duration");
    assert!(mean > 0.0, "{metrics}");
}

#[tokio::test]
async fn alerts_make_the_status() {
    let daemon = quick().await;
    let (mut client, initial) = connect(&daemon).await;
    assert_eq!(initial["data"]["system_status"]["status"], "healthy");
    let mut alerts = Vec::new();
    for (rule, severity, expected) in [
        ("a", "info", "healthy"),
        ("b", "low", "healthy"),
        ("c", "medium", "warning"),
        ("d", "critical", "critical"),
        // The same rule again: it is no worse than this now.
        ("d", "high", "warning"),
    ] {
        alerts.push(fire(&daemon, rule, severity).await);
        client.next_of("alert").await;
        let status = client.next_of("system_status").await;
        assert_eq!(status["data"]["status"], expected, "after {rule} fired as {severity}");
    }
    for (index, expected) in [(2, "warning"), (3, "healthy")] {
        resolve(&daemon, &alerts[index]).await;
        client.next_of("alert").await;
        let status = client.next_of("system_status").await;
        assert_eq!(status["data"]["status"], expected, "after {index} was resolved");
    }
}
