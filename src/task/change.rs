//! What may be reported of a task, and why a report is refused.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::pace::Position;
use super::{Config, Status, Task};
use crate::bounds::OutOfBounds;
use crate::sample::Moment;

const NAME_BYTES_MAX: usize = 256;
/// The shortest time that an owner may promise to speak within.
pub const HEARTBEAT_MIN: Duration = Duration::from_secs(1);
/// The longest one.
pub const HEARTBEAT_MAX: Duration = Duration::from_secs(365 * 86_400);
/// What is further away than this is no estimate.
const ETA_SECONDS_MAX: f64 = 3_650.0 * 86_400.0;

/// What is reported of a task; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<String>,
    pub status: Option<Status>,
    /// Percent, 0 to 100.
    pub progress: Option<f64>,
    /// Pieces done, and pieces in all.
    pub processed: Option<f64>,
    pub total: Option<f64>,
    pub details: Option<Box<RawValue>>,
    /// What its owner promises; zero takes the promise back.
    pub heartbeat: Option<Duration>,
    /// When this was so, if not now.
    pub at: Option<Timestamp>,
    /// The number of this report among those of its owner.
    pub update: Option<u64>,
}

/// Why a task was not changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("there is no task {0:?}")]
    NotFound(String),
    #[error("there is a task {0:?} already; report on it by PATCH, or give the new one another id")]
    Exists(String),
    #[error("task {id:?} is {from}; it cannot become {to}: {rest}", from = from.name(), to = to.name(), rest = possible(*from))]
    Transition { id: String, from: Status, to: Status },
    #[error("task {id:?} is {status}; only a task that has ended can be deleted", status = status.name())]
    Active { id: String, status: Status },
    #[error("progress is {0}; it must be a number from 0 to 100")]
    Progress(f64),
    #[error("{field} is {value}; it must be a number of 0 or more")]
    Count { field: &'static str, value: f64 },
    #[error(
        "processed is {processed} and total {total}: report a total of at least what is processed"
    )]
    Beyond { processed: f64, total: f64 },
    #[error("heartbeat is {0:?}; it must be from 1s to 365d, or 0s for none")]
    Heartbeat(Duration),
    #[error(
        "this request's Idempotency-Key has created task {0:?}; another task needs another key"
    )]
    KeyUsed(String),
    #[error(transparent)]
    Length(#[from] OutOfBounds),
    #[error("there are {0} tasks that have not ended, as many as may be")]
    Full(usize),
}

fn possible(from: Status) -> String {
    let names: Vec<&str> = from.successors().iter().map(|status| status.name()).collect();
    match names.is_empty() {
        true => "it has ended, which is final".to_owned(),
        false => format!("it can become {}", names.join(", ")),
    }
}

/// What `details` may say of progress; see [`Change::take_counts`].
#[derive(Deserialize)]
struct Counts {
    processed: f64,
    total: f64,
}

impl Change {
    /// Refuses what no task can be.
    pub(super) fn check(&self, limits: &Config) -> Result<(), Error> {
        if let Some(progress) = self.progress.filter(|p| !(0.0..=100.0).contains(p)) {
            return Err(Error::Progress(progress));
        }
        for (field, value) in [("processed", self.processed), ("total", self.total)] {
            if let Some(value) = value.filter(|value| !(value.is_finite() && *value >= 0.0)) {
                return Err(Error::Count { field, value });
            }
        }
        let possible = HEARTBEAT_MIN..=HEARTBEAT_MAX;
        let promise = self.heartbeat.filter(|promise| !promise.is_zero());
        if let Some(promise) = promise.filter(|promise| !possible.contains(promise)) {
            return Err(Error::Heartbeat(promise));
        }
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        let details = self.details.as_ref().map_or(1, |details| details.get().len());
        OutOfBounds::check("details", details, *limits.max_details_size as usize)?;
        Ok(())
    }

    /// A report that says of progress nothing but `processed` and `total` among its details, as the
    /// first clients of the protocol do, is taken at these.
    pub(super) fn take_counts(&mut self) {
        if self.progress.is_some() || self.processed.is_some() || self.total.is_some() {
            return;
        }
        let said = self.details.as_ref();
        let counts = said.and_then(|said| serde_json::from_str::<Counts>(said.get()).ok());
        let is_sound =
            |counts: &Counts| counts.processed >= 0.0 && counts.processed <= counts.total;
        if let Some(Counts { processed, total }) = counts.filter(is_sound) {
            (self.processed, self.total) = (Some(processed), Some(total));
        }
    }

    /// When it was so: never later than now, nor before `least`.
    pub(super) fn time(&self, least: Timestamp, now: Moment) -> Timestamp {
        self.at.map_or(now.wall, |at| at.max(least).min(now.wall))
    }
}

pub(super) fn check_name(name: &str) -> Result<(), OutOfBounds> {
    OutOfBounds::check("name", name.len(), NAME_BYTES_MAX)
}

impl Task {
    /// Refuses counts that contradict each other, together with those that are known already.
    pub(super) fn check_counts(&self, change: &Change) -> Result<(), Error> {
        let (processed, total) = (change.processed.or(self.processed), change.total.or(self.total));
        let is_said = change.processed.is_some() || change.total.is_some();
        match (processed, total) {
            (Some(processed), Some(total)) if is_said && processed > total => {
                Err(Error::Beyond { processed, total })
            }
            _ => Ok(()),
        }
    }

    /// Takes in what a report says of progress.
    pub(super) fn advance(&mut self, change: &Change, at: Timestamp, now: Moment) {
        let has_counts = change.processed.is_some() || change.total.is_some();
        (self.processed, self.total) =
            (change.processed.or(self.processed), change.total.or(self.total));
        let percent = match (self.processed, self.total) {
            (Some(processed), Some(total)) if total > 0.0 => Some(100.0 * processed / total),
            _ => None,
        };
        if let Some(progress) = change.progress.or(percent.filter(|_| has_counts)) {
            self.progress = progress;
        }
        if self.status == Status::Completed && change.progress.is_none() {
            self.progress = 100.0;
        }
        if self.status != Status::Running {
            (self.rate, self.eta) = (None, None);
            return;
        }
        let position = match (change.processed, change.progress) {
            (Some(processed), _) => Position::Count(processed),
            (None, Some(progress)) if self.processed.is_none() => Position::Percent(progress),
            _ => return,
        };
        let age = now.wall.duration_since(at).as_secs_f64();
        self.pace.observe(position, now.uptime.as_secs_f64() - age);
        self.rate = self.pace.rate();
        let left = match position {
            Position::Count(processed) => self.total.map(|total| total - processed),
            Position::Percent(progress) => Some(100.0 - progress),
        };
        self.eta = left.zip(self.rate).and_then(|(left, rate)| {
            let seconds = left / rate;
            let is_near = seconds.is_finite() && seconds <= ETA_SECONDS_MAX;
            let seconds = is_near.then(|| jiff::SignedDuration::from_secs_f64(seconds))?;
            at.checked_add(seconds).ok()
        });
    }
}
