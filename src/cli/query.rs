//! `gz-monitor query`: what a running daemon knows of the last while, by PromQL.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::Value;

use super::address::DaemonAddress;
use super::exit::Failure;
use super::local_socket::Target;
use super::plugin_table::WIDTH;
use super::query_table;
use super::request::{self, Asking};
use crate::units::HumanDuration;

/// A step that gives about so many points is what `--step` is by default.
const POINTS: u64 = 240;

const AFTER_HELP: &str = "\
Examples:
  gz-monitor query 'rate(node_cpu_seconds_total[5m])'
  gz-monitor query 'topk(5, node_filesystem_avail_bytes)'
  gz-monitor query --range 1h 'system_memory_used_bytes'";

/// The flags of `query`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// A PromQL expression; docs/query.md has what is supported
    #[arg(value_name = "EXPR")]
    expression: String,
    /// Evaluate it over this time until now, such as 1h, and show the least, mean, greatest and last value
    #[arg(long, value_name = "DURATION")]
    range: Option<HumanDuration>,
    /// Time between two points of the range [default: a 240th of it, a second at least]
    #[arg(long, value_name = "DURATION", requires = "range")]
    step: Option<HumanDuration>,
    /// Evaluate it, or end the range, at this time: RFC 3339, or seconds since 1970 [default: now]
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Print the JSON object that the daemon answers: resultType and result, as Prometheus has them
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let (part, form) = request_of(args)?;
    let target = args.daemon.resolve(file)?;
    let data = request::block_on(ask(&target, part, form))?;
    let mut out = io::stdout().lock();
    if args.json {
        return Ok(writeln!(out, "{data}")?);
    }
    let width = if out.is_terminal() { WIDTH } else { usize::MAX };
    Ok(query_table::print(&mut out, &data, width)?)
}

/// The path below /api/v1, and the form that is sent there.
fn request_of(args: &Args) -> Result<(&'static str, String), Failure> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("query", &args.expression);
    let Some(range) = args.range else {
        if let Some(time) = &args.time {
            form.append_pair("time", time);
        }
        return Ok(("query", form.finish()));
    };
    let end = match &args.time {
        Some(text) => time(text).ok_or_else(|| {
            let hint = "write RFC 3339, such as 2026-11-23T10:00:00Z, or seconds since 1970";
            Failure::Usage(format!("--time {text}: {hint}"))
        })?,
        None => Timestamp::now().as_millisecond() as f64 / 1000.0,
    };
    let step = args
        .step
        .map_or_else(|| (range.as_secs() / POINTS).max(1) as f64, |step| step.as_secs_f64());
    form.append_pair("start", &(end - range.as_secs_f64()).to_string());
    form.append_pair("end", &end.to_string());
    form.append_pair("step", &step.to_string());
    Ok(("query_range", form.finish()))
}

fn time(text: &str) -> Option<f64> {
    let rfc3339 = || text.parse::<Timestamp>().ok();
    text.parse().ok().or_else(|| Some(rfc3339()?.as_millisecond() as f64 / 1000.0))
}

async fn ask(target: &Target, part: &str, form: String) -> anyhow::Result<Value> {
    let response = Asking::post(target, format!("/api/v1/{part}")).form(form).send().await?;
    let (status, mut answer) = (response.status, response.json::<Value>()?);
    match (answer["status"].as_str(), answer["error"].as_str()) {
        (Some("success"), _) => Ok(answer["data"].take()),
        (_, Some(error)) => bail!("{error}"),
        _ => match answer["detail"].as_str() {
            Some(detail) => bail!("the daemon refused: {detail}"),
            None => bail!("the daemon refused: HTTP {status}"),
        },
    }
}
