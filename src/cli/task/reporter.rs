//! Tells the daemon of a command, as often as it is worth and as well as it can: what is not taken is
//! told again later, the newest progress in place of the one before.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::delivery::{Daemon, Outcome};
use super::report::{BYTES_AT_END, End, Subject};
use super::seen::Board;
use super::spool::{self, Undelivered};

/// Between two updates: a hundredth of the time that it has run so far, within these.
const OFTEN: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_secs(1);
/// Between two updates that bear details.
const BETWEEN_DETAILS: Duration = Duration::from_secs(5);
/// Between two attempts to reach a daemon that is away.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// The one attempt that is always made at the end may take so long.
const LAST_ATTEMPT: Duration = Duration::from_secs(1);
/// For a task without heartbeats.
const NEVER: Duration = Duration::from_secs(86_400 * 365);

/// What is known of what the daemon knows.
pub(super) struct Reporter {
    daemon: Daemon,
    subject: Subject,
    board: Board,
    /// Rung when somebody has asked for the command's end.
    stop: Arc<Notify>,
    begin: Instant,
    is_created: bool,
    /// The number of the last update, sent or not.
    number: u64,
    /// Readings that are told.
    told: u64,
    next: Instant,
    next_details: Instant,
    next_heartbeat: Instant,
    retry: Duration,
    /// Why nothing is told any more.
    refused: Option<String>,
}

impl Reporter {
    pub(super) fn new(daemon: Daemon, subject: Subject, board: Board, stop: Arc<Notify>) -> Self {
        let now = Instant::now();
        Self {
            daemon,
            subject,
            board,
            stop,
            begin: now,
            is_created: false,
            number: 0,
            told: 0,
            next: now,
            next_details: now,
            next_heartbeat: now,
            retry: FIRST_RETRY,
            refused: None,
        }
    }

    /// Tells of the command until it has ended and that is told, too. For this it waits no longer than
    /// `wait`, nor than until `hurry` is rung; what it could not tell it returns, for people.
    pub(super) async fn run(
        mut self,
        mut ended: oneshot::Receiver<End>,
        wait: Duration,
        hurry: Arc<Notify>,
    ) -> Option<String> {
        let end = loop {
            // A request that is cut off is repeated, or superseded: numbers tell which it was.
            tokio::select! {
                biased;
                end = &mut ended => break end.ok()?,
                () = self.tell() => {}
            }
        };
        let seen_to = self.finish(&end, Instant::now() + wait, &hurry).await;
        seen_to.err().or(self.refused)
    }

    /// Waits until there is something to tell, and tells it.
    async fn tell(&mut self) {
        if self.refused.is_some() {
            return std::future::pending().await;
        }
        if !self.is_created {
            sleep_until(self.next).await;
            return self.create().await;
        }
        let has_news = self.board.readings() != self.told;
        let (next, heartbeat, board) = (self.next, self.next_heartbeat, self.board.clone());
        tokio::select! {
            () = sleep_until(next), if has_news => self.update().await,
            () = board.news(), if !has_news => {}
            () = sleep_until(heartbeat.max(next)), if !has_news => self.update().await,
        }
    }

    async fn create(&mut self) {
        let body = self.subject.create(Timestamp::now());
        match self.daemon.create(&self.subject.key, &body).await {
            Outcome::Accepted(task) => {
                self.is_created = true;
                self.accepted(&task);
                let daemon = self.daemon.clone();
                // There is a daemon: it may also take what another run has left.
                tokio::spawn(async move { spool::deliver(&daemon).await });
            }
            Outcome::Later(_) => self.put_off(),
            Outcome::Refused { detail, .. } => self.refused = Some(self.complaint(&detail)),
        }
    }

    async fn update(&mut self) {
        self.number += 1;
        let (seen, now) = (self.board.look(), Instant::now());
        let with_details = now >= self.next_details && seen.readings > 0;
        let body = self.subject.progress(&seen, self.number, with_details, Timestamp::now());
        match self.daemon.update(&self.subject.id, &body).await {
            Outcome::Accepted(task) => {
                self.told = seen.readings;
                if with_details {
                    self.next_details = now + BETWEEN_DETAILS;
                }
                self.accepted(&task);
            }
            Outcome::Later(_) => self.put_off(),
            // The daemon has lost it, as one without a database does.
            Outcome::Refused { status: 404, .. } => self.is_created = false,
            // Details are too much for this daemon: its numbers are what matters.
            Outcome::Refused { status: 422, .. } if with_details => {
                self.next_details = now + NEVER;
            }
            // A reading that cannot be is passed over; another one may come.
            Outcome::Refused { status: 422, .. } => {
                self.told = seen.readings;
                self.put_off();
            }
            Outcome::Refused { detail, .. } => self.refused = Some(self.complaint(&detail)),
        }
    }

    fn accepted(&mut self, task: &serde_json::Value) {
        let now = Instant::now();
        let between = (now.duration_since(self.begin) / 100).clamp(OFTEN, SELDOM);
        (self.next, self.retry) = (now + between, FIRST_RETRY);
        let promise = self.subject.heartbeat;
        self.next_heartbeat = now + if promise.is_zero() { NEVER } else { promise / 3 };
        if task["stop_requested"] == true {
            self.stop.notify_one();
        }
    }

    fn put_off(&mut self) {
        let pause = self.retry.mul_f64(0.75 + fastrand::f64() / 2.0);
        (self.next, self.retry) = (Instant::now() + pause, (self.retry * 2).min(LONGEST_RETRY));
    }

    fn complaint(&self, detail: &str) -> String {
        let Subject { id, name, .. } = &self.subject;
        format!("the command was not reported as task {id:?} ({name}): {detail}")
    }

    /// Tells how it has ended; what cannot be told by `deadline` is put on the disk.
    async fn finish(&mut self, end: &End, deadline: Instant, hurry: &Notify) -> Result<(), String> {
        if self.refused.is_some() {
            return Ok(());
        }
        self.number += 1;
        let (seen, mut bytes, mut retry) = (self.board.look(), BYTES_AT_END, FIRST_RETRY);
        let deadline = deadline.max(Instant::now() + LAST_ATTEMPT);
        loop {
            let body = self.subject.end(&seen, self.number, end, bytes);
            let attempt = tokio::select! {
                attempt = timeout_at(deadline, self.attempt(&body)) => attempt,
                () = hurry.notified() => return self.keep(&body, "it was not waited for"),
            };
            let trouble = match attempt {
                Ok(Outcome::Accepted(_)) => return Ok(()),
                // It is too much, for this daemon.
                Ok(Outcome::Refused { status: 422, .. }) if bytes > 0 => {
                    bytes = if bytes > 200 { bytes / 4 } else { 0 };
                    continue;
                }
                Ok(Outcome::Refused { status: 404, .. }) => {
                    self.is_created = false;
                    "the daemon has lost the task".to_owned()
                }
                Ok(Outcome::Refused { detail, .. }) => return Err(self.complaint(&detail)),
                Ok(Outcome::Later(trouble)) => trouble,
                Err(_) => "the daemon does not answer".to_owned(),
            };
            let again = Instant::now() + retry;
            if again >= deadline {
                return self.keep(&body, &trouble);
            }
            retry = (retry * 2).min(LONGEST_RETRY);
            tokio::select! {
                () = sleep_until(again) => {}
                () = hurry.notified() => return self.keep(&body, &trouble),
            }
        }
    }

    async fn attempt(&mut self, body: &serde_json::Value) -> Outcome {
        let Subject { id, key, .. } = &self.subject;
        if !self.is_created {
            match self.daemon.create(key, &self.subject.create(Timestamp::now())).await {
                Outcome::Accepted(_) => self.is_created = true,
                other => return other,
            }
        }
        self.daemon.update(id, body).await
    }

    fn keep(&self, end: &serde_json::Value, trouble: &str) -> Result<(), String> {
        let Subject { id, key, name, started, .. } = &self.subject;
        let mut create = self.subject.create(*started);
        create["at"] = serde_json::json!(crate::sample::rfc3339(*started));
        let url = self.daemon.address.url().map(str::to_owned);
        let undelivered = Undelivered {
            url,
            id: id.clone(),
            key: key.clone(),
            name: name.clone(),
            create,
            end: end.clone(),
        };
        let what = format!("the end of task {id:?} ({name}) is not delivered: {trouble}");
        Err(match undelivered.keep() {
            Ok((path, dropped)) => {
                let rest = match dropped {
                    0 => String::new(),
                    count => format!("; {count} older ones had to make room"),
                };
                format!(
                    "{what}; it is in {} and goes with the next `gz-monitor task run`, or with `gz-monitor task deliver`{rest}",
                    path.display()
                )
            }
            Err(error) => format!("{what}; and it could not be kept: {error:#}"),
        })
    }
}
