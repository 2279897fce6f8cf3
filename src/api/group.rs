//! Groups and what is said in them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::group;

/// `group_message.data`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GroupMessage<'a> {
    pub group: &'a str,
    pub from: Publisher,
    /// Whatever was said.
    #[schemars(with = "serde_json::Value")]
    pub data: &'a RawValue,
}

/// Who has published a message to a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "via", rename_all = "snake_case")]
pub enum Publisher {
    /// Somebody by `POST /api/v1/groups/{name}/messages`.
    Rest,
    /// A client of the stream, by its name in `GET /api/v1/clients`.
    Websocket { client_id: String },
}

impl From<&group::Publisher> for Publisher {
    fn from(publisher: &group::Publisher) -> Self {
        match publisher {
            group::Publisher::Rest => Publisher::Rest,
            group::Publisher::Client(id) => Publisher::Websocket { client_id: id.clone() },
        }
    }
}

/// The answer to a message to a group: it is published, under this number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Published {
    pub group: String,
    pub seq: u64,
    /// Whether it is on disk.
    pub durable: bool,
}

/// `GET /api/v1/groups`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Groups {
    /// By name.
    pub groups: Vec<Group>,
    /// Whether there are more: ask again with `after`, the last name of these.
    pub more: bool,
}

/// A group that has members, or in which something was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Group {
    pub name: String,
    /// Connected clients whose filter names it.
    pub member_count: usize,
    /// The first 1,000 of them, by their names in `GET /api/v1/clients`.
    pub members: Vec<String>,
    /// The number of the last message in it; null if none is remembered.
    pub last_seq: Option<u64>,
}
