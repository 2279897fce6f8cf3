//! `gz-monitor notify`: trying a channel out, and how channels fare.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;

use super::address::DaemonAddress;
use super::exit::Failure;
use super::local_socket::Target;
use super::request::{self, Asking};

/// A receiver that is slow has its own time-out, in the daemon.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The commands of `notify`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Have a running daemon send a notification to a channel, and print what the receiver answers
    Test {
        #[command(flatten)]
        daemon: DaemonAddress,
        /// The channel
        #[arg(value_name = "CHANNEL")]
        channel: String,
    },
    /// List the channels of a running daemon, and how each fares
    Channels {
        #[command(flatten)]
        daemon: DaemonAddress,
        /// Print the JSON that /api/v1/notify/channels answers
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command, file: Option<PathBuf>) -> Result<(), Failure> {
    match command {
        Command::Test { daemon, channel } => {
            let target = daemon.resolve(file)?;
            let outcome = request::block_on(test(&target, channel))?;
            let answer = outcome["answer"].as_str().unwrap_or_default();
            if outcome["delivered"] != true {
                return Err(anyhow::anyhow!("{channel}: not delivered: {answer}").into());
            }
            let seconds = outcome["duration"].as_f64().unwrap_or_default();
            Ok(writeln!(io::stdout().lock(), "{channel}: delivered in {seconds:.3} s: {answer}")?)
        }
        Command::Channels { daemon, json } => {
            let target = daemon.resolve(file)?;
            let answer = request::block_on(request::get(&target, "notify/channels"))?;
            if *json {
                return Ok(writeln!(io::stdout().lock(), "{answer}")?);
            }
            Ok(print(&answer)?)
        }
    }
}

async fn test(target: &Target, channel: &str) -> anyhow::Result<Value> {
    // No other letters are in the name of a channel, and none of these means more in a path.
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if channel.is_empty() || !channel.chars().all(legal) {
        bail!("{channel:?} cannot be the name of a channel");
    }
    let path = format!("/api/v1/notify/channels/{channel}/test");
    Asking::post(target, path).within(TIMEOUT).send().await?.accepted()?.json()
}

fn print(answer: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let channels = answer["channels"].as_array().map(Vec::as_slice).unwrap_or_default();
    if channels.is_empty() {
        return writeln!(out, "there are no channels; [notify.channel.NAME] makes one");
    }
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    writeln!(
        out,
        "{:<20} {:<8} {:<8} {:>7} {:>7}  LAST",
        "CHANNEL", "TYPE", "STATE", "SENT", "WAITING"
    )?;
    for one in channels {
        let (name, kind, state) = (text(&one["name"]), text(&one["type"]), text(&one["state"]));
        let (sent, waiting) = (&one["sent"], &one["pending"]);
        let last = one["error"].as_str().or(one["last_sent"].as_str()).unwrap_or("-");
        writeln!(out, "{name:<20} {kind:<8} {state:<8} {sent:>7} {waiting:>7}  {last}")?;
    }
    Ok(())
}
