//! `gz-monitor server`: runs the daemon in the foreground.

use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime;

use super::address::reachable;
use super::exit::Failure;
use crate::config::{Loaded, Override, Problems, Sources};
use crate::daemon::{self, Daemon, Plugins, Service, Signals, Sockets, StartError};
use crate::systemd::notify;
use crate::systemd::sockets::{self, Inherited};
use crate::telemetry::{FlushAtEnd, Telemetry};

/// One thread does the work of an idle host; the second keeps clients served while it is busy.
const WORKER_THREADS: usize = 2;
/// Threads for calls that may block: a collector has at most one, and there may be a thousand. They
/// are started as they are needed.
const BLOCKING_THREADS: usize = 1_100;
/// How long collectors may take to notice that the daemon ends.
const COLLECTORS_TIMEOUT: Duration = Duration::from_millis(500);

/// The flags of `server`. They win over files and environment.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Port to listen on; 0 takes a free one [default: 8080]
    #[arg(short, long)]
    port: Option<u16>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<IpAddr>,
    /// Look for plugins in this folder instead of those configured; may be repeated
    #[arg(long, value_name = "DIR")]
    plugin_dir: Vec<PathBuf>,
    /// Log in detail
    #[arg(short, long)]
    debug: bool,
}

impl Args {
    fn overrides(&self) -> Vec<Override> {
        let flag = |path: &str, flag: &str, value: String| Override {
            path: path.to_owned(),
            value,
            flag: flag.to_owned(),
        };
        let port = self.port.map(|port| flag("server.port", "--port", port.to_string()));
        let host = self.host.map(|host| flag("server.host", "--host", host.to_string()));
        let debug = self.debug.then(|| flag("log.level", "--debug", "debug".to_owned()));
        let folders = plugin_folders(&self.plugin_dir);
        [port, host, debug, folders].into_iter().flatten().collect()
    }
}

/// What `--plugin-dir` says, if it was given: paths from here, which the children that run libraries
/// are not.
pub(super) fn plugin_folders(folders: &[PathBuf]) -> Option<Override> {
    let path = |folder: &PathBuf| std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
    let list: toml::value::Array =
        folders.iter().map(|folder| path(folder).display().to_string().into()).collect();
    let value = toml::Value::Array(list).to_string();
    let (path, flag) = ("plugins.folders".to_owned(), "--plugin-dir".to_owned());
    (!folders.is_empty()).then_some(Override { path, value, flag })
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    // The last to go, after all that may log.
    let _flush = FlushAtEnd;
    // Before there is a second thread.
    let inherited = sockets::inherited();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(threads.min(WORKER_THREADS))
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let sources = Sources::of_process(file, args.overrides());
    let plugins = Plugins::default();
    let result = runtime.block_on(serve(sources, plugins.clone(), inherited));
    if let Err(failure) = &result {
        let (text, errno) = failure.status();
        notify::failed(&text, errno);
    }
    // Programs that have not ended by now are killed meanwhile, with all that they have started. A
    // collector that hangs must not keep the process alive.
    plugins.host().hurry();
    runtime.shutdown_timeout(COLLECTORS_TIMEOUT);
    result
}

fn refusal(problems: Problems, plugins: &Plugins) -> Failure {
    tell_refused(plugins);
    Failure::Config(problems)
}

/// A configuration that names a plugin may be wrong because its library was refused.
pub(super) fn tell_refused(plugins: &Plugins) {
    let mut err = io::stderr().lock();
    for (path, reason) in plugins.host().refused() {
        // Where nobody reads standard error the exit code has to do.
        let _ = writeln!(err, "gz-monitor: plugin refused: {}: {reason}", path.display());
    }
}

async fn serve(sources: Sources, plugins: Plugins, inherited: Inherited) -> Result<(), Failure> {
    // First of all: until then a signal would kill, and a reload be lost.
    let signals = Signals::install().context("cannot receive signals")?;
    let loaded = tokio::task::block_in_place(|| plugins.load(&sources));
    let loaded = loaded.map_err(|problems| refusal(problems, &plugins))?;
    let Loaded { config, files, warnings, .. } = loaded;
    let telemetry = Telemetry::start(&config.log)?;
    // They were found before there was a log.
    for (path, reason) in plugins.host().refused() {
        tracing::warn!(path = %path.display(), reason, "plugin refused");
    }
    daemon::warn_of(&warnings);
    let sockets = Sockets::open(&config.server, inherited)?;
    for file in files {
        tracing::info!(file = %file.display(), "configuration read");
    }
    let is_journal = telemetry.is_journal;
    let daemon = Daemon::start(config, plugins, sockets, Some(telemetry)).await;
    let daemon = match daemon {
        Err(error @ StartError::Exposed(..)) => return Err(Failure::Unsafe(error.to_string())),
        daemon => daemon.context("cannot start")?,
    };
    let addresses = daemon.places().join(", ");
    tracing::info!(name: "starting", addresses, version = env!("CARGO_PKG_VERSION"), "gz-monitor is listening");
    if let Some(address) = daemon.address().filter(|_| !is_journal) {
        // Whoever closed standard output does not want to know.
        let _ = announce(address, daemon.speaks_tls());
    }
    Service::new(daemon, sources, signals).run().await;
    Ok(())
}

/// What a person at a terminal wants to know.
fn announce(address: SocketAddr, speaks_tls: bool) -> io::Result<()> {
    let (shown, s) = (reachable(address), if speaks_tls { "s" } else { "" });
    let mut out = io::stdout().lock();
    writeln!(out, "Dashboard:  http{s}://{shown}/dashboard")?;
    writeln!(out, "WebSocket:  ws{s}://{shown}/ws")?;
    writeln!(out, "API:        http{s}://{shown}/api/v1/status")?;
    out.flush()
}
