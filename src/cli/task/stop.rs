//! `gz-monitor task stop`: asks a task's owner to stop.

use std::io::{self, Write as _};
use std::path::PathBuf;

use http::Method;

use super::list::ask;
use crate::cli::address::DaemonAddress;
use crate::cli::exit::Failure;
use crate::cli::request;

/// The flags of `task stop`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// The task's id
    id: String,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let task = request::block_on(ask(Method::POST, &target, &args.id, "/stop"))?;
    let said = match task["status"].as_str() {
        Some("cancelled") => "cancelled: it had not begun",
        _ => "asked to stop; it ends when its owner ends it",
    };
    Ok(writeln!(io::stdout().lock(), "{said}")?)
}
