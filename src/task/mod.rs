//! The registry of tasks: their states, progress and legal transitions.

mod config;
mod registry;

pub use config::Config;
pub use registry::{Change, Error, Registry};

use std::sync::Arc;

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
    pub start_time: Timestamp,
    pub updated_at: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// Whatever its owner wants to say, as JSON.
    pub details: Option<Arc<RawValue>>,
    /// Somebody asked its owner to stop.
    pub stop_requested: bool,
}

/// What became of one task, for whoever keeps tasks.
#[derive(Debug, Clone)]
pub enum Entry {
    /// It is as this says.
    Kept(Task),
    /// The task of this id is gone.
    Gone(Arc<str>),
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
