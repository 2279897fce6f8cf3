//! Programs as collectors, in a real daemon: what they deliver, and that no fault of theirs is felt by
//! anything else.

#[path = "../support/mod.rs"]
mod support;

mod counters;
mod crashes;
mod doctor;
mod examples;
mod floods;
mod hangs;
mod lent;
mod life;
mod modes;
mod nonsense;
mod stamped;
mod surroundings;

use std::fs;

use serde_json::Value;
use support::{Daemon, collector, until, until_collected, until_collector};

/// Observed and observer at a quick pace, the others at a slow one.
const PACE: &str = "
[collectors]
interval = \"2s\"
deadline = \"10s\"
backoff_max = \"300ms\"
[[collector]]
plugin = \"gz-monitor\"
interval = \"100ms\"
[[collector]]
plugin = \"load\"
interval = \"100ms\"
";

/// An entry that runs a script; `keys` are of the entry, and then of its configuration.
fn sh(name: &str, script: &str, keys: &str) -> String {
    entry(name, &["/bin/sh", "-c", script], keys)
}

fn entry(name: &str, command: &[&str], keys: &str) -> String {
    let command = command.iter().map(|argument| format!("'''{argument}'''"));
    let command = command.collect::<Vec<_>>().join(", ");
    let pace = if keys.contains("interval") { "" } else { "interval = \"100ms\"\n" };
    format!("[[collector]]\nname = \"{name}\"\ncommand = [{command}]\n{pace}{keys}\n")
}

async fn until_ok(daemon: &Daemon, name: &str) -> Value {
    until_collector(daemon, name, "works", |collector| collector["state"] == "ok").await
}

/// The value of a series of `/metrics`, written as it is there.
async fn metric(daemon: &Daemon, series: &str) -> Option<f64> {
    let text = daemon.get("/metrics").await.text;
    let values = text.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    values.map(|value| value.parse().expect("a number")).next()
}

/// Waits until a series has a value that is as wanted.
async fn until_metric(daemon: &Daemon, series: &str, wanted: impl Fn(f64) -> bool) -> f64 {
    until(&format!("{series} is as wanted"), async || {
        metric(daemon, series).await.filter(|value| wanted(*value))
    })
    .await
}

/// Waits until a collector has failed with this error. The list, `/metrics` and the log say the same,
/// and the collectors beside it go on.
async fn until_failed(daemon: &Daemon, name: &str, error: &str) {
    let says = |collector: &Value| {
        let text = collector["error"].as_str().unwrap_or_default();
        collector["state"] == "failing" && text.contains(error)
    };
    until_collector(daemon, name, &format!("fails with {error:?}"), says).await;
    until_metric(daemon, &format!("gz_collector_success{{collector=\"{name}\"}}"), |v| v == 0.0)
        .await;
    let failures = format!("gz_collector_failures_total{{collector=\"{name}\"}}");
    until_metric(daemon, &failures, |failures| failures >= 1.0).await;
    let line = format!("collection failed collector=\"{name}\"");
    until(&format!("the log says {error:?} of {name}"), async || {
        daemon.log().lines().find(|l| l.contains(&line) && l.contains(error)).map(drop)
    })
    .await;
    until_collected(daemon, "load").await;
}

/// The processes that have a variable of this value in their environment, the daemon not counted.
fn processes(daemon: u32, variable: &str) -> Vec<u32> {
    let all = fs::read_dir("/proc").expect("/proc").filter_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let is_marked =
            environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes());
        (is_marked && pid != daemon).then_some(pid)
    });
    all.collect()
}

/// Whether a tool is there. Without it a test is passed over, but not where everything is to be tested.
fn has_tool(path: &str) -> bool {
    let is_there = fs::exists(path).expect("a path");
    assert!(is_there || std::env::var_os("CI").is_none(), "{path} is missing");
    is_there
}
