//! `gz-monitor alert ack`: says that somebody takes an alert on.

use std::io::{self, Write as _};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{text, user};
use crate::api;
use crate::cli::address::DaemonAddress;
use crate::cli::exit::Failure;
use crate::cli::request::{self, Asking};
use crate::sample::brief;

/// The flags of `alert ack`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// The alert's id
    id: String,
    /// What there is to say about it
    #[arg(long, default_value = "")]
    comment: String,
    /// Who takes it on, besides the token or user that the daemon knows [default: your name here]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let by = args.by.clone().unwrap_or_else(user);
    let body = json!({ "by": by, "comment": args.comment });
    let path = format!("{}/acknowledge", api::alert_path(&args.id));
    let asking = async { Asking::post(&target, path).json(&body).send().await?.accepted()?.json() };
    let alert: Value = request::block_on(asking)?;
    let name = brief(text(&alert["rule_name"]));
    // The daemon knows better.
    let by = brief(text(&alert["acknowledgement"]["by"]));
    Ok(writeln!(io::stdout().lock(), "{name}: taken on by {by}")?)
}
