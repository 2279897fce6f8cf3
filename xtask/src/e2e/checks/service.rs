//! A fresh install: it starts, says when it is ready, answers, and logs.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Check, Theme, installed};
use crate::e2e::patience::until;
use crate::e2e::report::{Checked, Outcome, PASSED};
use crate::e2e::site::{Site, UNIT};

pub const THEME: Theme = Theme {
    name: "service",
    prepare: installed,
    checks: &[
        Check { name: "active-and-enabled", run: active_and_enabled },
        Check { name: "start-to-ready", run: start_to_ready },
        Check { name: "ready-means-collected", run: ready_means_collected },
        Check { name: "status-text", run: status_text },
        Check { name: "rest", run: rest },
        Check { name: "dashboard", run: dashboard },
        Check { name: "websocket", run: websocket },
        Check { name: "journal-fields", run: journal_fields },
        Check { name: "journal-collector", run: journal_collector },
        Check { name: "exposure", run: exposure },
    ],
};

fn active_and_enabled(site: &Site<'_>) -> Checked {
    ensure!(site.run(&["systemctl", "is-active", UNIT])? == "active");
    ensure!(site.run(&["systemctl", "is-enabled", UNIT])? == "enabled");
    ensure!(site.property("User")? == "gz-monitor");
    Ok(PASSED)
}

fn start_to_ready(site: &Site<'_>) -> Checked {
    let micros = |property| -> anyhow::Result<u64> { Ok(site.property(property)?.parse()?) };
    let started = micros("ExecMainStartTimestampMonotonic")?;
    let ready = micros("ActiveEnterTimestampMonotonic")?;
    let took = ready.checked_sub(started).context("ready before it was started")?;
    Ok(Outcome::Passed(format!("{} ms", took / 1000)))
}

/// A collector that takes its time has ended once when `systemctl start` returns.
pub fn ready_means_collected(site: &Site<'_>) -> Checked {
    const CONFIG: &str = "[[collector]]
name = \"late\"
command = [\"/bin/sh\", \"-c\", \"sleep 2; echo late_sample 1\"]
";
    site.configured(CONFIG, || {
        let (ready, samples) = (site.get("/readyz")?, site.samples("late_sample")?);
        ensure!(ready.status == 200, "/readyz answers {}: {}", ready.status, ready.body.trim());
        ensure!(samples.len() == 1, "the late collector has not collected: {samples:?}");
        Ok(PASSED)
    })
}

fn status_text(site: &Site<'_>) -> Checked {
    let text = site.property("StatusText")?;
    for word in ["collectors", "clients", "127.0.0.1:8080"] {
        ensure!(text.contains(word), "no {word:?} in the status {text:?}");
    }
    ensure!(text.starts_with(|first: char| first.is_ascii_digit()), "no number leads {text:?}");
    Ok(Outcome::Passed(text))
}

fn rest(site: &Site<'_>) -> Checked {
    ensure!(site.get("/healthz")?.status == 200);
    let samples = site.samples("node_load1")?;
    ensure!(samples.len() == 1, "node_load1: {samples:?}");
    let metrics = site.get("/metrics")?;
    ensure!(metrics.body.contains("\nnode_load1 "), "no node_load1 in /metrics");
    let status = site.json("/api/v1/status")?;
    ensure!(status["status"] == "healthy", "/api/v1/status: {status}");
    Ok(PASSED)
}

fn dashboard(site: &Site<'_>) -> Checked {
    ensure!(site.get("/")?.status == 302);
    let page = site.get("/dashboard")?;
    ensure!(page.status == 200, "/dashboard answers {}", page.status);
    ensure!(page.body.contains("<!doctype html>"), "/dashboard: {}", page.body);
    Ok(PASSED)
}

fn websocket(site: &Site<'_>) -> Checked {
    let stream = site.websocket()?;
    ensure!(stream.contains("\"type\":\"initial_state\""), "the stream begins with {stream:?}");
    Ok(PASSED)
}

fn journal_fields(site: &Site<'_>) -> Checked {
    let entries = site.journal()?;
    let pid = site.main_pid()?.to_string();
    let ours: Vec<&Value> = entries.iter().filter(|entry| entry["_PID"] == *pid).collect();
    ensure!(!ours.is_empty(), "process {pid} has logged nothing");
    for entry in &ours {
        let (identifier, message) = (&entry["SYSLOG_IDENTIFIER"], &entry["MESSAGE"]);
        ensure!(identifier == "gz-monitor", "{message} is of {identifier}");
        let priority = entry["PRIORITY"].as_str().unwrap_or_default();
        ensure!(
            ["3", "4", "6", "7"].contains(&priority),
            "{message} has a priority of {priority:?}"
        );
        let time = entry["EVENT_TIME"].as_str().unwrap_or_default();
        ensure!(time.ends_with('Z'), "{message} has a time of {time:?}");
    }
    let ready = ours.iter().filter(|entry| entry["MESSAGE_ID"].as_str().is_some_and(is_id128));
    ensure!(ready.count() > 0, "no entry has a MESSAGE_ID of 32 hexadecimal digits");
    Ok(PASSED)
}

fn is_id128(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A failing collector is found by its name, as a warning with an identifier of its own.
fn journal_collector(site: &Site<'_>) -> Checked {
    const CONFIG: &str = "[[collector]]
name = \"failing\"
command = [\"/bin/false\"]
interval = \"200ms\"
";
    let entry = site.configured(CONFIG, || {
        until(|| {
            let argv = ["journalctl", "--unit", UNIT, "--output=json", "COLLECTOR=failing"];
            let lines = site.run(&argv)?;
            let first = lines.lines().next().context("no entry has COLLECTOR=failing")?;
            Ok(serde_json::from_str::<Value>(first)?)
        })
    })?;
    let (message, priority) = (&entry["MESSAGE"], &entry["PRIORITY"]);
    let is_grave = priority == "4" || priority == "3";
    ensure!(is_grave, "{message} has a priority of {priority}");
    ensure!(entry["MESSAGE_ID"].as_str().is_some_and(is_id128), "{message} has no MESSAGE_ID");
    ensure!(entry["PLUGIN"].is_string(), "{message} has no PLUGIN");
    Ok(PASSED)
}

fn exposure(site: &Site<'_>) -> Checked {
    let table = site.run(&["systemd-analyze", "security", "--no-pager", "--threshold=20", UNIT])?;
    let last = table.lines().next_back().unwrap_or_default();
    Ok(Outcome::Passed(last.trim_start_matches("→ ").to_owned()))
}
