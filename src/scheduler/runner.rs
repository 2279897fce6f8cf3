//! The life of one collector: collect, report, wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::quarantine::Quarantine;
use super::worker::Worker;
use super::{Cadence, Event, Settings};
use crate::clock::Clock;
use crate::plugin::PluginHost;
use crate::sample::{Batch, Outcome};

/// What needs two readings (the use of processors, the largest processes) gets its second one this
/// soon after the start, so that nobody looks at blanks for a whole interval.
const SECOND_READING: Duration = Duration::from_secs(1);

/// Runs a collector until the task is aborted or nobody listens.
pub(super) async fn run(
    settings: Settings,
    plugins: Arc<PluginHost>,
    events: mpsc::Sender<Event>,
    clock: Clock,
) {
    let jitter = settings.jitter;
    let mut quarantine = Quarantine::new(settings.interval, settings.backoff_max);
    let mut worker = Worker::new(settings, plugins);
    let mut first = true;
    loop {
        let batch = worker.collect(clock).await;
        quarantine.record(batch.outcome == Outcome::Ok);
        report(&batch);
        let stopped = matches!(batch.outcome, Outcome::Stopped(_));
        if events.send(Event::Ended(batch)).await.is_err() || stopped {
            return;
        }
        let now = clock.now().uptime;
        let mut next =
            Cadence::new(quarantine.interval()).after(now) + jitter.mul_f64(fastrand::f64());
        if std::mem::take(&mut first) {
            next = next.min(now + SECOND_READING);
        }
        tokio::time::sleep(next.saturating_sub(now)).await;
    }
}

fn report(Batch { collector, outcome, .. }: &Batch) {
    let collector = &**collector;
    match outcome {
        Outcome::Ok => tracing::trace!(collector, "collection succeeded"),
        Outcome::Failed(error) => tracing::warn!(collector, error, "collection failed"),
        Outcome::Stopped(error) => tracing::warn!(collector, error, "collector stopped"),
        Outcome::TimedOut => tracing::warn!(collector, "collection passed its deadline"),
    }
}
