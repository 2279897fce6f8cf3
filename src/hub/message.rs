//! A message of the stream: what it is about, and its bytes.

use std::sync::Arc;

use bytes::Bytes;

use super::{Coding, Deflater};
use crate::sample::Moment;
use crate::severity::Severity;

/// The types of broadcast message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    SystemStatus,
    MetricsUpdate,
    TaskUpdate,
    Alert,
    CollectorUpdate,
}

impl Type {
    /// Every type.
    pub const ALL: [Type; 5] = [
        Type::SystemStatus,
        Type::MetricsUpdate,
        Type::TaskUpdate,
        Type::Alert,
        Type::CollectorUpdate,
    ];

    /// Its `type` on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Type::SystemStatus => "system_status",
            Type::MetricsUpdate => "metrics_update",
            Type::TaskUpdate => "task_update",
            Type::Alert => "alert",
            Type::CollectorUpdate => "collector_update",
        }
    }

    /// Whether its messages are events, of which none may be skipped.
    pub fn is_event(self) -> bool {
        matches!(self, Type::TaskUpdate | Type::Alert)
    }

    /// The type of this name.
    pub fn of(name: &str) -> Option<Type> {
        Type::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a message is about: all that a filter looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    SystemStatus,
    MetricsUpdate,
    /// The task's id.
    TaskUpdate(Arc<str>),
    Alert(Severity),
    /// The collector's name.
    CollectorUpdate(Arc<str>),
}

impl Subject {
    /// The message's type.
    pub fn kind(&self) -> Type {
        match self {
            Subject::SystemStatus => Type::SystemStatus,
            Subject::MetricsUpdate => Type::MetricsUpdate,
            Subject::TaskUpdate(_) => Type::TaskUpdate,
            Subject::Alert(_) => Type::Alert,
            Subject::CollectorUpdate(_) => Type::CollectorUpdate,
        }
    }

    /// Whether a newer message with an equal subject makes this one worthless. Events never are.
    pub fn is_state(&self) -> bool {
        !self.kind().is_event()
    }
}

/// A message before it has its place in the stream.
#[derive(Debug, Clone)]
pub struct Draft {
    pub subject: Subject,
    /// The JSON of its `data`.
    pub data: String,
}

/// A message of the stream.
#[derive(Debug, Clone)]
pub struct Message {
    pub seq: u64,
    pub subject: Subject,
    /// The whole message as JSON, encoded once and shared by all who get it.
    pub text: Bytes,
    frame: Bytes,
}

impl Message {
    /// A message that was encoded before and kept since.
    pub fn kept(seq: u64, subject: Subject, text: impl Into<Bytes>) -> Self {
        let text: Bytes = text.into();
        let mut frame = vec![0x81];
        match text.len() {
            length @ 0..=125 => frame.push(length as u8),
            length @ 126..=0xffff => {
                frame.push(126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(&text);
        Self { seq, subject, text, frame: frame.into() }
    }

    /// The finished frame for clients of this coding.
    pub fn frame(&self, _coding: Coding, _deflater: &Deflater) -> Bytes {
        self.frame.clone()
    }

    pub(super) fn encode(draft: Draft, seq: u64, now: Moment) -> Self {
        let Draft { subject, data } = draft;
        let (kind, timestamp) = (subject.kind().name(), now.rfc3339());
        // By hand, because `data` is JSON already and is not to be parsed again.
        let text =
            format!(r#"{{"type":"{kind}","seq":{seq},"timestamp":"{timestamp}","data":{data}}}"#);
        Self::kept(seq, subject, text)
    }
}
