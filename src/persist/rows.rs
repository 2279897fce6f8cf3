//! Tasks and events as rows, and back; alerts are in `alert_rows.rs`.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Statement, params};
use serde_json::value::RawValue;

use super::alert_rows::{read_alert, read_silence, write_alert, write_silence};
use crate::hub::{Message, Subject, Type};
use crate::pipeline::Records;
use crate::severity::Severity;
use crate::task::{self, LastRun, Pace, Task};

/// Groups whose last message is looked for; fewer may be remembered (`groups.max_groups`).
const GROUPS_MAX: u32 = 100_000;

type Result<T> = rusqlite::Result<T>;

/// A time as it is stored. Before 1677 and after 2262 there is none.
pub(super) fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

pub(super) fn time(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>> {
    let nanos: Option<i64> = row.get(column)?;
    Ok(nanos.map(|nanos| Timestamp::from_nanosecond(nanos.into()).unwrap_or_default()))
}

/// All tasks, alerts and groups. A row that makes no sense is passed over, and said so.
pub(super) fn load(connection: &Connection) -> Result<Records> {
    let mut tasks = connection.prepare("SELECT * FROM tasks")?;
    let mut alerts = connection.prepare("SELECT * FROM alerts")?;
    let mut runs = connection.prepare("SELECT * FROM task_runs")?;
    let mut silences = connection.prepare("SELECT * FROM silences")?;
    Ok(Records {
        tasks: all(&mut tasks, "id", read_task)?,
        runs: all(&mut runs, "name", read_run)?,
        alerts: all(&mut alerts, "id", read_alert)?,
        groups: last_of_groups(connection)?,
        silences: all(&mut silences, "id", read_silence)?,
    })
}

/// The groups in whose messages the last is the newest, with the number of that.
fn last_of_groups(connection: &Connection) -> Result<Vec<(Arc<str>, u64)>> {
    let sql = "SELECT subject, MAX(seq) FROM events WHERE kind = ? GROUP BY subject
        ORDER BY MAX(seq) DESC LIMIT ?";
    let mut select = connection.prepare(sql)?;
    let read = |row: &Row<'_>| {
        let (name, seq): (String, i64) = (row.get(0)?, row.get(1)?);
        Ok((name.into(), seq as u64))
    };
    select.query_map(params![Type::GroupMessage.name(), GROUPS_MAX], read)?.collect()
}

fn all<T>(
    rows: &mut Statement<'_>,
    key: &str,
    read: fn(&Row<'_>) -> Result<Option<T>>,
) -> Result<Vec<T>> {
    let (mut found, mut rows) = (Vec::new(), rows.query([])?);
    while let Some(row) = rows.next()? {
        match read(row)? {
            Some(value) => found.push(value),
            None => {
                let id: String = row.get(key)?;
                tracing::error!(id, "a row of the database makes no sense and is passed over");
            }
        }
    }
    Ok(found)
}

fn read_task(row: &Row<'_>) -> Result<Option<Task>> {
    let (id, status): (String, String) = (row.get("id")?, row.get("status")?);
    let details: Option<String> = row.get("details")?;
    let details = details.map(RawValue::from_string).transpose().ok();
    let (start, update) = (time(row, "start_time")?, time(row, "updated_at")?);
    let (Some(status), Some(details), Some(start_time), Some(updated_at)) =
        (task::Status::of(&status), details, start, update)
    else {
        return Ok(None);
    };
    let (heartbeat, update): (Option<i64>, Option<i64>) =
        (row.get("heartbeat")?, row.get("last_update")?);
    let (rate, key): (Option<f64>, Option<String>) = (row.get("rate")?, row.get("creation_key")?);
    Ok(Some(Task {
        id: id.into(),
        name: row.get("name")?,
        status,
        progress: row.get("progress")?,
        processed: row.get("processed")?,
        total: row.get("total")?,
        rate,
        eta: time(row, "eta")?,
        start_time,
        updated_at,
        end_time: time(row, "end_time")?,
        details: details.map(Arc::from),
        stop_requested: row.get("stop_requested")?,
        heartbeat: heartbeat.map(|ms| Duration::from_millis(ms.unsigned_abs())),
        stalled: row.get("stalled")?,
        update: update.map(|number| number as u64),
        key: key.map(Arc::from),
        pace: Pace::resumed(rate),
        heard: Duration::ZERO,
    }))
}

fn read_run(row: &Row<'_>) -> Result<Option<LastRun>> {
    let (name, status): (String, String) = (row.get("name")?, row.get("status")?);
    let (Some(status), Some(end_time)) = (task::Status::of(&status), time(row, "end_time")?) else {
        return Ok(None);
    };
    let (duration, last_success) = (row.get("duration")?, time(row, "last_success")?);
    Ok(Some(LastRun { name: name.into(), status, end_time, duration, last_success }))
}

/// Does to the tasks' table what was done to the tasks.
pub(super) fn write_tasks(connection: &Connection, entries: &[task::Entry]) -> Result<()> {
    for entry in entries {
        match entry {
            task::Entry::Gone(id) => {
                connection.prepare_cached("DELETE FROM tasks WHERE id = ?")?.execute([&**id])?;
            }
            task::Entry::Kept(task) => write_task(connection, task)?,
            task::Entry::Ran(run) => write_run(connection, run)?,
            task::Entry::Forgotten(name) => {
                let sql = "DELETE FROM task_runs WHERE name = ?";
                connection.prepare_cached(sql)?.execute([&**name])?;
            }
        }
    }
    Ok(())
}

/// Replaces all tasks and alerts.
pub(super) fn write_all(connection: &Connection, records: &Records) -> Result<()> {
    connection.execute_batch(
        "DELETE FROM tasks; DELETE FROM task_runs; DELETE FROM alerts; DELETE FROM silences;",
    )?;
    records.tasks.iter().try_for_each(|task| write_task(connection, task))?;
    records.runs.iter().try_for_each(|run| write_run(connection, run))?;
    records.alerts.iter().try_for_each(|alert| write_alert(connection, alert))?;
    records.silences.iter().try_for_each(|silence| write_silence(connection, silence))
}

fn write_task(connection: &Connection, task: &Task) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO tasks (id, name, status, progress, start_time, updated_at,
        end_time, details, stop_requested, processed, total, rate, eta, heartbeat, stalled,
        last_update, creation_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let heartbeat = task.heartbeat.map(|promise| promise.as_millis() as i64);
    connection.prepare_cached(sql)?.execute(params![
        &*task.id,
        task.name,
        task.status.name(),
        task.progress,
        nanos(task.start_time),
        nanos(task.updated_at),
        task.end_time.map(nanos),
        task.details.as_ref().map(|details| details.get()),
        task.stop_requested,
        task.processed,
        task.total,
        task.rate,
        task.eta.map(nanos),
        heartbeat,
        task.stalled,
        task.update.map(|number| number as i64),
        task.key,
    ])?;
    Ok(())
}

fn write_run(connection: &Connection, run: &LastRun) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO task_runs (name, status, end_time, duration, last_success)
        VALUES (?, ?, ?, ?, ?)";
    connection.prepare_cached(sql)?.execute(params![
        &*run.name,
        run.status.name(),
        nanos(run.end_time),
        run.duration,
        run.last_success.map(nanos),
    ])?;
    Ok(())
}

/// Adds an event; says whether it was not there yet.
pub(super) fn write_event(connection: &Connection, event: &Message, at: Timestamp) -> Result<bool> {
    let subject = match &event.subject {
        Subject::TaskUpdate(id) => id,
        Subject::Alert(severity) => severity.name(),
        Subject::GroupMessage(group) => group,
        Subject::SystemStatus | Subject::MetricsUpdate | Subject::CollectorUpdate(_) => "",
    };
    let text = String::from_utf8_lossy(&event.text);
    let sql = "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)";
    let (seq, kind) = (event.seq as i64, event.subject.kind().name());
    let row = params![seq, at.as_millisecond(), kind, subject, text];
    Ok(connection.prepare_cached(sql)?.execute(row)? > 0)
}

/// The event of a row with `seq`, `kind`, `subject` and `text`, in this order.
pub(super) fn read_event(row: &Row<'_>) -> Result<Option<Message>> {
    let (seq, kind, subject): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let subject = match Type::of(&kind) {
        Some(Type::TaskUpdate) => Some(Subject::TaskUpdate(subject.into())),
        Some(Type::Alert) => Severity::of(&subject).map(Subject::Alert),
        Some(Type::GroupMessage) => Some(Subject::GroupMessage(subject.into())),
        _ => None,
    };
    let text: String = row.get(3)?;
    Ok(subject.map(|subject| Message::kept(seq as u64, subject, text)))
}
