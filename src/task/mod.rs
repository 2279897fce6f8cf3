//! The registry of tasks: their states, progress and legal transitions.

mod change;
mod config;
mod keeping;
mod pace;
mod registry;
mod runs;
#[cfg(test)]
mod tests;

pub use change::{Change, Error};
pub use config::Config;
pub use keeping::Removed;
pub use pace::Pace;
pub use registry::{Registry, Reported};
pub use runs::{LastRun, NameState};

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A piece of work that somebody reports on.
#[derive(Debug, Clone)]
pub struct Task {
    pub id: Arc<str>,
    pub name: String,
    pub status: Status,
    /// Percent done, 0 to 100.
    pub progress: f64,
    /// Pieces done, if it has pieces.
    pub processed: Option<f64>,
    /// Pieces in all.
    pub total: Option<f64>,
    /// Pieces, or percent, a second, while it runs.
    pub rate: Option<f64>,
    /// When it will end at this rate.
    pub eta: Option<Timestamp>,
    /// When it began to run; until then, when it was created.
    pub start_time: Timestamp,
    pub updated_at: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// Whatever its owner wants to say, as JSON.
    pub details: Option<Arc<RawValue>>,
    /// Somebody asked its owner to stop.
    pub stop_requested: bool,
    /// Its owner has promised not to be silent for longer.
    pub heartbeat: Option<Duration>,
    /// Its owner has broken the promise, and not been heard since.
    pub stalled: bool,
    /// The number that its owner gave the last report.
    pub update: Option<u64>,
    /// What tells the request that created it from others.
    pub key: Option<Arc<str>>,
    /// What is known of its pace; of this only the rate is kept.
    pub pace: Pace,
    /// Its owner was last heard at this uptime of the daemon; not kept.
    pub heard: Duration,
}

/// What became of one task, for whoever keeps tasks.
#[derive(Debug, Clone)]
pub enum Entry {
    /// It is as this says.
    Kept(Box<Task>),
    /// The task of this id is gone.
    Gone(Arc<str>),
    /// The last run of a name is this.
    Ran(LastRun),
    /// The last run of this name is remembered no longer.
    Forgotten(Arc<str>),
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pending,
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 5] =
        [Status::Pending, Status::Running, Status::Completed, Status::Failed, Status::Cancelled];

    /// The status of this name.
    pub fn of(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Running => "running",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }

    /// Whether the work is over.
    pub fn is_ended(self) -> bool {
        matches!(self, Status::Completed | Status::Failed | Status::Cancelled)
    }

    /// The statuses that may come next. The same one may always be reported again until the end.
    pub fn successors(self) -> &'static [Status] {
        match self {
            Status::Pending => {
                &[Status::Pending, Status::Running, Status::Failed, Status::Cancelled]
            }
            Status::Running => {
                &[Status::Running, Status::Completed, Status::Failed, Status::Cancelled]
            }
            Status::Completed | Status::Failed | Status::Cancelled => &[],
        }
    }
}
