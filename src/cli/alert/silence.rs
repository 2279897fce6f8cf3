//! `gz-monitor silence`: alerts that are not to be heard for some time.

use std::io::{self, Write};
use std::path::PathBuf;

use http::Method;
use serde_json::{Value, json};

use super::{text, user};
use crate::api;
use crate::cli::address::DaemonAddress;
use crate::cli::exit::Failure;
use crate::cli::request::{self, Asking};
use crate::sample::brief;
use crate::units::HumanDuration;

const AFTER_HELP: &str = "\
Examples:
  gz-monitor silence add --for 2h severity=low
  gz-monitor silence add --for 30m --comment 'new disk' 'device=~sd.' alertname!=DiskFailing";

/// What can be done with silences.
#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Silence the alerts whose labels are like this
    #[command(after_help = AFTER_HELP)]
    Add(AddArgs),
    /// List the silences that there are
    List(ListArgs),
    /// End a silence
    Remove(RemoveArgs),
}

/// The flags of `silence add`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct AddArgs {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// For how long, such as 2h
    #[arg(long = "for", value_name = "DURATION")]
    duration: HumanDuration,
    /// Why
    #[arg(long, default_value = "")]
    comment: String,
    /// Who wants it, besides the token or user that the daemon knows [default: your name here]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Conditions on labels, all of which have to hold: NAME=VALUE, and with != =~ !~ in between;
    /// alertname, rule_id and severity are labels of every alert
    #[arg(required = true, value_name = "CONDITION")]
    matchers: Vec<String>,
}

/// The flags of `silence list`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// Print what /api/v1/silences answers
    #[arg(long)]
    json: bool,
}

/// The flags of `silence remove`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RemoveArgs {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// The silence's id
    id: String,
}

pub(in crate::cli) fn run(command: &Command, file: Option<PathBuf>) -> Result<(), Failure> {
    match command {
        Command::Add(args) => add(args, file),
        Command::List(args) => list(args, file),
        Command::Remove(args) => remove(args, file),
    }
}

fn add(args: &AddArgs, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let body = json!({
        "matchers": args.matchers,
        "duration": args.duration.exact(),
        "by": args.by.clone().unwrap_or_else(user),
        "comment": args.comment,
    });
    let path = "/api/v1/silences";
    let asking = async { Asking::post(&target, path).json(&body).send().await?.accepted()?.json() };
    let silence: Value = request::block_on(asking)?;
    let (id, until) = (brief(text(&silence["id"])), brief(text(&silence["ends_at"])));
    Ok(writeln!(io::stdout().lock(), "{id} until {until}")?)
}

fn list(args: &ListArgs, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let answer = request::block_on(request::get(&target, "silences"))?;
    let mut out = io::stdout().lock();
    if args.json {
        return Ok(writeln!(out, "{answer}")?);
    }
    let silences = answer["silences"].as_array().cloned().unwrap_or_default();
    if silences.is_empty() {
        return Ok(writeln!(out, "no silences")?);
    }
    writeln!(out, "{:<18}  {:<24}  {:<12}  CONDITIONS", "ID", "UNTIL", "BY")?;
    silences.iter().try_for_each(|silence| line(&mut out, silence))?;
    Ok(())
}

fn line(out: &mut impl Write, silence: &Value) -> io::Result<()> {
    let matchers = silence["matchers"].as_array().into_iter().flatten().map(text);
    let matchers = matchers.map(brief).collect::<Vec<_>>().join(" ");
    let comment = match text(&silence["comment"]) {
        "" => String::new(),
        comment => format!(" ({})", brief(comment)),
    };
    let [id, until, by] = ["id", "ends_at", "by"].map(|key| brief(text(&silence[key])));
    writeln!(out, "{id:<18}  {until:<24}  {by:<12}  {matchers}{comment}")
}

fn remove(args: &RemoveArgs, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let path = api::silence_path(&args.id);
    let asking = async { Asking::new(Method::DELETE, &target, path).send().await?.accepted() };
    request::block_on(asking)?;
    Ok(writeln!(io::stdout().lock(), "{} is over", brief(&args.id))?)
}
