//! `gz-monitor status`: how a running daemon and its host are.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::address::DaemonAddress;
use super::exit::Failure;
use super::local_socket::Target;
use super::request;
use crate::units::ByteSize;

/// The flags of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// Print one JSON object: what /api/v1/status, metrics, health, alerts and collectors answer
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let all = request::block_on(fetch(&target))?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{all}")?;
    } else {
        print(&mut out, &target, &all)?;
    }
    Ok(())
}

async fn fetch(target: &Target) -> anyhow::Result<Value> {
    let mut all = json!({});
    for part in ["status", "metrics", "health", "alerts", "collectors"] {
        let answer = request::get(target, part).await?;
        // Lists come as an object with one member of the same name.
        all[part] = answer.get(part).filter(|list| list.is_array()).unwrap_or(&answer).clone();
    }
    Ok(all)
}

fn print(out: &mut impl Write, target: &Target, all: &Value) -> io::Result<()> {
    let (status, metrics, io) = (&all["status"], &all["metrics"], &all["status"]["network_io"]);
    let mut line = |label: &str, text: String| writeln!(out, "{label:<12}{text}");
    let (state, uptime) = (text(&status["status"]), text(&status["uptime"]));
    line("status", format!("{state} (daemon up {uptime}, {target})"))?;
    line("cpu", percent(&status["cpu_usage"]))?;
    line("memory", bytes(&status["memory_usage"]))?;
    line("disk", percent(&status["disk_usage"]))?;
    let (received, sent) = (bytes(&io["bytes_in"]), bytes(&io["bytes_out"]));
    line("network", format!("{received} in, {sent} out since boot"))?;
    line("tasks", format!("{} active", status["active_tasks"]))?;
    let (errors, time) = (percent(&metrics["error_rate"]), text(&metrics["avg_response_time"]));
    line("http", format!("{} requests, {errors} errors, {time} each", metrics["total_requests"]))?;
    let list = |name: &str| all[name].as_array().cloned().unwrap_or_default();
    let collectors = list("collectors");
    let count = |state| collectors.iter().filter(|collector| collector["state"] == state).count();
    let (ok, absent) = (count("ok"), count("absent"));
    let rest = if absent > 0 { format!(", {absent} absent") } else { String::new() };
    line("collectors", format!("{ok} of {} ok{rest}", collectors.len() - absent))?;
    for collector in collectors.iter().filter(|collector| collector["state"] != "ok") {
        line("", collector_line(collector))?;
    }
    for collector in collectors.iter().filter(|one| one["counter_resets"].as_u64() > Some(0)) {
        let (name, series) = (text(&collector["name"]), text(&collector["last_reset"]));
        let count = &collector["counter_resets"];
        line("", format!("{name}: {count} counters went down, the last is {series}"))?;
    }
    for collector in collectors.iter().filter(|one| one["last_rejected"].is_object()) {
        let (name, last) = (text(&collector["name"]), &collector["last_rejected"]);
        let (message, at) = (text(&last["message"]), text(&last["timestamp"]));
        line("", format!("{name}: samples refused at {at}: {message}"))?;
    }
    for alert in list("alerts").iter().filter(|alert| alert["status"] == "firing") {
        let (severity, name) = (text(&alert["severity"]), text(&alert["rule_name"]));
        let (message, since) = (text(&alert["message"]), text(&alert["starts_at"]));
        line("alert", format!("{severity}: {name}: {message} (since {since})"))?;
    }
    Ok(())
}

fn collector_line(collector: &Value) -> String {
    let (name, state) = (text(&collector["name"]), text(&collector["state"]));
    match collector["error"].as_str().or(collector["reason"].as_str()) {
        Some(error) => format!("{name} is {state}: {error}"),
        None => format!("{name} is {state}"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn percent(value: &Value) -> String {
    value.as_f64().map_or("-".to_owned(), |number| format!("{number:.1} %"))
}

fn bytes(value: &Value) -> String {
    value.as_u64().map_or("-".to_owned(), |bytes| ByteSize(bytes).approximate())
}
