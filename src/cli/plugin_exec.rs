//! `gz-monitor plugin-exec`: in the child of the daemon, what comes before the program itself.

use std::ffi::OsString;

use anyhow::Context as _;

use super::exit::Failure;
use crate::plugin::Capabilities;
use crate::plugin::process::{self, Limits};

/// The arguments of `plugin-exec`, by position: only the daemon gives them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    address_space: u64,
    cpu_seconds: u64,
    open_files: u64,
    processes: u64,
    /// Capabilities that are kept, as a mask
    capabilities: u64,
    /// The daemon's process id
    daemon: u32,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<OsString>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let limits = Limits {
        address_space: args.address_space,
        cpu_seconds: args.cpu_seconds,
        open_files: args.open_files,
        processes: args.processes,
    };
    let kept = Capabilities::from_bits(args.capabilities);
    let program = args.command[0].to_string_lossy();
    let Err(error) = process::exec(limits, kept, args.daemon, &args.command);
    Err(error).with_context(|| format!("cannot run {program}"))?
}
