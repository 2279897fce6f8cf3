//! How each collector is doing, as its batches tell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::sample::{Batch, Outcome, Rejected};

/// How each collector is doing.
#[derive(Debug, Default)]
pub struct Collectors {
    statuses: BTreeMap<Arc<str>, CollectorStatus>,
}

/// How one collector is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectorStatus {
    pub plugin: String,
    pub interval: Duration,
    pub state: CollectorState,
    pub last_success: Option<Timestamp>,
    /// How long the last collection took.
    pub last_duration: Option<Duration>,
    /// Samples that the last collection brought.
    pub samples: usize,
    /// Samples that were refused so far.
    pub rejected: Rejected,
    /// Failures since the last success, and in all.
    pub consecutive_failures: u64,
    pub total_failures: u64,
    /// Why the last collection failed.
    pub error: Option<String>,
}

/// The states that a collector can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectorState {
    /// It has not ended a collection yet.
    Waiting,
    /// Its last collection succeeded.
    Ok,
    /// Its last collection failed; it is tried again, less often with every failure.
    Failing,
    /// Its last collection did not return in time, and may not have returned since.
    TimedOut,
    /// It has failed so often in a row that it is tried only now and then.
    Broken,
    /// It cannot work before its configuration changes.
    Stopped,
}

impl CollectorState {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            CollectorState::Waiting => "waiting",
            CollectorState::Ok => "ok",
            CollectorState::Failing => "failing",
            CollectorState::TimedOut => "timed_out",
            CollectorState::Broken => "broken",
            CollectorState::Stopped => "stopped",
        }
    }
}

impl Collectors {
    /// The statuses, by collector name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &CollectorStatus)> {
        self.statuses.iter().map(|(name, status)| (&**name, status))
    }

    /// Whether each has ended a collection, well or badly.
    pub fn all_reported(&self) -> bool {
        self.statuses.values().all(|status| status.state != CollectorState::Waiting)
    }

    /// Whether this one has ended a collection.
    pub fn has_reported(&self, collector: &str) -> bool {
        let status = self.statuses.get(collector);
        status.is_some_and(|status| status.state != CollectorState::Waiting)
    }

    /// Makes room for one that is about to run.
    pub fn expect(&mut self, collector: Arc<str>, plugin: String, interval: Duration) {
        let status = CollectorStatus {
            plugin,
            interval,
            state: CollectorState::Waiting,
            last_success: None,
            last_duration: None,
            samples: 0,
            rejected: Rejected::default(),
            consecutive_failures: 0,
            total_failures: 0,
            error: None,
        };
        self.statuses.insert(collector, status);
    }

    /// Forgets one that is gone.
    pub fn forget(&mut self, collector: &str) {
        self.statuses.remove(collector);
    }

    /// Takes note of how a collection ended.
    pub fn record(&mut self, batch: &Batch) {
        let Some(status) = self.statuses.get_mut(&batch.collector) else { return };
        let (state, error) = match &batch.outcome {
            Outcome::Ok => (CollectorState::Ok, None),
            Outcome::Failed(error) => (CollectorState::Failing, Some(error.clone())),
            Outcome::Stopped(error) => (CollectorState::Stopped, Some(error.clone())),
            Outcome::TimedOut => {
                let error = "did not return within its deadline".to_owned();
                (CollectorState::TimedOut, Some(error))
            }
        };
        status.state = if batch.broken { CollectorState::Broken } else { state };
        status.error = error;
        status.samples = batch.samples.len();
        status.rejected += batch.rejected;
        status.last_duration = Some(batch.duration);
        if batch.outcome == Outcome::Ok {
            status.last_success = Some(batch.at.wall);
            status.consecutive_failures = 0;
        } else {
            status.consecutive_failures += 1;
            status.total_failures += 1;
        }
    }
}
