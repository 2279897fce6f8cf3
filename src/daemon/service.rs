//! The life of a daemon as a service: ready, reloads, the end, and what the service manager is told
//! of each.

use std::error::Error as _;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::standing::{Concern, Standing};
use super::watchdog::Watchdog;
use super::{Daemon, ReloadError, Signal, Signals, certificate};
use crate::config::{Changes, Problem, Problems, Sources};
use crate::server::{ReloadOutcome, ReloadRefusal};
use crate::systemd::notify;

/// While clients are drained, the service manager hears of us this often, and is promised to within
/// the second time.
const STOPPING_INTERVAL: Duration = Duration::from_secs(2);
const STOPPING_PROMISE: Duration = Duration::from_secs(10);

/// Why a reload changed nothing.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Config(#[from] Problems),
    #[error(transparent)]
    Apply(#[from] ReloadError),
}

/// A daemon, and who has a say in its life.
pub struct Service {
    daemon: Daemon,
    sources: Sources,
    signals: Signals,
    standing: Standing,
}

impl Service {
    /// A running daemon that reads its configuration from `sources` when it is told to.
    pub fn new(daemon: Daemon, sources: Sources, signals: Signals) -> Self {
        let standing = Standing::new(daemon.app.clone());
        standing.listens_on(daemon.places());
        Self { daemon, sources, signals, standing }
    }

    /// Runs until somebody stops it.
    pub async fn run(mut self) {
        if self.becomes_ready().await {
            let status = tokio::spawn(self.standing.clone().keep());
            let watchdog = Watchdog::start(&self.daemon, self.standing.clone());
            self.heed().await;
            drop(watchdog);
            status.abort();
        }
        self.stop().await;
    }

    /// Waits for the first collections; false if it is stopped before.
    async fn becomes_ready(&mut self) -> bool {
        notify::status("waiting for the first collection of every collector");
        let mut wants_reload = false;
        let late = {
            let mut first = std::pin::pin!(self.daemon.first_collections());
            loop {
                tokio::select! {
                    late = &mut first => break late,
                    signal = self.signals.next() => match signal {
                        Signal::Reload => wants_reload = true,
                        Signal::Stop => return false,
                    },
                }
            }
        };
        if !late.is_empty() {
            tracing::warn!(collectors = late.join(", "), "not waiting any longer for collectors");
        }
        self.standing.ready();
        tracing::info!(name: "ready", "ready");
        if wants_reload {
            // Asked for while it could not be done.
            self.reload_by_signal().await;
        }
        true
    }

    async fn heed(&mut self) {
        let mut certificate = interval(certificate::INTERVAL);
        certificate.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rescanned = Instant::now();
        loop {
            let rescan = sleep_until(rescanned + self.daemon.rescan_interval());
            tokio::select! {
                signal = self.signals.next() => match signal {
                    Signal::Reload => self.reload_by_signal().await,
                    Signal::Stop => return,
                },
                // The other end is in the daemon's own hands, and so never gone.
                Some(request) = self.daemon.reloads.recv() => request.answer(self.reload().await),
                () = rescan => {
                    self.daemon.rescan().await;
                    rescanned = Instant::now();
                }
                _ = certificate.tick() => {
                    let concern = self.daemon.look_at_certificate().await;
                    self.standing.concern(Concern::Certificate, concern);
                }
            }
        }
    }

    async fn reload_by_signal(&mut self) {
        let outcome = self.reload().await;
        self.daemon.app.note_reload_by_signal(&outcome);
    }

    /// Reads the configuration again and applies what has changed.
    async fn reload(&mut self) -> ReloadOutcome {
        notify::reloading();
        let applied = self.apply().await;
        let concern = match &applied {
            Ok(changes) if changes.is_empty() => {
                tracing::info!(name: "reloaded", "reloaded: nothing has changed");
                None
            }
            Ok(changes) => {
                tracing::info!(name: "reloaded", %changes, "reloaded");
                None
            }
            Err(Refusal::Config(problems)) => {
                for problem in problems.list() {
                    tracing::error!(name: "reload_refused", %problem, "configuration not reloaded");
                }
                let noun = if problems.count() == 1 { "problem" } else { "problems" };
                Some(format!("configuration not reloaded: {} {noun}", problems.count()))
            }
            Err(Refusal::Apply(error)) => {
                let error = in_full(error);
                tracing::error!(name: "reload_refused", error, "configuration not reloaded");
                Some(format!("configuration not reloaded: {error}"))
            }
        };
        self.standing.listens_on(self.daemon.places());
        self.standing.concern(Concern::Reload, concern);
        self.standing.ready();
        applied.map(|changes| changes.lines()).map_err(|refusal| match refusal {
            Refusal::Config(problems) => {
                ReloadRefusal::Invalid { problems: problems.lines(), count: problems.count() }
            }
            Refusal::Apply(error) => ReloadRefusal::NotApplied(in_full(&error)),
        })
    }

    async fn apply(&mut self) -> Result<Changes, Refusal> {
        // New plugins are described in children, which may take their time.
        let plugins = self.daemon.plugins.clone();
        let loaded = tokio::task::block_in_place(|| plugins.load(&self.sources))?;
        warn_of(&loaded.warnings);
        Ok(self.daemon.reload(loaded.config).await?)
    }

    async fn stop(mut self) {
        tracing::info!(name: "stopping", "stopping");
        notify::stopping(&format!("stopping, {}", self.standing.line()));
        tokio::select! {
            () = self.daemon.stop() => {}
            () = extend_timeout() => {}
            // Somebody is in a hurry.
            () = until_stop(&mut self.signals) => {}
        }
        tracing::info!("stopped");
    }
}

/// Tells of what is not as it was meant: a collector without its plugin does not run, everything else
/// does.
pub fn warn_of(warnings: &[Problem]) {
    for warning in warnings {
        tracing::warn!(%warning, "configuration");
    }
}

/// An error with what is behind it.
fn in_full(error: &ReloadError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

async fn extend_timeout() {
    loop {
        notify::extend_timeout(STOPPING_PROMISE);
        sleep(STOPPING_INTERVAL).await;
    }
}

async fn until_stop(signals: &mut Signals) {
    while signals.next().await != Signal::Stop {}
}
