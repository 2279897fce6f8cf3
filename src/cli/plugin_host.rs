//! `gz-monitor plugin-host`: the child that runs a collector of a library for the daemon.

use std::path::PathBuf;

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
    match &args.collector {
        Some(collector) => Ok(child::serve(&args.file, collector)?),
        None => Ok(child::print_description(&args.file)?),
    }
}
