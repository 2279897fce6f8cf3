//! The chores of the repository: `cargo xtask test` is what CI runs, `cargo xtask fuzz` and `schema` are
//! two steps of it that are of use alone, `cargo xtask dist` makes packages, `cargo xtask e2e` tries them
//! out on a real systemd, `cargo xtask bench` measures.

mod bench;
mod dist;
mod e2e;
mod fuzz;
mod schema;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// The chores of the repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = test::list_of_steps())]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run a benchmark, optimised: `cargo xtask bench fanout`.
    Bench(bench::Options),
    /// Build the packages: .deb, .rpm and .tar.gz, into target/dist.
    Dist(dist::Options),
    /// Run the fuzz targets without instrumentation, on their seeds and on inputs made of them.
    Fuzz(fuzz::Options),
    /// Ask a daemon what its openapi.json says may be asked, and what may not, by schemathesis.
    Schema(schema::Options),
    /// Run every check, or the named steps; the same command that CI runs.
    #[command(after_help = test::list_of_steps())]
    Test {
        /// Steps to run, in the order of the list; all of them if none is named.
        #[arg(value_name = "STEP", value_parser = test::step_names())]
        steps: Vec<String>,
    },
    /// Install the packages into a real systemd in a container, and prove what they promise.
    E2e(e2e::Options),
    /// Connect to an address again and again: what `e2e` does while it restarts the daemon.
    #[command(hide = true)]
    Knock(e2e::KnockOptions),
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().chore {
        Chore::Bench(options) => bench::run(&options),
        Chore::Dist(options) => dist::run(&options),
        Chore::Fuzz(options) => fuzz::run(&options),
        Chore::Schema(options) => schema::run(&options),
        Chore::Test { steps } => test::run(&steps),
        Chore::E2e(options) => e2e::run(&options),
        Chore::Knock(options) => Ok(e2e::knock(&options)?),
    }
}

fn repository_root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().context("xtask lies in the repository")?;
    Ok(root.to_owned())
}
