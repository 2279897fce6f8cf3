//! Tasks as clients see and report them.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::number;
use crate::sample::rfc3339;
use crate::task::{self, Status};
use crate::units::HumanDuration;

/// A task: `task_update.data`, and what REST answers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Task {
    pub id: String,
    pub name: String,
    pub status: Status,
    /// Percent done, 0 to 100.
    #[serde(serialize_with = "number")]
    pub progress: f64,
    /// Pieces done, if its owner counts them.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe")]
    #[schemars(default)]
    pub processed: Option<f64>,
    /// Pieces in all.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe")]
    #[schemars(default)]
    pub total: Option<f64>,
    /// Pieces a second, or percent a second if there are no pieces; while it runs, smoothed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "four_digits")]
    #[schemars(default)]
    pub rate: Option<f64>,
    /// When it will end at this rate, as of its last report of progress; RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta: Option<String>,
    /// When it began to run, and until then when it was created; RFC 3339, UTC.
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
    /// Its owner has promised a report at least this often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HumanDuration>,
    /// Its owner has been silent for longer than it promised.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub stalled: bool,
    /// The number that its owner gave the last report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<u64>,
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
            processed: task.processed,
            total: task.total,
            rate: task.rate,
            eta: task.eta.map(rfc3339),
            start_time: rfc3339(task.start_time),
            updated_at: rfc3339(task.updated_at),
            end_time: task.end_time.map(rfc3339),
            details: task.details.as_deref().map(ToOwned::to_owned),
            stop_requested: task.stop_requested,
            heartbeat: task.heartbeat.map(HumanDuration),
            stalled: task.stalled,
            update: task.update,
            durable: None,
        }
    }
}

fn maybe<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => number(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// What is measured needs no more.
fn four_digits<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    let rounded = value.map(|value| format!("{value:.3e}").parse().unwrap_or(value));
    maybe(&rounded, serializer)
}

/// The address of a task.
pub fn task_path(id: &str) -> String {
    super::path_of("/api/v1/tasks/", id)
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
    /// Percent done, 0 to 100; 0 if absent, or what `processed` is of `total`.
    pub progress: Option<f64>,
    /// Pieces done, from 0 to `total`.
    pub processed: Option<f64>,
    /// Pieces in all.
    pub total: Option<f64>,
    /// Any JSON, within `tasks.max_details_size`.
    #[schemars(with = "Option<serde_json::Value>")]
    pub details: Option<Box<RawValue>>,
    /// A promise to report at least this often, from 1s; "0s" is none. `tasks.heartbeat` if absent.
    pub heartbeat: Option<HumanDuration>,
    /// When it began, if it is told late; RFC 3339. What is in the future is now.
    #[serde(default, deserialize_with = "time")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
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
    /// Pieces done, from 0 to `total`.
    pub processed: Option<f64>,
    /// Pieces in all.
    pub total: Option<f64>,
    /// Any JSON, within `tasks.max_details_size`.
    #[schemars(with = "Option<serde_json::Value>")]
    pub details: Option<Box<RawValue>>,
    /// A promise to report at least this often, from 1s; "0s" takes it back.
    pub heartbeat: Option<HumanDuration>,
    /// When it was so, if it is told late; RFC 3339. What is in the future is now, and what is before
    /// the task's start is then.
    #[serde(default, deserialize_with = "time")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// The number of this report among those of its sender on this task. One that is not above that of
    /// the last report accepted changes nothing, and is answered like it: it was sent again.
    #[schemars(range(min = 0))]
    pub update: Option<u64>,
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let time = text.parse().map_err(|_| {
        D::Error::custom(format_args!(
            "{text:?} is no time of RFC 3339, such as 2026-11-23T10:00:00Z"
        ))
    })?;
    Ok(Some(time))
}

fn promise(heartbeat: Option<HumanDuration>) -> Option<Duration> {
    heartbeat.map(|heartbeat| *heartbeat)
}

impl NewTask {
    /// The id, the name, and everything else.
    pub fn into_parts(self) -> (Option<String>, String, task::Change) {
        let Self { id, name, status, progress, processed, total, details, heartbeat, at } = self;
        let heartbeat = promise(heartbeat);
        let change = task::Change {
            name: None,
            status,
            progress,
            processed,
            total,
            details,
            heartbeat,
            at,
            update: None,
        };
        (id, name, change)
    }
}

impl From<TaskChange> for task::Change {
    fn from(change: TaskChange) -> Self {
        let TaskChange { name, status, progress, processed, total, details, heartbeat, at, update } =
            change;
        let heartbeat = promise(heartbeat);
        Self { name, status, progress, processed, total, details, heartbeat, at, update }
    }
}
