//! The life of one collector: collect, report, wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use super::quarantine::Quarantine;
use super::worker::Worker;
use super::{Cadence, Event, Settings};
use crate::clock::Clock;
use crate::plugin::PluginHost;
use crate::sample::{Batch, Outcome, Rejected};

/// What needs two readings (the use of processors, the largest processes) gets its second one this
/// soon after the start, so that nobody looks at blanks for a whole interval.
const SECOND_READING: Duration = Duration::from_secs(1);

/// A collector that brings bad samples does so every time; its log line comes no more often.
const MINUTE: Duration = Duration::from_secs(60);

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
        let (mut first, mut refused, mut warned) = (true, Rejected::default(), None);
        loop {
            let batch = worker.collect(self.clock).await;
            quarantine.record(batch.outcome == Outcome::Ok);
            report(&batch);
            refused += batch.rejected;
            if refused != Rejected::default()
                && warned.is_none_or(|at| at + MINUTE <= batch.at.uptime)
            {
                warned = Some(batch.at.uptime);
                let (collector, Rejected { invalid, limit }) = (&*batch.collector, refused);
                tracing::warn!(collector, invalid, limit, "samples refused");
                refused = Rejected::default();
            }
            let stopped = matches!(batch.outcome, Outcome::Stopped(_));
            let batch = Batch { broken: quarantine.is_broken(), ..batch };
            if self.events.send(Event::Ended(batch)).await.is_err() {
                return;
            }
            if stopped {
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
        Outcome::Failed(error) => {
            tracing::warn!(name: "collector_failing", collector, error, "collection failed")
        }
        Outcome::Stopped(error) => {
            tracing::warn!(name: "collector_stopped", collector, error, "collector stopped")
        }
        Outcome::TimedOut => {
            tracing::warn!(name: "collector_failing", collector, "collection passed its deadline")
        }
    }
}
