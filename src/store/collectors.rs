//! How each collector is doing, as its batches tell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::notice::{Minutely, Notice, Noticed};
use crate::sample::{Batch, Outcome, Reason, Rejected, brief};

/// How each collector is doing.
#[derive(Debug, Default)]
pub struct Collectors {
    statuses: BTreeMap<Arc<str>, CollectorStatus>,
    untold: BTreeMap<Arc<str>, Untold>,
}

/// What of a collector is to be told when it is time.
#[derive(Debug, Default)]
struct Untold {
    resets: u64,
    resets_told: Minutely,
    rejected: Rejected,
    rejected_told: Minutely,
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
    /// The first one of the last minute that had any: when it was told, why, and which.
    pub last_rejected: Option<(Timestamp, Reason, String)>,
    /// Counters that went down so far, and the last of these series.
    pub counter_resets: u64,
    pub last_reset: Option<String>,
    /// Failures since the last success, and in all.
    pub consecutive_failures: u64,
    pub total_failures: u64,
    /// Why the last collection failed.
    pub error: Option<String>,
    /// Why a new configuration was refused; the one before it is in force.
    pub config_error: Option<String>,
    /// Why there is nothing to measure.
    pub reason: Option<String>,
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
    /// What it measures is not on this machine. It is well, and not tried again before a reload.
    Absent,
}

impl CollectorState {
    /// Whether it wants somebody's attention.
    pub fn is_trouble(self) -> bool {
        !matches!(self, CollectorState::Waiting | CollectorState::Ok | CollectorState::Absent)
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            CollectorState::Waiting => "waiting",
            CollectorState::Ok => "ok",
            CollectorState::Failing => "failing",
            CollectorState::TimedOut => "timed_out",
            CollectorState::Broken => "broken",
            CollectorState::Stopped => "stopped",
            CollectorState::Absent => "absent",
        }
    }

    /// Whether nothing is wrong with it.
    pub fn is_well(self) -> bool {
        matches!(self, CollectorState::Waiting | CollectorState::Ok | CollectorState::Absent)
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
            last_rejected: None,
            counter_resets: 0,
            last_reset: None,
            consecutive_failures: 0,
            total_failures: 0,
            error: None,
            config_error: None,
            reason: None,
        };
        self.untold.insert(collector.clone(), Untold::default());
        self.statuses.insert(collector, status);
    }

    /// Takes note of what came of a new configuration.
    pub fn reloaded(&mut self, collector: &str, refused: Option<String>) {
        if let Some(status) = self.statuses.get_mut(collector) {
            status.config_error = refused;
        }
    }

    /// Forgets one that is gone.
    pub fn forget(&mut self, collector: &str) {
        self.statuses.remove(collector);
        self.untold.remove(collector);
    }

    /// Takes note of what the store noticed in a batch; returns what is to be told of it now: a
    /// collector that does something odd does so every time, so it is told once a minute.
    pub fn note(&mut self, batch: &Batch, noticed: &Noticed) -> Vec<Notice> {
        let (collector, now) = (&batch.collector, batch.at.uptime);
        let status = self.statuses.get_mut(collector);
        let (Some(status), Some(untold)) = (status, self.untold.get_mut(collector)) else {
            return Vec::new();
        };
        let mut notices = Vec::new();
        if let Some(key) = &noticed.last_reset {
            status.counter_resets += noticed.resets;
            status.last_reset = Some(brief(&key.to_string()));
            untold.resets += noticed.resets;
        }
        if let Some(series) = status.last_reset.as_ref().filter(|_| untold.resets > 0)
            && untold.resets_told.passes(now)
        {
            let count = std::mem::take(&mut untold.resets);
            let (collector, series) = (collector.clone(), series.clone());
            notices.push(Notice::Resets { collector, count, series });
        }
        for rejected in [&batch.rejected, &noticed.rejected] {
            status.rejected += rejected;
            untold.rejected += rejected;
        }
        if untold.rejected.total() > 0 && untold.rejected_told.passes(now) {
            let rejected = std::mem::take(&mut untold.rejected);
            let first = rejected.first();
            status.last_rejected =
                first.map(|(reason, what)| (batch.at.wall, reason, what.to_owned()));
            notices.push(Notice::Rejected { collector: collector.clone(), rejected });
        }
        notices
    }

    /// Takes note of how a collection ended.
    pub fn record(&mut self, batch: &Batch) {
        let Some(status) = self.statuses.get_mut(&batch.collector) else { return };
        let (state, error) = match &batch.outcome {
            Outcome::Ok => (CollectorState::Ok, None),
            Outcome::Failed(error) => (CollectorState::Failing, Some(error.clone())),
            Outcome::Stopped(error) => (CollectorState::Stopped, Some(error.clone())),
            Outcome::Absent(_) => (CollectorState::Absent, None),
            Outcome::TimedOut => {
                let error = "did not return within its deadline".to_owned();
                (CollectorState::TimedOut, Some(error))
            }
        };
        status.state = if batch.broken { CollectorState::Broken } else { state };
        status.error = error;
        status.reason = match &batch.outcome {
            Outcome::Absent(reason) => Some(reason.clone()),
            _ => None,
        };
        status.samples = batch.samples.len();
        status.last_duration = Some(batch.duration);
        if batch.outcome.is_failure() {
            status.consecutive_failures += 1;
            status.total_failures += 1;
        } else {
            status.consecutive_failures = 0;
        }
        if batch.outcome == Outcome::Ok {
            status.last_success = Some(batch.at.wall);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Moment, SeriesKey};

    #[test]
    fn what_is_odd_is_told_once_a_minute_with_the_first_of_it() {
        let mut collectors = Collectors::default();
        collectors.expect("it".into(), "it".to_owned(), Duration::from_secs(1));
        let mut told = |second, bad: &[&str], resets| {
            let uptime = Duration::from_secs(second);
            let mut batch = Batch {
                collector: "it".into(),
                at: Moment { wall: Timestamp::UNIX_EPOCH, uptime },
                duration: Duration::ZERO,
                samples: Vec::new(),
                rejected: Rejected::default(),
                outcome: Outcome::Ok,
                broken: false,
            };
            bad.iter().for_each(|what| batch.rejected.add(Reason::Invalid, || (*what).to_owned()));
            let mut noticed = Noticed::default();
            (0..resets).for_each(|_| noticed.reset(&Arc::new(SeriesKey::new("total", []))));
            let lines = collectors.note(&batch, &noticed).into_iter().map(|notice| match notice {
                Notice::Resets { count, series, .. } => format!("{count} resets, {series}"),
                Notice::Rejected { rejected, .. } => {
                    format!("{} rejected, {}", rejected.total(), rejected.first().unwrap().1)
                }
            });
            lines.collect::<Vec<_>>().join("; ")
        };
        assert_eq!(told(1, &[], 0), "");
        assert_eq!(told(2, &["a", "b"], 0), "2 rejected, a");
        assert_eq!(told(3, &["c", "d"], 1), "1 resets, total");
        assert_eq!(told(4, &["e"], 2), "");
        assert_eq!(told(62, &[], 0), "3 rejected, c");
        assert_eq!(told(63, &["f"], 0), "2 resets, total");
        assert_eq!(told(200, &[], 0), "1 rejected, f");
        assert_eq!(told(300, &[], 0), "");
        let (_, status) = collectors.iter().next().unwrap();
        assert_eq!((status.rejected.total(), status.counter_resets), (6, 3));
        assert_eq!(status.last_rejected.as_ref().unwrap().2, "f");
    }
}
