//! What one input has brought about, on its way to storage and then to clients.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Answer, CommandError};
use crate::alert::{self, Alert, Silence};
use crate::hub::Message;
use crate::sample::{Moment, SeriesKey};
use crate::store::history::Point;
use crate::task::{self, LastRun, Task};

/// Tasks, the last runs of their names, alerts, silences and groups, as they are kept.
#[derive(Debug, Clone, Default)]
pub struct Records {
    pub tasks: Vec<Task>,
    pub runs: Vec<LastRun>,
    pub alerts: Vec<Alert>,
    pub silences: Vec<Silence>,
    /// Groups, and the number of the last message in each. They are read from the events, and not
    /// kept besides.
    pub groups: Vec<(Arc<str>, u64)>,
}

/// What was kept of the state by the daemon before.
#[derive(Debug, Default)]
pub struct Kept {
    pub records: Records,
    /// The last samples of each series.
    pub recent: Vec<(Arc<SeriesKey>, Vec<Point>)>,
}

/// What a command has come to.
#[derive(Debug, Clone)]
pub struct Done {
    pub answer: Answer,
    /// The number of the message that it has brought about, if it has.
    pub seq: Option<u64>,
    /// Whether it is on disk.
    pub durable: bool,
}

pub(super) type Outcome = Result<Done, CommandError>;

/// What one input has brought about. It is to be stored, then published, then answered.
pub struct Step {
    /// Steps are numbered without holes, from 1.
    pub number: u64,
    pub at: Moment,
    /// With their numbers, which rise from step to step.
    pub messages: Vec<Message>,
    pub tasks: Vec<task::Entry>,
    pub alerts: Vec<alert::Entry>,
    /// What [`super::Input::Snapshot`] asked for.
    pub snapshot: Option<Records>,
    /// The number of the last of the messages.
    pub(super) seq: Option<u64>,
    pub(super) answer: Option<(oneshot::Sender<Outcome>, Result<Answer, CommandError>)>,
}

impl Step {
    /// Whether there is anything in it to be kept.
    pub fn is_lasting(&self) -> bool {
        !self.tasks.is_empty() || !self.alerts.is_empty() || self.events().next().is_some()
    }

    /// Its messages that are to be kept.
    pub fn events(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(|message| !message.subject.is_state())
    }

    /// Answers whoever gave the input, if somebody waits for it.
    pub fn answer(&mut self, durable: bool) {
        let seq = self.seq;
        if let Some((reply, answer)) = self.answer.take() {
            // Who asked may have gone; what was asked is done all the same.
            let _ = reply.send(answer.map(|answer| Done { answer, seq, durable }));
        }
    }
}
