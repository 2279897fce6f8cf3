//! Libraries from plugin folders: found, run, replaced, refused, and kept from doing harm.

#[path = "../support/mod.rs"]
mod support;

mod check;
mod document;
mod faults;
mod folder;
mod found;
mod refused;
mod uptime;

use std::fs;

use serde_json::Value;
use support::{Builder, Daemon, daemon, until};

use folder::{Folder, text};

/// What makes a test quick: short intervals, and no long waits after failures.
const QUICK: &str =
    "[plugins]\nrescan = \"100ms\"\n[collectors]\ninterval = \"100ms\"\nbackoff_max = \"200ms\"\n";

/// A daemon with a plugin folder, and more configuration than [`QUICK`].
fn with_plugins(folder: &Folder, config: &str) -> Builder {
    let builder = daemon().config(&format!("{QUICK}{config}"));
    builder.argument("--plugin-dir").argument(text(&folder.path()))
}

/// What the daemon says of one collector; null if it has none of this name.
async fn collector(daemon: &Daemon, name: &str) -> Value {
    let all = daemon.get("/api/v1/collectors").await.json();
    let all = all["collectors"].as_array().expect("a list");
    all.iter().find(|collector| collector["name"] == name).cloned().unwrap_or_default()
}

/// Waits until what the daemon says of a collector is as wanted, and returns it.
async fn until_collector(
    daemon: &Daemon,
    name: &str,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    until(&format!("collector {name} {what}"), async || {
        Some(collector(daemon, name).await).filter(&wanted)
    })
    .await
}

/// Waits until a collector has succeeded once more than now.
async fn until_collected(daemon: &Daemon, name: &str) {
    let before = collector(daemon, name).await["last_success"].clone();
    let is_later = |now: &Value| now["last_success"] != before && now["state"] == "ok";
    until_collector(daemon, name, "succeeds again", is_later).await;
}

/// The values of a metric with a label `KEY=VALUE`, or of all of it without one.
async fn values(daemon: &Daemon, name: &str, label: &str) -> Vec<f64> {
    let label = if label.is_empty() { String::new() } else { format!("&label={label}") };
    let path = format!("/api/v1/samples?name={name}{label}");
    let answer = daemon.get(&path).await.json();
    let samples = answer["samples"].as_array().cloned().unwrap_or_default();
    samples.iter().filter_map(|sample| sample["value"].as_f64()).collect()
}

/// Waits for a metric to have this value and no other.
async fn until_value(daemon: &Daemon, name: &str, label: &str, value: f64) {
    until(&format!("{name}{{{label}}} is {value}"), async || {
        (values(daemon, name, label).await == [value]).then_some(())
    })
    .await;
}

/// The children of a daemon that run libraries: process and command line.
fn children(daemon: &Daemon) -> Vec<(u32, String)> {
    let parent = format!("PPid:\t{}\n", daemon.pid());
    let entries = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mine = processes.filter(|pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|text| text.contains(&parent))
    });
    let named = mine.filter_map(|pid| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        line.contains("plugin-host").then(|| (pid, line.replace('\0', " ").trim().to_owned()))
    });
    named.collect()
}

/// Whether a process has ended; one that nobody has waited for yet has.
fn has_ended(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}
