//! WebSocket clients as others see them, and the filter that one sends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::group;
use crate::hub::{self, Type, TypeSet};
use crate::sample::rfc3339;
use crate::severity::Severity;

/// Ids that one filter may name, of tasks, collectors and groups each.
const IDS_MAX: usize = 1_000;

/// Which messages a client wants. What is absent or empty narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Message types, or "all". Absent: every type but `collector_update`.
    pub types: Vec<String>,
    /// Of `task_update`, those of these tasks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub task_ids: Vec<String>,
    /// Of `alert`, those at or above this level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_level: Option<Severity>,
    /// Of `collector_update`, those of these collectors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub collectors: Vec<String>,
    /// The groups whose `group_message` is wanted. Nobody is in a group that is not named here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

impl TryFrom<Filter> for hub::Filter {
    type Error = String;

    fn try_from(filter: Filter) -> Result<Self, String> {
        let ids = [&filter.task_ids, &filter.collectors, &filter.groups].map(Vec::len);
        if ids.into_iter().any(|count| count > IDS_MAX) {
            return Err(format!("a filter may name at most {IDS_MAX} tasks, collectors or groups"));
        }
        for name in &filter.groups {
            group::check_name(name).map_err(|error| format!("groups: {error}"))?;
        }
        let mut types = TypeSet::NONE;
        for name in &filter.types {
            types = match (name.as_str(), Type::of(name)) {
                ("all", _) => TypeSet::ALL,
                (_, Some(kind)) => types.with(kind),
                (_, None) => {
                    let known = Type::ALL.map(Type::name).join(", ");
                    return Err(format!(
                        "unknown type {name:?} in types; there are {known} and all"
                    ));
                }
            };
        }
        let default = hub::Filter::default();
        Ok(Self {
            types: if filter.types.is_empty() { default.types } else { types },
            task_ids: filter.task_ids.into_iter().collect(),
            alert_level: filter.alert_level.unwrap_or(default.alert_level),
            collectors: filter.collectors.into_iter().collect(),
            groups: filter.groups.into_iter().collect(),
        })
    }
}

impl From<hub::Filter> for Filter {
    fn from(filter: hub::Filter) -> Self {
        Self {
            types: filter.types.iter().map(|kind| kind.name().to_owned()).collect(),
            task_ids: filter.task_ids.into_iter().collect(),
            alert_level: Some(filter.alert_level).filter(|level| *level > Severity::Info),
            collectors: filter.collectors.into_iter().collect(),
            groups: filter.groups.into_iter().collect(),
        }
    }
}

/// A connected WebSocket client.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Client {
    pub id: String,
    /// Its address and port; the address alone if it is behind a trusted proxy; "unix" if it came by
    /// the Unix socket.
    pub address: String,
    /// RFC 3339, UTC.
    pub connected_at: String,
    /// "json" or "msgpack".
    pub encoding: &'static str,
    /// Whether permessage-deflate was agreed on.
    pub deflate: bool,
    pub filter: Filter,
    /// Messages of the stream that it has not been given yet, whether its filter matches or not.
    pub lag: u64,
    /// Bytes that wait for it.
    pub lag_bytes: u64,
    pub messages_sent: u64,
    pub bytes_sent: u64,
}

impl From<hub::Client> for Client {
    fn from(client: hub::Client) -> Self {
        Self {
            id: hub::client_id(client.number),
            address: client.peer.to_string(),
            connected_at: rfc3339(client.connected_at),
            filter: client.filter.into(),
            encoding: client.coding.encoding.name(),
            deflate: client.coding.deflate,
            lag: client.lag.messages,
            lag_bytes: client.lag.bytes,
            messages_sent: client.messages_sent,
            bytes_sent: client.bytes_sent,
        }
    }
}

/// `GET /api/v1/clients`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Clients {
    /// The longest connected first.
    pub clients: Vec<Client>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(json: &str) -> Result<hub::Filter, String> {
        let filter: Filter = serde_json::from_str(json).map_err(|error| error.to_string())?;
        filter.try_into()
    }

    #[test]
    fn nothing_named_is_the_default() {
        for json in ["{}", r#"{"types":[]}"#, r#"{"task_ids":[],"collectors":[]}"#] {
            assert_eq!(filter(json), Ok(hub::Filter::default()), "{json}");
        }
    }

    #[test]
    fn all_is_all() {
        let all = filter(r#"{"types":["all"]}"#).expect("valid");
        assert_eq!(all.types, TypeSet::ALL);
    }

    #[test]
    fn a_filter_survives_a_round_trip() {
        let json = r#"{"types":["task_update","alert","group_message"],"task_ids":["b","a"],
            "alert_level":"high","groups":["ops","dev"]}"#;
        let inner = filter(json).expect("valid");
        assert_eq!(filter(&super::super::encode(&Filter::from(inner.clone()))), Ok(inner));
    }

    #[test]
    fn what_is_unknown_is_refused() {
        let unknown = filter(r#"{"types":["alerts"]}"#).expect_err("no such type");
        assert!(unknown.contains("\"alerts\"") && unknown.contains("alert,"), "{unknown}");
        assert!(filter(r#"{"alert_level":"worst"}"#).is_err());
        assert!(filter(r#"{"level":"high"}"#).is_err());
        let name = filter(r#"{"groups":["ops","a b"]}"#).expect_err("no such name");
        assert!(name.contains("\"a b\""), "{name}");
    }
}
