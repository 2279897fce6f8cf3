//! The chores of the repository: `cargo xtask test` is what CI runs, `cargo xtask dist` makes packages.

mod dist;
mod test;

use std::process::ExitCode;

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
    /// Build the packages: .deb, .rpm and .tar.gz, into target/dist.
    Dist(dist::Options),
    /// Run every check, or the named steps; the same command that CI runs.
    #[command(after_help = test::list_of_steps())]
    Test {
        /// Steps to run, in the order of the list; all of them if none is named.
        #[arg(value_name = "STEP", value_parser = test::step_names())]
        steps: Vec<String>,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().chore {
        Chore::Dist(options) => dist::run(&options),
        Chore::Test { steps } => test::run(&steps),
    }
}
