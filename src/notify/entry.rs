//! A notification to one channel: where it stands, and what became of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Kind, Payload};

/// Bytes of a text that is kept of what a receiver has said.
const SAID_BYTES: usize = 300;

/// Where a notification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It waits for its first or next attempt.
    Pending,
    /// The receiver has taken it.
    Sent,
    /// It was given up.
    Failed,
}

impl State {
    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Sent => "sent",
            State::Failed => "failed",
        }
    }
}

/// A notification to one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The idempotency key.
    pub key: String,
    pub channel: String,
    pub kind: Kind,
    pub group_key: String,
    /// The ids of the alerts that it is about.
    pub alerts: Vec<String>,
    pub created: Timestamp,
    pub state: State,
    /// Not before then, while it waits.
    pub due: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was delivered or given up.
    pub finished: Option<Timestamp>,
    /// What the receiver has said, or what went wrong at last.
    pub said: Option<String>,
    /// What is to be told, as long as it is to be told.
    pub(super) payload: Option<Payload>,
}

/// Why notifications are given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// There were too many.
    Room,
    /// It was tried for too long.
    Age,
    /// The receiver will not have it, however often it is tried.
    Refused,
}

impl Loss {
    pub fn name(self) -> &'static str {
        match self {
            Loss::Room => "room",
            Loss::Age => "age",
            Loss::Refused => "refused",
        }
    }
}

impl Entry {
    /// All but what is to be told.
    pub(super) fn without_payload(&self) -> Self {
        Self { payload: None, ..self.clone() }
    }

    pub(super) fn finish(&mut self, state: State, said: &str, now: Timestamp) {
        self.state = state;
        self.finished = Some(now);
        self.said = Some(short(said)).filter(|said| !said.is_empty());
        self.payload = None;
    }
}

/// What is kept of what a receiver has said.
pub(super) fn short(text: &str) -> String {
    text[..text.floor_char_boundary(SAID_BYTES)].to_owned()
}
