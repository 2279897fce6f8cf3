//! Tasks as clients see and report them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::number;
use crate::sample::rfc3339;
use crate::task::{self, Status};

/// A task: `task_update.data`, and what REST answers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Task {
    pub id: String,
    pub name: String,
    pub status: Status,
    /// Percent done, 0 to 100.
    #[serde(serialize_with = "number")]
    pub progress: f64,
    /// RFC 3339, UTC.
    pub start_time: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// When it ended; RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
    /// Whatever its owner reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub details: Option<Box<RawValue>>,
    /// Somebody asked its owner to stop.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub stop_requested: bool,
    /// In the answer to a request that changed it: false if it is in memory only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub durable: Option<bool>,
}

impl From<&task::Task> for Task {
    fn from(task: &task::Task) -> Self {
        Self {
            id: task.id.to_string(),
            name: task.name.clone(),
            status: task.status,
            progress: task.progress,
            start_time: rfc3339(task.start_time),
            updated_at: rfc3339(task.updated_at),
            end_time: task.end_time.map(rfc3339),
            details: task.details.as_deref().map(ToOwned::to_owned),
            stop_requested: task.stop_requested,
            durable: None,
        }
    }
}

/// `GET /api/v1/tasks`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Tasks {
    /// By id.
    pub tasks: Vec<Task>,
}

/// What `DELETE /api/v1/tasks/{id}` answers if it has something to say.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Removed {
    /// False: the task is gone in memory only, and may be back after a restart.
    pub durable: bool,
}

/// The body of `POST /api/v1/tasks`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// Its id, if the sender wants to name it: 1 to 128 bytes.
    pub id: Option<String>,
    /// 1 to 256 bytes.
    pub name: String,
    /// "running" if absent.
    pub status: Option<Status>,
    /// Percent done, 0 to 100; 0 if absent.
    pub progress: Option<f64>,
    /// Any JSON, within `tasks.max_details_size`.
    #[schemars(with = "Option<serde_json::Value>")]
    pub details: Option<Box<RawValue>>,
}

/// The body of `PATCH /api/v1/tasks/{id}`; what is absent stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskChange {
    /// 1 to 256 bytes.
    pub name: Option<String>,
    /// One that may follow the present one.
    pub status: Option<Status>,
    /// Percent done, 0 to 100.
    pub progress: Option<f64>,
    /// Any JSON, within `tasks.max_details_size`.
    #[schemars(with = "Option<serde_json::Value>")]
    pub details: Option<Box<RawValue>>,
}

impl From<TaskChange> for task::Change {
    fn from(TaskChange { name, status, progress, details }: TaskChange) -> Self {
        Self { name, status, progress, details }
    }
}
