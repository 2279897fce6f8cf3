//! `gz-monitor alert test`: plays rules over the samples that were kept, and says when they would have
//! fired.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;

use super::{labels, text};
use crate::cli::address::DaemonAddress;
use crate::cli::exit::Failure;
use crate::cli::local_socket::Target;
use crate::cli::request::{self, Asking};
use crate::sample::brief;
use crate::units::HumanDuration;

/// A day of many rules takes a while.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The flags of `alert test`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    since: HumanDuration,
    /// Print what /api/v1/rules/replay answers
    #[arg(long)]
    json: bool,
    /// The ids of rules; all of them, if none is named
    #[arg(value_name = "RULE")]
    rules: Vec<String>,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let replays = request::block_on(ask(&target, args))?;
    let mut out = io::stdout().lock();
    if args.json {
        return Ok(writeln!(out, "{replays}")?);
    }
    let rules = replays["rules"].as_array().cloned().unwrap_or_default();
    if rules.is_empty() {
        writeln!(out, "there are no rules")?;
    }
    rules.iter().try_for_each(|rule| print(&mut out, rule))?;
    Ok(())
}

async fn ask(target: &Target, args: &Args) -> anyhow::Result<Value> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("since", &args.since.as_secs_f64().to_string());
    for rule in &args.rules {
        query.append_pair("rule", rule);
    }
    let path = format!("/api/v1/rules/replay?{}", query.finish());
    let answer = Asking::get(target, path).within(TIMEOUT).send().await?;
    let status = answer.status;
    let mut answer: Value = answer.json()?;
    if status.is_success() {
        return Ok(answer["data"].take());
    }
    match answer["error"].as_str().or(answer["detail"].as_str()) {
        Some(error) => bail!("{error}; `gz-monitor alert test` without a rule tests all"),
        None => bail!("the daemon refused: HTTP {status}"),
    }
}

fn print(out: &mut impl Write, rule: &Value) -> io::Result<()> {
    let (id, firings) = (brief(text(&rule["id"])), rule["firings"].as_array());
    let firings = firings.map(Vec::as_slice).unwrap_or_default();
    let often = match (rule["error"].as_str(), firings.len()) {
        (Some(error), _) => format!("not known: {}", brief(error)),
        (None, 0) => "would not have fired".to_owned(),
        (None, 1) => "would have fired once".to_owned(),
        (None, count) => format!("would have fired {count} times"),
    };
    writeln!(out, "{id} ({}): {often}", text(&rule["severity"]))?;
    for firing in firings {
        let (from, lasted) = (text(&firing["from"]), text(&firing["lasted"]));
        let end = if firing["to"].is_string() { "" } else { " and still would be" };
        let (message, labels) = (brief(text(&firing["message"])), labels(&firing["labels"]));
        writeln!(out, "  {} for {}{end}: {message} {labels}", brief(from), brief(lasted))?;
    }
    Ok(())
}
