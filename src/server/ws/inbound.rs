//! What a client may say: subscribe, unsubscribe, ping.

use serde_json::{Map, Value};

use crate::api::{self, ErrorCode, ErrorData};
use crate::hub::{Filter, Place};

/// A client's message.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound {
    /// With the place from which it wants what it has missed, if it says one.
    Subscribe(Filter, Option<Place>),
    Unsubscribe,
    Ping,
}

impl Inbound {
    /// Reads a message. Fields that it does not know are left alone, so that a client written for
    /// a later version gets on with this one; within a filter they are refused, since a condition
    /// that is passed over would send what the client does not want.
    ///
    /// # Errors
    /// What the client is answered.
    pub fn parse(text: &str) -> Result<Self, ErrorData> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| fault(ErrorCode::InvalidJson, format!("this is no JSON: {error}")))?;
        let Value::Object(mut message) = value else {
            let text = "a message is a JSON object such as {\"type\":\"ping\"}";
            return Err(fault(ErrorCode::InvalidMessage, text));
        };
        match message.get("type") {
            Some(Value::String(kind)) => match kind.as_str() {
                "subscribe" => {
                    let since = since(message.remove("since"))?;
                    Ok(Self::Subscribe(filter(message)?, since))
                }
                "unsubscribe" => Ok(Self::Unsubscribe),
                "ping" => Ok(Self::Ping),
                unknown => {
                    let known = "there are subscribe, unsubscribe and ping";
                    let text = format!("unknown type {unknown:?}; {known}");
                    Err(fault(ErrorCode::UnknownType, text))
                }
            },
            Some(_) => Err(fault(ErrorCode::InvalidMessage, "\"type\" must be a string")),
            None => Err(fault(ErrorCode::InvalidMessage, "\"type\" is missing")),
        }
    }
}

fn filter(mut message: Map<String, Value>) -> Result<Filter, ErrorData> {
    let filter = match message.remove("filter") {
        None | Some(Value::Null) => api::Filter::default(),
        // Derived code would take an array for a struct, by the order of its fields.
        Some(value) if !value.is_object() => {
            return Err(fault(ErrorCode::InvalidFilter, "filter: it must be an object"));
        }
        Some(value) => serde_path_to_error::deserialize(value)
            .map_err(|error| fault(ErrorCode::InvalidFilter, format!("filter: {error}")))?,
    };
    Filter::try_from(filter).map_err(|error| fault(ErrorCode::InvalidFilter, error))
}

fn since(value: Option<Value>) -> Result<Option<Place>, ErrorData> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let place = text.parse::<Place>();
            place.map(Some).map_err(|error| fault(ErrorCode::InvalidSince, error.to_string()))
        }
        Some(_) => Err(fault(ErrorCode::InvalidSince, "since: it must be a string, \"EPOCH:SEQ\"")),
    }
}

pub(super) fn fault(code: ErrorCode, message: impl Into<String>) -> ErrorData {
    ErrorData { code, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> Option<ErrorCode> {
        Inbound::parse(text).err().map(|error| error.code)
    }

    #[test]
    fn the_messages_of_the_document() {
        assert_eq!(Inbound::parse(r#"{"type":"ping"}"#), Ok(Inbound::Ping));
        assert_eq!(Inbound::parse(r#"{"type":"unsubscribe"}"#), Ok(Inbound::Unsubscribe));
        let text = r#"{"type":"subscribe","filter":{"types":["system_status","task_update","alert"],
            "task_ids":["task-123","task-456"],"alert_level":"high"}}"#;
        assert!(matches!(Inbound::parse(text), Ok(Inbound::Subscribe(_, None))));
        let default = Ok(Inbound::Subscribe(Filter::default(), None));
        assert_eq!(Inbound::parse(r#"{"type":"subscribe"}"#), default);
        let place = Place { epoch: "17a8".to_owned(), seq: 45 };
        let resumed = Ok(Inbound::Subscribe(Filter::default(), Some(place)));
        assert_eq!(Inbound::parse(r#"{"type":"subscribe","since":"17a8:45"}"#), resumed);
    }

    #[test]
    fn errors_say_what_kind() {
        assert_eq!(code("{"), Some(ErrorCode::InvalidJson));
        assert_eq!(code("[1]"), Some(ErrorCode::InvalidMessage));
        assert_eq!(code("{}"), Some(ErrorCode::InvalidMessage));
        assert_eq!(code(r#"{"type":1}"#), Some(ErrorCode::InvalidMessage));
        assert_eq!(code(r#"{"type":"pong"}"#), Some(ErrorCode::UnknownType));
        for since in ["45", "\"\"", "\"45\"", "\"17a8\"", "\"17a8:x\"", "[]", "{}"] {
            let text = format!(r#"{{"type":"subscribe","since":{since}}}"#);
            assert_eq!(code(&text), Some(ErrorCode::InvalidSince), "{text}");
        }
        let filters = [r#"{"types":"all"}"#, r#"{"types":["x"]}"#, r#"{"alert_level":"x"}"#, "[]"];
        for filter in filters {
            let text = format!(r#"{{"type":"subscribe","filter":{filter}}}"#);
            assert_eq!(code(&text), Some(ErrorCode::InvalidFilter), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = Inbound::parse(&text);
        }
    }
}
