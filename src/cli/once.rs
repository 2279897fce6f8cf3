//! `gz-monitor once`: collects without a daemon, and prints what was read.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use futures_util::future::join_all;
use tokio::runtime;

use super::exit::Failure;
use crate::api::{CollectorUpdate, encode};
use crate::clock::Clock;
use crate::config::{Config, Sources};
use crate::daemon::Plugins;
use crate::plugin::needs_daemon;
use crate::sample::{Batch, Outcome};
use crate::scheduler::{Settings, Worker};
use crate::server::{self, expose};
use crate::store::Store;

/// Between the two readings that the use of processors needs.
const BETWEEN_READINGS: Duration = Duration::from_millis(500);

/// The flags of `once`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this collector [default: all that are configured]
    #[arg(long, value_name = "NAME")]
    collector: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Prometheus)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// One object a line for each collector, as in `collector_update`
    Json,
    /// Prometheus text exposition
    Prometheus,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let plugins = Plugins::default();
    let sources = Sources::of_process(file, Vec::new());
    let loaded = plugins.load(&sources);
    let config = loaded.map_err(Failure::Config)?.config;
    let chosen = chosen(&config, &plugins, args.collector.as_deref())?;
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    let batches = runtime.block_on(collect(chosen, &plugins));
    // A collector that hangs is not waited for.
    runtime.shutdown_background();
    let mut out = io::stdout().lock();
    match args.format {
        Format::Json => {
            for batch in &batches {
                writeln!(out, "{}", encode(&CollectorUpdate::from(batch)))?;
            }
        }
        Format::Prometheus => {
            let mut store = Store::new(&config.store);
            for batch in &batches {
                store.apply(batch);
            }
            write!(out, "{}", expose(&store, server::Format::Prometheus))?;
        }
    }
    report(&batches)
}

fn chosen(
    config: &Config,
    plugins: &Plugins,
    name: Option<&str>,
) -> Result<Vec<Settings>, Failure> {
    let mut collectors = plugins.collectors(config);
    collectors.retain(|collector| !needs_daemon(&collector.plugin));
    match name {
        None => collectors.retain(|c| c.enabled),
        Some(name) if collectors.iter().any(|c| c.name() == name) => {
            collectors.retain(|c| c.name() == name);
        }
        Some(name) => {
            let names: Vec<&str> = collectors.iter().map(|c| c.name()).collect();
            let names = names.join(", ");
            return Err(Failure::Usage(format!(
                "there is no collector {name:?} to run once; there are {names}"
            )));
        }
    }
    Ok(collectors.iter().map(|collector| plugins.settings(collector, config)).collect())
}

/// Reads twice, all at the same time, and keeps the second readings.
async fn collect(chosen: Vec<Settings>, plugins: &Plugins) -> Vec<Batch> {
    let clock = Clock::start();
    let runs = chosen.into_iter().map(|settings| {
        let mut worker = Worker::alone(settings, plugins.host());
        async move {
            worker.collect(clock).await;
            tokio::time::sleep(BETWEEN_READINGS).await;
            worker.collect(clock).await
        }
    });
    join_all(runs).await
}

fn report(batches: &[Batch]) -> Result<(), Failure> {
    let mut err = io::stderr().lock();
    let mut failed = false;
    for Batch { collector, outcome, .. } in batches {
        match outcome {
            Outcome::Ok => continue,
            Outcome::Absent(reason) => {
                writeln!(err, "gz-monitor: collector {collector}: nothing to measure: {reason}")?;
                continue;
            }
            Outcome::Failed(error) | Outcome::Stopped(error) => {
                writeln!(err, "gz-monitor: collector {collector}: {error}")?
            }
            Outcome::TimedOut => {
                writeln!(err, "gz-monitor: collector {collector}: not done within its deadline")?
            }
        }
        failed = true;
    }
    if failed { Err(Failure::Silent(1)) } else { Ok(()) }
}
