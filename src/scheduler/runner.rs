//! The life of one collector: collect, report, wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use super::quarantine::Quarantine;
use super::worker::Worker;
use super::{Cadence, Event, Settings};
use crate::clock::Clock;
use crate::plugin::PluginHost;
use crate::sample::{Batch, Outcome};

/// What needs two readings (the use of processors, the largest processes) gets its second one this
/// soon after the start, so that nobody looks at blanks for a whole interval.
const SECOND_READING: Duration = Duration::from_secs(1);

/// One collector, and whom it serves.
pub(super) struct Runner {
    pub(super) settings: Settings,
    pub(super) plugins: Arc<PluginHost>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) clock: Clock,
    /// Told when the collector is to start anew.
    pub(super) control: Arc<Notify>,
}

impl Runner {
    /// Runs until the task is aborted or nobody listens.
    pub(super) async fn run(self) {
        loop {
            tokio::select! {
                () = self.life() => return,
                () = self.control.notified() => {
                    tracing::info!(collector = self.settings.name, "restarted by request");
                }
            }
        }
    }

    /// From the making of the source on. Returns when nobody listens.
    async fn life(&self) {
        let Settings { interval, backoff_max, max_failures, jitter, .. } = self.settings;
        let mut quarantine = Quarantine::new(interval, backoff_max, max_failures);
        let mut worker = Worker::new(self.settings.clone(), self.plugins.clone());
        let mut first = true;
        loop {
            let batch = worker.collect(self.clock).await;
            quarantine.record(!batch.outcome.is_failure());
            report(&batch);
            let is_final = batch.outcome.is_final();
            let batch = Batch { broken: quarantine.is_broken(), ..batch };
            if self.events.send(Event::Ended(batch)).await.is_err() {
                return;
            }
            if is_final {
                // What it holds is not held in vain; to let go of it may block.
                drop(tokio::task::spawn_blocking(move || drop(worker)));
                // Until somebody has it started anew, or changes its configuration.
                return std::future::pending().await;
            }
            let now = self.clock.now().uptime;
            let mut next =
                Cadence::new(quarantine.interval()).after(now) + jitter.mul_f64(fastrand::f64());
            if std::mem::take(&mut first) {
                next = next.min(now + SECOND_READING);
            }
            tokio::time::sleep(next.saturating_sub(now)).await;
        }
    }
}

fn report(Batch { collector, outcome, .. }: &Batch) {
    let collector = &**collector;
    match outcome {
        Outcome::Ok => tracing::trace!(collector, "collection succeeded"),
        Outcome::Failed(error) => tracing::warn!(collector, error, "collection failed"),
        Outcome::Stopped(error) => tracing::warn!(collector, error, "collector stopped"),
        Outcome::Absent(reason) => tracing::info!(collector, reason, "nothing to measure"),
        Outcome::TimedOut => tracing::warn!(collector, "collection passed its deadline"),
    }
}
