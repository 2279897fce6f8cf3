//! `gz-monitor status`: how a running daemon and its host are.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::runtime;

use super::address::DaemonAddress;
use super::exit::Failure;
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
    let url = args.daemon.resolve(file)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let all = runtime.block_on(fetch(&url))?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{all}")?;
    } else {
        print(&mut out, &url, &all)?;
    }
    Ok(())
}

async fn fetch(url: &str) -> anyhow::Result<Value> {
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(10)).build()?;
    let mut all = json!({});
    for part in ["status", "metrics", "health", "alerts", "collectors"] {
        let address = format!("{url}/api/v1/{part}");
        let response = match client.get(&address).send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                bail!("no daemon answers at {url}; start one with `gz-monitor server`")
            }
            Err(error) => return Err(error).context(format!("cannot ask {address}")),
        };
        let answer = response.error_for_status().context("the daemon refused")?;
        let answer: Value = answer
            .json()
            .await
            .context(format!("{address} does not answer as a gz-monitor does"))?;
        // Lists come as an object with one member of the same name.
        all[part] = answer.get(part).filter(|list| list.is_array()).unwrap_or(&answer).clone();
    }
    Ok(all)
}

fn print(out: &mut impl Write, url: &str, all: &Value) -> io::Result<()> {
    let (status, metrics) = (&all["status"], &all["metrics"]);
    let percent =
        |value: &Value| value.as_f64().map_or("-".into(), |number| format!("{number:.1} %"));
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let memory = status["memory_usage"].as_u64();
    let memory = memory.map_or("-".to_owned(), |bytes| ByteSize(bytes).approximate());
    writeln!(
        out,
        "{:<12}{} (daemon up {}, {url})",
        "status",
        text(&status["status"]),
        text(&status["uptime"])
    )?;
    writeln!(out, "{:<12}{}", "cpu", percent(&status["cpu_usage"]))?;
    writeln!(out, "{:<12}{memory}", "memory")?;
    writeln!(out, "{:<12}{}", "disk", percent(&status["disk_usage"]))?;
    writeln!(out, "{:<12}{}", "tasks", status["active_tasks"])?;
    writeln!(
        out,
        "{:<12}{} requests, {} errors, {} on average",
        "http",
        metrics["total_requests"],
        percent(&metrics["error_rate"]),
        text(&metrics["avg_response_time"])
    )?;
    let list = |name: &str| all[name].as_array().cloned().unwrap_or_default();
    for alert in list("alerts").iter().filter(|alert| alert["status"] == "firing") {
        let (severity, message) = (text(&alert["severity"]), text(&alert["message"]));
        writeln!(
            out,
            "{:<12}{severity}: {message} (since {})",
            "alert",
            text(&alert["starts_at"])
        )?;
    }
    for collector in list("collectors").iter().filter(|collector| collector["state"] != "ok") {
        let (name, state) = (text(&collector["name"]), text(&collector["state"]));
        writeln!(out, "{:<12}{name} is {state}: {}", "collector", text(&collector["error"]))?;
    }
    Ok(())
}
