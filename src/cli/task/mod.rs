//! `gz-monitor task`: commands that run as tasks, and the tasks that there are.

mod child;
mod copy;
mod deliver;
mod delivery;
mod list;
mod listen;
mod meter;
mod pseudo_terminal;
mod report;
mod reporter;
mod run;
mod seen;
mod segments;
mod signals;
mod spool;
mod stop;

use std::path::PathBuf;

use super::exit::Failure;

/// What can be done with tasks.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Run a command as a task: its progress, its end and its last lines are there for everybody
    Run(run::Args),
    /// List the tasks that have not ended
    List(list::ListArgs),
    /// Show all of one task
    Show(list::ShowArgs),
    /// Ask a task's owner to stop
    Stop(stop::Args),
    /// Tell the daemon of commands that have ended while it was away
    Deliver(deliver::Args),
}

pub(super) fn run(command: &Command, file: Option<PathBuf>) -> Result<(), Failure> {
    match command {
        Command::Run(args) => run::run(args, file),
        Command::List(args) => list::list(args, file),
        Command::Show(args) => list::show(args, file),
        Command::Stop(args) => stop::run(args, file),
        Command::Deliver(args) => deliver::run(args, file),
    }
}
