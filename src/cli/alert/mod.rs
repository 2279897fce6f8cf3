//! `gz-monitor alert` and `gz-monitor silence`: the alerts that there are, and what becomes of them.

mod acknowledge;
mod explain;
mod list;
pub(super) mod silence;
mod test;

use std::path::PathBuf;

use serde_json::Value;

use super::exit::Failure;

/// What can be done with alerts.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the alerts that are firing, pending or silenced
    List(list::Args),
    /// Say that you take a firing alert on
    Ack(acknowledge::Args),
    /// Say when rules would have fired in the past
    Test(test::Args),
    /// Show why an alert is as it is: its values, changes and silences
    Explain(explain::Args),
}

pub(super) fn run(command: &Command, file: Option<PathBuf>) -> Result<(), Failure> {
    match command {
        Command::List(args) => list::run(args, file),
        Command::Ack(args) => acknowledge::run(args, file),
        Command::Test(args) => test::run(args, file),
        Command::Explain(args) => explain::run(args, file),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

/// Labels as PromQL writes them, fit for a terminal.
fn labels(value: &Value) -> String {
    let pairs = value.as_object().into_iter().flatten();
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    crate::sample::brief(&pairs.join(" "))
}

/// Who runs this, by name.
fn user() -> String {
    let names = ["USER", "LOGNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "somebody".to_owned())
}
