//! `gz-monitor task deliver`: tells the daemon of commands that have ended while it was away.

use std::io::{self, Write as _};
use std::path::PathBuf;

use super::delivery::Daemon;
use super::spool;
use crate::cli::address::DaemonAddress;
use crate::cli::exit::Failure;
use crate::cli::request;

/// The flags of `task deliver`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let daemon = Daemon { address: args.daemon.clone(), file };
    let all = request::block_on(async { Ok(spool::deliver(&daemon).await) })?;
    let mut out = io::stdout().lock();
    for task in &all.delivered {
        writeln!(out, "delivered: {task}")?;
    }
    for refusal in &all.refused {
        writeln!(io::stderr().lock(), "gz-monitor: not delivered: {refusal}")?;
    }
    match all.trouble {
        Some(trouble) => Err(Failure::RunTime(anyhow::anyhow!("the rest still waits: {trouble}"))),
        None if all.delivered.is_empty() && all.refused.is_empty() => {
            Ok(writeln!(out, "nothing waits")?)
        }
        None => Ok(()),
    }
}
