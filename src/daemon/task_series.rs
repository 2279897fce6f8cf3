//! Tasks as series, for queries and rules: `gz_tasks*` of them all, `gz_task_*` by name.

use jiff::Timestamp;

use crate::sample::{BatchBuilder, Value};
use crate::task::{NameState, Registry, Status};

/// Tells of all tasks.
pub(super) fn tasks(out: &mut BatchBuilder, tasks: &Registry) {
    for status in Status::ALL {
        let count = tasks.iter().filter(|task| task.status == status).count();
        out.push("gz_tasks", &[("status", status.name())], Value::Gauge(count as f64));
    }
    let stalled = tasks.active().filter(|task| task.stalled).count();
    out.push("gz_tasks_stalled", &[], Value::Gauge(stalled as f64));
    let removed = tasks.removed();
    let reasons = [
        ("age", removed.age),
        ("count", removed.count),
        ("room", removed.room),
        ("deleted", removed.deleted),
    ];
    for (reason, count) in reasons {
        out.push("gz_tasks_removed_total", &[("reason", reason)], Value::Counter(count as f64));
    }
    let (_, forgotten) = tasks.runs();
    out.push("gz_task_names_forgotten_total", &[], Value::Counter(forgotten as f64));
    for (task, state) in tasks.names() {
        named(out, &task, &state);
    }
}

/// Tells of the tasks of one name.
fn named(out: &mut BatchBuilder, task: &str, state: &NameState) {
    let mut gauge = |name: &str, value: f64| out.push(name, &[("task", task)], Value::Gauge(value));
    gauge("gz_task_active", state.active as f64);
    gauge("gz_task_stalled", state.stalled as f64);
    if let Some(progress) = state.progress {
        gauge("gz_task_progress_percent", progress);
    }
    let Some(last) = &state.last else { return };
    let is_failed = last.status == Status::Failed;
    gauge("gz_task_failed", f64::from(u8::from(is_failed)));
    gauge("gz_task_last_end_timestamp_seconds", seconds(last.end_time));
    gauge("gz_task_last_duration_seconds", last.duration);
    if let Some(success) = last.last_success {
        gauge("gz_task_last_success_timestamp_seconds", seconds(success));
    }
}

/// As Prometheus writes times.
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1_000.0
}
