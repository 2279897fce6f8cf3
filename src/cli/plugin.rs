//! `gz-monitor plugin`: what can collect, and starting a collector anew.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use tokio::runtime;

use super::address::DaemonAddress;
use super::exit::Failure;
use crate::daemon::Plugins;

/// The commands of `plugin`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Say what plugins there are
    List,
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
        Command::List => list(),
        Command::Restart { daemon, collector } => {
            let url = daemon.resolve(file)?;
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(restart(&url, collector))?;
            Ok(writeln!(io::stdout().lock(), "{collector} starts anew")?)
        }
    }
}

fn list() -> Result<(), Failure> {
    let plugins = Plugins::default().host();
    let mut out = io::stdout().lock();
    for (name, plugin) in plugins.all() {
        writeln!(out, "{name:<12} {}", plugin.summary())?;
    }
    Ok(())
}

async fn restart(url: &str, collector: &str) -> anyhow::Result<()> {
    let mut address = reqwest::Url::parse(url)?;
    let segments = ["api", "v1", "collectors", collector, "restart"];
    let path = address.path_segments_mut();
    path.map_err(|()| anyhow::anyhow!("{url} has no path"))?.pop_if_empty().extend(segments);
    let answer = match reqwest::Client::new().post(address).send().await {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => {
            bail!("no daemon answers at {url}; start one with `gz-monitor server`")
        }
        Err(error) => return Err(error).context("cannot ask the daemon"),
    };
    if answer.status().is_success() {
        return Ok(());
    }
    let problem: serde_json::Value = answer.json().await.context("the daemon refused")?;
    bail!("{}", problem["detail"].as_str().unwrap_or("the daemon refused"))
}
