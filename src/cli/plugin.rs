//! `gz-monitor plugin`: what can collect, making and trying one, and starting a collector anew.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::bail;

use super::address::DaemonAddress;
use super::exit::Failure;
use super::local_socket::Target;
use super::request::{self, Asking};
use super::{plugin_check, plugin_list, plugin_new};

/// The commands of `plugin`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a folder with a plugin of your own, ready to be built and tried
    New(plugin_new::Args),
    /// Say what plugins there are and how their collectors fare, and which files are none and why
    List(plugin_list::Args),
    /// Try a library out: load it, start its collectors, and collect, all in a child
    Check(plugin_check::Args),
    /// Have a collector of a running daemon start anew, its failures forgotten
    Restart {
        #[command(flatten)]
        daemon: DaemonAddress,
        /// The collector
        #[arg(value_name = "NAME")]
        collector: String,
    },
}

pub(super) fn run(command: &Command, file: Option<PathBuf>) -> Result<(), Failure> {
    match command {
        Command::New(args) => plugin_new::run(args),
        Command::List(args) => plugin_list::run(args, file),
        Command::Check(args) => plugin_check::run(args),
        Command::Restart { daemon, collector } => {
            let target = daemon.resolve(file)?;
            request::block_on(restart(&target, collector))?;
            Ok(writeln!(io::stdout().lock(), "{collector} starts anew")?)
        }
    }
}

async fn restart(target: &Target, collector: &str) -> anyhow::Result<()> {
    // No other letters are in the name of a collector, and none of these means more in a path.
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if collector.is_empty() || !collector.chars().all(legal) {
        bail!("{collector:?} cannot be the name of a collector");
    }
    let path = format!("/api/v1/collectors/{collector}/restart");
    let answer = Asking::post(target, path).send().await?;
    if answer.status.is_success() {
        return Ok(());
    }
    let problem: serde_json::Value = answer.json()?;
    bail!("{}", problem["detail"].as_str().unwrap_or("the daemon refused"))
}
