//! `gz-monitor alert list`.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::Value;

use super::text;
use crate::cli::address::DaemonAddress;
use crate::cli::exit::Failure;
use crate::cli::request;
use crate::sample::brief;

/// The flags of `alert list`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// Those that are resolved as well
    #[arg(long)]
    all: bool,
    /// Print one JSON object: what /api/v1/alerts answers, with or without those that are resolved
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let mut answer = request::block_on(request::get(&target, "alerts"))?;
    let mut alerts = answer["alerts"].as_array_mut().map(std::mem::take).unwrap_or_default();
    alerts.retain(|alert| args.all || alert["status"] != "resolved");
    alerts.sort_by(|a, b| text(&b["starts_at"]).cmp(text(&a["starts_at"])));
    let mut out = io::stdout().lock();
    if args.json {
        answer["alerts"] = alerts.into();
        return Ok(writeln!(out, "{answer}")?);
    }
    Ok(table(&mut out, &alerts)?)
}

fn table(out: &mut impl Write, alerts: &[Value]) -> io::Result<()> {
    if alerts.is_empty() {
        return writeln!(out, "no alerts");
    }
    let (id, status, since) = ("ID", "STATUS", "SINCE");
    writeln!(out, "{id:<18}  {status:<8}  {:<8}  {since:<24}  MESSAGE", "SEVERITY")?;
    for alert in alerts {
        let (id, since) = (brief(text(&alert["id"])), brief(text(&alert["starts_at"])));
        let (status, severity) = (text(&alert["status"]), text(&alert["severity"]));
        let (name, message) = (brief(text(&alert["rule_name"])), brief(text(&alert["message"])));
        let said = if message == name { name } else { format!("{name}: {message}") };
        let taken = alert["acknowledgement"]["by"].as_str();
        let taken = taken.map(|by| format!(" (taken on by {})", brief(by))).unwrap_or_default();
        writeln!(out, "{id:<18}  {status:<8}  {severity:<8}  {since:<24}  {said}{taken}")?;
    }
    Ok(())
}
