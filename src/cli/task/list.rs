//! `gz-monitor task list` and `task show`.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::api;
use crate::cli::address::DaemonAddress;
use crate::cli::exit::Failure;
use crate::cli::local_socket::Target;
use crate::cli::request::{self, Asking};
use crate::sample::brief;
use crate::units::HumanDuration;

/// The flags of `task list`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// Those that have ended as well
    #[arg(long)]
    all: bool,
    /// Print one JSON object: what /api/v1/tasks answers, with or without those that have ended
    #[arg(long)]
    json: bool,
}

/// The flags of `task show`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ShowArgs {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// The task's id
    id: String,
    /// Print what /api/v1/tasks/ID answers
    #[arg(long)]
    json: bool,
}

pub(super) fn list(args: &ListArgs, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let mut answer = request::block_on(request::get(&target, "tasks"))?;
    let mut tasks = answer["tasks"].as_array_mut().map(std::mem::take).unwrap_or_default();
    tasks.retain(|task| args.all || task.get("end_time").is_none());
    tasks.sort_by(|a, b| text(&a["start_time"]).cmp(text(&b["start_time"])));
    let mut out = io::stdout().lock();
    if args.json {
        answer["tasks"] = tasks.into();
        return Ok(writeln!(out, "{answer}")?);
    }
    Ok(table(&mut out, &tasks)?)
}

pub(super) fn show(args: &ShowArgs, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let task = request::block_on(ask(Method::GET, &target, &args.id, ""))?;
    let mut out = io::stdout().lock();
    if args.json {
        return Ok(writeln!(out, "{task}")?);
    }
    for (name, value) in task.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => writeln!(out, "{name:<16}{}", brief(text))?,
            Value::Object(members) => {
                for (key, value) in members {
                    print_detail(&mut out, key, value)?;
                }
            }
            other => writeln!(out, "{name:<16}{other}")?,
        }
    }
    Ok(())
}

/// What the daemon answers about one task.
///
/// # Errors
/// What it says is wrong, or that it does not answer.
pub(super) async fn ask(
    method: Method,
    target: &Target,
    id: &str,
    rest: &str,
) -> anyhow::Result<Value> {
    let path = format!("{}{rest}", api::task_path(id));
    let response = Asking::new(method, target, path).send().await?;
    let status = response.status;
    let answer: Value = response.json().unwrap_or_default();
    match (status.is_success(), answer["detail"].as_str()) {
        (true, _) => Ok(answer),
        (false, Some(detail)) => {
            bail!("{detail}; `gz-monitor task list --all` names those there are")
        }
        (false, None) => bail!("the daemon refused: HTTP {status}"),
    }
}

fn print_detail(out: &mut impl Write, key: &str, value: &Value) -> io::Result<()> {
    let key = brief(key);
    match value {
        // Lines of output, one below the other.
        Value::Array(lines) if lines.iter().all(Value::is_string) => {
            writeln!(out, "  {key}")?;
            lines.iter().try_for_each(|line| writeln!(out, "    {}", brief(text(line))))
        }
        Value::String(text) => writeln!(out, "  {key:<14}{}", brief(text)),
        other => writeln!(out, "  {key:<14}{}", brief(&other.to_string())),
    }
}

fn table(out: &mut impl Write, tasks: &[Value]) -> io::Result<()> {
    if tasks.is_empty() {
        return writeln!(out, "no tasks");
    }
    let width = tasks.iter().map(|task| brief(text(&task["id"])).chars().count()).max();
    let width = width.unwrap_or_default().max(2);
    writeln!(out, "{:<width$}  {:<9}  {:>5}  {:>8}  NAME", "ID", "STATUS", "DONE", "LEFT")?;
    for task in tasks {
        let status = match task["stalled"] == true {
            true => "stalled",
            false => text(&task["status"]),
        };
        let done = task["progress"].as_f64().map_or("-".to_owned(), |p| format!("{p:.0} %"));
        let left = left(task, Timestamp::now()).unwrap_or("-".to_owned());
        let (id, name) = (brief(text(&task["id"])), brief(text(&task["name"])));
        writeln!(out, "{id:<width$}  {status:<9}  {done:>5}  {left:>8}  {name}")?;
    }
    Ok(())
}

/// The time until a task's end is expected.
fn left(task: &Value, now: Timestamp) -> Option<String> {
    let eta: Timestamp = task["eta"].as_str()?.parse().ok()?;
    let left = eta.duration_since(now);
    let seconds = (left > SignedDuration::ZERO).then(|| left.as_secs().unsigned_abs())?;
    Some(HumanDuration::secs(seconds).to_string())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
