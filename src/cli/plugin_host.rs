//! `gz-monitor plugin-host`: the child that runs a collector of a library for the daemon.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;

use super::exit::Failure;
use crate::plugin::child;

/// The arguments of `plugin-host`, which the daemon gives.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The library
    file: PathBuf,
    /// The collector to serve; without it, those that there are are described
    collector: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let file = args.file.display();
    if let Some(collector) = &args.collector {
        return Ok(child::serve(&args.file, collector)?);
    }
    let described = child::describe(&args.file).with_context(|| format!("{file} is no plugin"))?;
    let json = serde_json::to_string(&described)?;
    Ok(writeln!(io::stdout().lock(), "{json}")?)
}
