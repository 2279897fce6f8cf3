//! The life of one collector: collect, report, wait.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use tokio::sync::{Notify, mpsc, watch};

use super::ending::{self, Alive, Gone};
use super::quarantine::Quarantine;
use super::worker::Worker;
use super::{Cadence, Event, Settings};
use crate::clock::Clock;
use crate::plugin::PluginHost;
use crate::sample::{Batch, Outcome};

/// What needs two readings (the use of processors, the largest processes) gets its second one this
/// soon after the start, so that nobody looks at blanks for a whole interval.
const SECOND_READING: Duration = Duration::from_secs(1);

/// The least time between a collection and one that the collector itself asks for.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);

/// One collector, and whom it serves.
pub(super) struct Runner {
    /// What it is to run by, as long as it is to run.
    pub(super) settings: watch::Receiver<Settings>,
    pub(super) plugins: Arc<PluginHost>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) clock: Clock,
    /// Told when the collector is to start anew.
    pub(super) control: Arc<Notify>,
}

impl Runner {
    /// Runs until it has no settings any more or nobody listens. Of what it ran last, the end may still
    /// be waited for.
    pub(super) async fn run(mut self) -> Option<Gone> {
        let mut before = None;
        loop {
            let settings = self.settings.borrow_and_update().clone();
            let (name, was) = (settings.name.clone(), settings.clone());
            let mut anew = self.settings.clone();
            let anew = async move { anew.wait_for(|new| !new.is_like(&was)).await.map(drop) };
            let (alive, gone) = ending::pair();
            tokio::select! {
                () = self.life(settings, alive, before.take()) => return Some(gone),
                () = self.control.notified() => {
                    tracing::info!(collector = name, "restarted by request");
                    // It starts with the newest configuration, even if it has refused that before.
                    let reloaded = Event::Reloaded { collector: name.into(), refused: None };
                    let _ = self.events.send(reloaded).await;
                }
                changed = anew => if changed.is_err() { return Some(gone) },
            }
            before = Some(gone);
        }
    }

    /// From the making of the source on, which waits for the end of the one before it. Returns when
    /// nobody listens.
    async fn life(&self, settings: Settings, alive: Alive, before: Option<Gone>) {
        if let Some(before) = before {
            before.wait().await;
        }
        let Settings { interval, backoff_max, max_failures, jitter, .. } = settings;
        let fresh = Quarantine::new(interval, backoff_max, max_failures);
        let mut quarantine = fresh;
        let mut changes = self.settings.clone();
        let mut worker = Worker::new(settings.clone(), self.plugins.clone(), alive);
        let mut first = true;
        let requests = worker.requests();
        loop {
            let batch = worker.collect(self.clock).await;
            quarantine.record(!batch.outcome.is_failure());
            report(&batch, &settings.plugin);
            let is_well = batch.outcome == Outcome::Ok;
            let is_final = batch.outcome.is_final();
            let batch = Batch { broken: quarantine.is_broken(), ..batch };
            if self.events.send(Event::Ended(batch)).await.is_err() {
                return;
            }
            if is_final {
                // What it holds is not held in vain.
                worker.let_go();
            }
            let now = self.clock.now().uptime;
            let mut next =
                Cadence::new(quarantine.interval()).after(now) + jitter.mul_f64(fastrand::f64());
            if std::mem::take(&mut first) {
                next = next.min(now + SECOND_READING);
            }
            let pause = async {
                if is_final {
                    // Until somebody has it started anew, or changes its configuration.
                    return std::future::pending().await;
                }
                tokio::time::sleep(next.saturating_sub(now)).await;
            };
            tokio::select! {
                () = pause => {}
                // One that fails is left alone, whatever it asks.
                () = requested(&requests), if is_well => {}
                config = changed(&mut changes, &settings) => {
                    self.reload(&mut worker, config).await;
                    (quarantine, first) = (fresh, true);
                }
            }
        }
    }

    /// Has the source take a new configuration, and says what came of it.
    async fn reload(&self, worker: &mut Worker, config: Map<String, Json>) {
        let collector: Arc<str> = worker.name().into();
        // One that was refused may have been taken back.
        let refused =
            if config == *worker.config() { None } else { worker.reload(config).await.err() };
        match &refused {
            None => tracing::info!(collector = &*collector, "new configuration in force"),
            Some(error) => {
                tracing::warn!(collector = &*collector, error, "new configuration refused");
            }
        }
        let _ = self.events.send(Event::Reloaded { collector, refused }).await;
    }
}

/// Waits for a request, and for its time.
async fn requested(requests: &Notify) {
    tokio::join!(requests.notified(), tokio::time::sleep(LEAST_INTERVAL));
}

/// Waits for a change of nothing but the plugin's configuration: a change of anything else is not for
/// the source.
async fn changed(
    changes: &mut watch::Receiver<Settings>,
    settings: &Settings,
) -> Map<String, Json> {
    loop {
        if changes.changed().await.is_err() {
            return std::future::pending().await;
        }
        let new = changes.borrow_and_update();
        if new.is_like(settings) {
            return new.config.clone();
        }
    }
}

fn report(Batch { collector, outcome, .. }: &Batch, plugin: &str) {
    let collector = &**collector;
    match outcome {
        Outcome::Ok => tracing::trace!(collector, "collection succeeded"),
        Outcome::Failed(error) => {
            tracing::warn!(name: "collector_failing", collector, error, plugin, "collection failed")
        }
        Outcome::Stopped(error) => {
            tracing::warn!(name: "collector_stopped", collector, error, plugin, "collector stopped")
        }
        Outcome::Absent(reason) => tracing::info!(collector, reason, plugin, "nothing to measure"),
        Outcome::TimedOut => {
            tracing::warn!(name: "collector_failing", collector, plugin, "collection passed its deadline")
        }
    }
}
