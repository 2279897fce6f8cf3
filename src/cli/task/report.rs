//! What is told of a command: the bodies of the requests, and how much of its output is in them.

use std::process::ExitStatus;

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use jiff::Timestamp;
use nix::sys::signal::Signal;
use serde_json::{Map, Value, json};

use super::seen::Seen;
use crate::sample::rfc3339;
use crate::task::Status;
use crate::units::HumanDuration;

/// Lines, and bytes of details, while it runs: every update is kept for days.
const LINES_WHILE_RUNNING: usize = 5;
const BYTES_WHILE_RUNNING: usize = 1 << 10;
/// Bytes of details at its end.
pub(super) const BYTES_AT_END: usize = 8 << 10;
/// What is told later than this says when it was.
const LATE: Duration = Duration::from_secs(2);

/// What does not change while a command runs.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) id: String,
    /// What tells this run from another one of the same id.
    pub(super) key: String,
    pub(super) name: String,
    /// The program, without its arguments: these may hold what not everybody should know.
    pub(super) program: String,
    pub(super) heartbeat: Duration,
    pub(super) started: Timestamp,
}

/// How a command has ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) status: Status,
    pub(super) at: Timestamp,
    /// "exit_code", "signal" or "error", and what it is.
    pub(super) outcome: (&'static str, Value),
}

impl End {
    /// That of a command which has run. One that was asked to stop is cancelled however it has ended;
    /// one that was sent a signal, or interrupted at the terminal, if it has not succeeded all the same.
    pub(super) fn of(status: ExitStatus, was_stopped: bool, was_signalled: bool) -> Self {
        let interrupted =
            status.signal() == Some(Signal::SIGINT as i32) || status.code() == Some(130);
        let status_of_task = match (was_stopped, status.success()) {
            (true, _) => Status::Cancelled,
            (false, true) => Status::Completed,
            (false, false) if was_signalled || interrupted => Status::Cancelled,
            (false, false) => Status::Failed,
        };
        let outcome = match status.signal() {
            Some(number) => {
                let name = Signal::try_from(number).map(|signal| json!(signal.as_str()));
                ("signal", name.unwrap_or(json!(number)))
            }
            None => ("exit_code", json!(status.code())),
        };
        Self { status: status_of_task, at: Timestamp::now(), outcome }
    }

    /// That of a command which could not be started.
    pub(super) fn unstarted(error: &str) -> Self {
        Self { status: Status::Failed, at: Timestamp::now(), outcome: ("error", json!(error)) }
    }
}

impl Subject {
    /// The body that creates the task.
    pub(super) fn create(&self, now: Timestamp) -> Value {
        let mut body = json!({
            "id": self.id,
            "name": self.name,
            "heartbeat": HumanDuration(self.heartbeat),
            "details": { "command": self.program },
        });
        say_when(&mut body, Some(self.started), now);
        body
    }

    /// The body of an update while it runs.
    pub(super) fn progress(
        &self,
        seen: &Seen,
        number: u64,
        with_details: bool,
        now: Timestamp,
    ) -> Value {
        let mut body = json!({ "update": number });
        add_reading(&mut body, seen);
        if with_details {
            let details = self.details(seen, LINES_WHILE_RUNNING, None, BYTES_WHILE_RUNNING);
            body["details"] = details;
        }
        say_when(&mut body, seen.at, now);
        body
    }

    /// The body that ends it. `bytes` is how much its details may have; 0 is none.
    pub(super) fn end(&self, seen: &Seen, number: u64, end: &End, bytes: usize) -> Value {
        let mut body = json!({ "update": number, "status": end.status });
        add_reading(&mut body, seen);
        // It is all done, whatever the last line said.
        if end.status == Status::Completed
            && let Some(body) = body.as_object_mut()
        {
            body.remove("progress");
        }
        if bytes > 0 {
            body["details"] = self.details(seen, usize::MAX, Some(end), bytes);
        }
        // Always: it may be kept, and delivered at any time.
        body["at"] = json!(rfc3339(end.at));
        body
    }

    fn details(&self, seen: &Seen, lines: usize, end: Option<&End>, bytes: usize) -> Value {
        let mut reported = seen.reading.details.clone();
        let lines: Vec<&String> = seen.tail.iter().rev().take(lines).collect();
        let mut lines: Vec<&String> = lines.into_iter().rev().collect();
        loop {
            let details = self.compose(reported.as_ref(), &lines, end);
            if details.to_string().len() <= bytes {
                return details;
            }
            match lines.is_empty() {
                false => drop(lines.remove(0)),
                true if reported.is_some() => reported = None,
                true => return details,
            }
        }
    }

    /// What it reports itself is beside what is known of it anyway.
    fn compose(&self, reported: Option<&Value>, lines: &[&String], end: Option<&End>) -> Value {
        let mut details = match reported {
            Some(Value::Object(members)) => members.clone(),
            Some(other) => Map::from_iter([("details".to_owned(), other.clone())]),
            None => Map::new(),
        };
        details.insert("command".to_owned(), json!(self.program));
        if let Some(End { outcome: (what, value), .. }) = end {
            details.insert((*what).to_owned(), value.clone());
        }
        if !lines.is_empty() {
            details.insert("output".to_owned(), json!(lines));
        }
        Value::Object(details)
    }
}

fn add_reading(body: &mut Value, seen: &Seen) {
    let reading = &seen.reading;
    let numbers = [
        ("progress", reading.progress),
        ("processed", reading.processed),
        ("total", reading.total),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            body[name] = json!(number);
        }
    }
}

/// By our clock, which may not be the daemon's: only what is told late says when it was.
fn say_when(body: &mut Value, at: Option<Timestamp>, now: Timestamp) {
    let is_late = |at: &Timestamp| now.duration_since(*at).unsigned_abs() > LATE;
    if let Some(at) = at.filter(is_late) {
        body["at"] = json!(rfc3339(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn subject() -> Subject {
        let [id, key, name, program] = ["i", "k", "n", "sh"].map(str::to_owned);
        Subject { id, key, name, program, heartbeat: Duration::from_secs(30), started: NOW }
    }

    fn seen(lines: usize) -> Seen {
        let tail = (0..lines).map(|number| format!("line {number}")).collect();
        let mut seen = Seen { tail, at: Some(NOW), ..Seen::default() };
        seen.reading.processed = Some(3.0);
        seen.reading.details = Some(json!({"errors": 2, "command": "x"}));
        seen
    }

    #[test]
    fn how_it_has_ended() {
        let check = |wait: i32, stopped, signalled, status, outcome: (&'static str, Value)| {
            let end = End::of(ExitStatus::from_raw(wait), stopped, signalled);
            assert_eq!((end.status, end.outcome), (status, outcome), "{wait}");
        };
        check(0, false, false, Status::Completed, ("exit_code", json!(0)));
        check(0, false, true, Status::Completed, ("exit_code", json!(0)));
        check(0, true, false, Status::Cancelled, ("exit_code", json!(0)));
        check(3 << 8, false, false, Status::Failed, ("exit_code", json!(3)));
        check(3 << 8, false, true, Status::Cancelled, ("exit_code", json!(3)));
        check(130 << 8, false, false, Status::Cancelled, ("exit_code", json!(130)));
        check(2, false, false, Status::Cancelled, ("signal", json!("SIGINT")));
        check(9, false, false, Status::Failed, ("signal", json!("SIGKILL")));
        check(15, true, false, Status::Cancelled, ("signal", json!("SIGTERM")));
    }

    #[test]
    fn bodies() {
        let (subject, later) = (subject(), Timestamp::from_second(10).expect("a time"));
        let create =
            json!({"id": "i", "name": "n", "heartbeat": "30s", "details": {"command": "sh"}});
        assert_eq!(subject.create(NOW), create);
        assert_eq!(subject.create(later)["at"], "1970-01-01T00:00:00.000Z");
        let progress = subject.progress(&seen(7), 4, true, NOW);
        let output: Vec<String> = (2..7).map(|number| format!("line {number}")).collect();
        let details = json!({"command": "sh", "errors": 2, "output": output});
        assert_eq!(progress, json!({"update": 4, "processed": 3.0, "details": details}));
        assert_eq!(subject.progress(&seen(7), 4, false, later)["details"], Value::Null);
        let end = End { at: NOW, ..End::unstarted("no such file") };
        let body = subject.end(&seen(0), 5, &end, 1000);
        let details = json!({"command": "sh", "error": "no such file", "errors": 2});
        let at = "1970-01-01T00:00:00.000Z";
        let expected = json!({"update": 5, "status": "failed", "processed": 3.0, "details": details, "at": at});
        assert_eq!(body, expected);
    }

    #[test]
    fn the_oldest_lines_make_room_and_then_what_was_reported() {
        let (subject, end) = (subject(), End::unstarted("e"));
        let size = |bytes| {
            let details = subject.end(&seen(100), 5, &end, bytes)["details"].take();
            assert!(details.to_string().len() <= bytes, "{details}");
            let lines = details["output"].as_array().map_or(0, Vec::len);
            (lines, details["errors"].as_u64())
        };
        assert_eq!(size(8 << 10), (100, Some(2)));
        assert_eq!(size(100), (5, Some(2)));
        assert_eq!(size(40), (0, Some(2)));
        assert_eq!(size(30), (0, None));
        let last = subject.end(&seen(100), 5, &end, 100)["details"]["output"][4].take();
        assert_eq!(last, "line 99");
    }
}
