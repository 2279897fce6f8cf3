//! `gz-monitor alert explain`: all that is known of one alert.

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{labels, text};
use crate::api;
use crate::cli::address::DaemonAddress;
use crate::cli::exit::Failure;
use crate::cli::local_socket::Target;
use crate::cli::request::{self, Asking};
use crate::sample::brief;

/// Samples that are shown, and how long before the alert they begin.
const SAMPLES: i64 = 20;
const BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// The flags of `alert explain`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// The alert's id
    id: String,
    /// Print one JSON object: alert, rule, samples and notifications, as the daemon answers them
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let all = request::block_on(fetch(&target, &args.id))?;
    let mut out = io::stdout().lock();
    if args.json {
        return Ok(writeln!(out, "{all}")?);
    }
    print(&mut out, &all)?;
    Ok(())
}

async fn fetch(target: &Target, id: &str) -> anyhow::Result<Value> {
    let alert: Value = Asking::get(target, api::alert_path(id)).send().await?.accepted()?.json()?;
    let rules = request::get(target, "rules").await?;
    let groups = rules["data"]["groups"].as_array().into_iter().flatten();
    let mut rules = groups.filter_map(|group| group["rules"].as_array()).flatten();
    let rule = rules.find(|rule| rule["id"] == alert["rule_id"]).cloned().unwrap_or_default();
    let samples = match rule["compared"].as_str() {
        Some(compared) => samples(target, compared, &alert).await?,
        None => Value::Null,
    };
    let told = request::get(target, &format!("notifications?alert={}", text(&alert["id"]))).await?;
    let told = &told["notifications"];
    Ok(json!({ "alert": alert, "rule": rule, "samples": samples, "notifications": told }))
}

/// What the rule compares, around the time of the alert: the series whose labels are the alert's.
async fn samples(target: &Target, compared: &str, alert: &Value) -> anyhow::Result<Value> {
    let at = |key: &str| alert[key].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let now = Timestamp::now();
    let Some(start) = at("starts_at").and_then(|start| start.checked_sub(BEFORE).ok()) else {
        return Ok(Value::Null);
    };
    let end = at("ends_at").unwrap_or(now).max(start);
    let step = (end.duration_since(start).as_secs() / SAMPLES).max(1);
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("query", compared);
    form.append_pair("start", &start.to_string());
    form.append_pair("end", &end.to_string());
    form.append_pair("step", &step.to_string());
    let path = "/api/v1/query_range";
    let answer: Value = Asking::post(target, path).form(form.finish()).send().await?.json()?;
    let series = answer["data"]["result"].as_array().into_iter().flatten();
    let is_its = |series: &&Value| {
        let labels = series["metric"].as_object().into_iter().flatten();
        labels
            .filter(|(name, _)| *name != "__name__")
            .all(|(name, value)| alert["labels"].get(name).is_some_and(|label| label == value))
    };
    Ok(series.filter(is_its).cloned().collect())
}

fn print(out: &mut impl Write, all: &Value) -> io::Result<()> {
    let (alert, rule) = (&all["alert"], &all["rule"]);
    let mut line = |name: &str, text: &str| writeln!(out, "{name:<14}{}", brief(text));
    line("alert", text(&alert["id"]))?;
    line("rule", &format!("{} ({})", text(&alert["rule_name"]), text(&alert["rule_id"])))?;
    line("status", &format!("{}, {}", text(&alert["status"]), text(&alert["severity"])))?;
    line("message", text(&alert["message"]))?;
    line("labels", &labels(&alert["labels"]))?;
    line("since", text(&alert["starts_at"]))?;
    for key in ["ends_at", "silenced_by"] {
        if let Some(text) = alert[key].as_str() {
            line(key, text)?;
        }
    }
    if let Some(by) = alert["acknowledgement"]["by"].as_str() {
        let (comment, at) =
            (text(&alert["acknowledgement"]["comment"]), text(&alert["acknowledgement"]["at"]));
        line("acknowledged", &format!("by {by} at {at}: {comment}"))?;
    }
    for key in ["query", "resolve", "lastError"] {
        if let Some(text) = rule[key].as_str() {
            line(key, text)?;
        }
    }
    for (name, value) in alert["annotations"].as_object().into_iter().flatten() {
        line(name, text(value))?;
    }
    writeln!(out, "\nchanges")?;
    for change in alert["transitions"].as_array().into_iter().flatten() {
        let (at, status) = (brief(text(&change["at"])), text(&change["status"]));
        let value = change["value"].as_f64().map(|value| format!(" at {value}"));
        let cause = brief(text(&change["cause"]));
        writeln!(out, "  {at}  {status:<8}  {cause}{}", value.unwrap_or_default())?;
    }
    notifications(out, &all["notifications"])?;
    let series = all["samples"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(compared) = rule["compared"].as_str().filter(|_| !series.is_empty()) {
        writeln!(out, "\nvalues of {}", brief(compared))?;
    }
    for pair in series.iter().filter_map(|one| one["values"].as_array()).flatten() {
        let at = pair[0].as_f64().map(|seconds| (seconds * 1000.0) as i64).unwrap_or_default();
        let at = Timestamp::from_millisecond(at).map(|at| at.to_string()).unwrap_or_default();
        writeln!(out, "  {at:<24}  {}", brief(text(&pair[1])))?;
    }
    Ok(())
}

/// Who was told of it, or is to be, oldest first.
fn notifications(out: &mut impl Write, told: &Value) -> io::Result<()> {
    let told = told.as_array().map(Vec::as_slice).unwrap_or_default();
    if !told.is_empty() {
        writeln!(out, "\nnotifications")?;
    }
    for one in told.iter().rev() {
        let (at, kind, state) = (text(&one["created_at"]), text(&one["kind"]), text(&one["state"]));
        let (channel, answer) = (text(&one["channel"]), brief(text(&one["answer"])));
        writeln!(out, "  {at}  {kind:<10}  {state:<7}  {channel}: {answer}")?;
    }
    Ok(())
}
