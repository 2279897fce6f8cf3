//! Libraries from plugin folders: found, run, replaced, refused, and kept from doing harm.

#[path = "../support/mod.rs"]
mod support;

mod absent;
mod check;
mod document;
mod endings;
mod faults;
mod folder;
mod found;
mod lent;
mod list;
mod refused;
mod reload;
mod shipped;
mod stamped;
mod uptime;

use std::fs;

use support::{Builder, Daemon, collector, daemon, until, until_collected, until_collector};

use folder::{Folder, text};

/// What makes a test quick: short intervals, and no long waits after failures.
const QUICK: &str =
    "[plugins]\nrescan = \"100ms\"\n[collectors]\ninterval = \"100ms\"\nbackoff_max = \"200ms\"\n";

/// A daemon with a plugin folder, and more configuration than [`QUICK`].
fn with_plugins(folder: &Folder, config: &str) -> Builder {
    let builder = daemon().config(&format!("{QUICK}{config}"));
    builder.argument("--plugin-dir").argument(text(&folder.path()))
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
