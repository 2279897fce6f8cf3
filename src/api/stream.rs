//! What one client is told: replies, which are outside the stream and bear no `seq`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Filter, InitialState, Published, encode};
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
    Resumed(Resumed),
    Published(Published),
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
    /// It is no MessagePack, or has a value that JSON has not.
    #[serde(rename = "invalid_messagepack")]
    InvalidMessagePack,
    /// It is no message: no object, no `type`, a field of the wrong type.
    InvalidMessage,
    /// There is no message of its `type`.
    UnknownType,
    /// Its `filter` cannot be.
    InvalidFilter,
    /// It takes a role that the client has not.
    Forbidden,
    /// Its `since` is no place in the stream, or cannot be gone back to on this connection.
    InvalidSince,
    /// Its `group` cannot be the name of one.
    InvalidGroup,
    /// Its `data` is too large.
    DataTooLarge,
    /// Clients may not publish here.
    NotAllowed,
    /// Too many messages to groups are not stored yet.
    Busy,
    /// The daemon is stopping.
    Stopping,
}

impl ErrorCode {
    /// Its name on the wire and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            ErrorCode::InvalidJson => "invalid_json",
            ErrorCode::InvalidMessagePack => "invalid_messagepack",
            ErrorCode::InvalidMessage => "invalid_message",
            ErrorCode::UnknownType => "unknown_type",
            ErrorCode::Forbidden => "forbidden",
            ErrorCode::InvalidFilter => "invalid_filter",
            ErrorCode::InvalidSince => "invalid_since",
            ErrorCode::InvalidGroup => "invalid_group",
            ErrorCode::DataTooLarge => "data_too_large",
            ErrorCode::NotAllowed => "not_allowed",
            ErrorCode::Busy => "busy",
            ErrorCode::Stopping => "stopping",
        }
    }
}

/// `gap.data`: messages that can no longer be sent, both ends included.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GapData {
    pub from: u64,
    pub to: u64,
    /// "retention": they are no longer kept. "storage": they could not be stored, or not be read.
    /// "epoch": the client's place is not in this number line.
    pub reason: &'static str,
}

/// `GET /api/v1/events`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Events {
    /// Whole messages of the stream, oldest first.
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub events: Vec<Box<RawValue>>,
    /// What is missing between the place that was asked for and the end of this page.
    pub gaps: Vec<GapData>,
    /// Whether nothing is.
    pub complete: bool,
    /// Whether there is more: ask again with `since` as `next` says.
    pub more: bool,
    /// The place in the stream, "EPOCH:SEQ", up to which this page goes.
    pub next: String,
}

/// `resumed.data`: all that a client has missed and could be given was sent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Resumed {
    /// The number that the client said: that of the last message it had.
    pub from: u64,
    /// The number of the last message that is covered; what follows is sent as it comes.
    pub to: u64,
    /// Events sent.
    pub replayed: u64,
    /// Whether these are proven to be all that match the filter.
    pub complete: bool,
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
