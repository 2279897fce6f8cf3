//! `cargo xtask bench`: runs one benchmark, built as the packages are.

use std::process::{Command, ExitCode};

use anyhow::Context as _;
use clap::Args;

use crate::repository_root;

/// What to measure.
#[derive(Args)]
pub struct Options {
    /// The benchmark: a name from `benches/`.
    name: String,
    /// What it is told, such as `--clients=1000`; `--help` of most says what there is.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs it with this terminal; its exit code is ours.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let status = Command::new("cargo")
        .args(["bench", "--package=gz-monitor", "--bench", &options.name, "--"])
        .args(&options.arguments)
        .current_dir(repository_root()?)
        .status()
        .context("cargo does not start")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}
