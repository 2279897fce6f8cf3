//! What one client is told: replies, which are outside the stream and bear no `seq`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Filter, InitialState, encode};
use crate::sample::Moment;

/// A reply to one client.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Reply {
    InitialState(Box<InitialState>),
    Pong(Pong),
    Subscribed(Subscribed),
    Unsubscribed {},
    Error(ErrorData),
    Gap(GapData),
}

/// `pong.data`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Pong {
    pub client_id: String,
}

/// `subscribed.data`: the filter as it is applied.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Subscribed {
    pub filter: Filter,
}

/// `error.data`: a message of the client was not understood, and nothing has changed.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorData {
    pub code: ErrorCode,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Why a client's message was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// It is no JSON.
    InvalidJson,
    /// It is JSON, but no message: no object, no `type`, a field of the wrong type.
    InvalidMessage,
    /// There is no message of its `type`.
    UnknownType,
    /// Its `filter` cannot be.
    InvalidFilter,
}

/// `gap.data`: messages that can no longer be sent, both ends included.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GapData {
    pub from: u64,
    pub to: u64,
    /// "retention": they left the log before they could be sent.
    pub reason: &'static str,
}

impl Reply {
    /// The whole message as JSON.
    pub fn encode(&self, now: Moment) -> String {
        #[derive(Serialize)]
        struct Envelope<'a> {
            #[serde(flatten)]
            reply: &'a Reply,
            timestamp: String,
        }
        encode(&Envelope { reply: self, timestamp: now.rfc3339() })
    }
}
