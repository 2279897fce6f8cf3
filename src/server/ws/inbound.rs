//! What a client may say: subscribe, unsubscribe, publish, ping.

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::{Event, Violation};
use crate::api::{self, ErrorCode, ErrorData};
use crate::hub::{Encoding, Filter, Place};
use crate::server::WebSocketConfig;

/// As deep as JSON may be nested.
const DEPTH_MAX: usize = 128;

/// A client's message.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound {
    /// With the place from which it wants what it has missed, if it says one.
    Subscribe(Filter, Option<Place>),
    Unsubscribe,
    /// To a group, JSON.
    Publish {
        group: String,
        data: String,
    },
    Ping,
}

impl Inbound {
    /// Its `type`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Subscribe(..) => "subscribe",
            Self::Unsubscribe => "unsubscribe",
            Self::Ping => "ping",
            Self::Publish { .. } => "publish",
        }
    }

    /// Reads a message that came as a frame of text or of bytes, from a client that speaks
    /// `encoding` and is bound by `limits`; the inner error is what the client is answered.
    ///
    /// # Errors
    /// It came as the other kind of frame, which ends the connection.
    pub(super) fn read(
        event: Event,
        encoding: Encoding,
        limits: &WebSocketConfig,
    ) -> Result<Result<Self, ErrorData>, Violation> {
        let said = match (event, encoding) {
            (Event::Text(text), Encoding::Json) => Self::parse(&text),
            (Event::Binary(bytes), Encoding::MessagePack) => Self::unpack(&bytes),
            (_, Encoding::Json) => return Err(Violation::unsupported("only text is understood")),
            (_, Encoding::MessagePack) => {
                let only = "only MessagePack in binary frames is understood";
                return Err(Violation::unsupported(only));
            }
        };
        Ok(said.and_then(|said| said.within(limits)))
    }

    fn within(self, limits: &WebSocketConfig) -> Result<Self, ErrorData> {
        let most = limits.max_groups;
        match &self {
            Self::Subscribe(filter, _) if filter.groups.len() > most => {
                let text = format!("groups: a filter may name {most} (websocket.max_groups)");
                Err(fault(ErrorCode::InvalidFilter, text))
            }
            _ => Ok(self),
        }
    }

    /// Reads a message in JSON. Fields that it does not know are left alone, so that a client written for
    /// a later version gets on with this one; within a filter they are refused, since a condition
    /// that is passed over would send what the client does not want.
    ///
    /// # Errors
    /// What the client is answered.
    pub fn parse(text: &str) -> Result<Self, ErrorData> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| fault(ErrorCode::InvalidJson, format!("this is no JSON: {error}")))?;
        Self::of(value)
    }

    /// Reads a message in MessagePack: the same objects, as maps with strings for keys.
    ///
    /// # Errors
    /// What the client is answered.
    pub fn unpack(mut bytes: &[u8]) -> Result<Self, ErrorData> {
        let broken = |what: String| {
            fault(
                ErrorCode::InvalidMessagePack,
                format!("this is no MessagePack of JSON values: {what}"),
            )
        };
        let mut reader = rmp_serde::Deserializer::new(&mut bytes);
        reader.set_max_depth(DEPTH_MAX);
        let value = Value::deserialize(&mut reader).map_err(|error| broken(error.to_string()))?;
        if !bytes.is_empty() {
            return Err(broken(format!("{} bytes follow it", bytes.len())));
        }
        Self::of(value)
    }

    fn of(value: Value) -> Result<Self, ErrorData> {
        let Value::Object(mut message) = value else {
            let text = "a message is an object such as {\"type\":\"ping\"}";
            return Err(fault(ErrorCode::InvalidMessage, text));
        };
        match message.get("type") {
            Some(Value::String(kind)) => match kind.as_str() {
                "subscribe" => {
                    let since = since(message.remove("since"))?;
                    Ok(Self::Subscribe(filter(message)?, since))
                }
                "unsubscribe" => Ok(Self::Unsubscribe),
                "publish" => publish(message),
                "ping" => Ok(Self::Ping),
                unknown => {
                    let known = "there are subscribe, unsubscribe, publish and ping";
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

fn publish(mut message: Map<String, Value>) -> Result<Inbound, ErrorData> {
    let group = match message.remove("group") {
        Some(Value::String(group)) => group,
        Some(_) => return Err(fault(ErrorCode::InvalidGroup, "group: it must be a string")),
        None => return Err(fault(ErrorCode::InvalidGroup, "group: it is missing")),
    };
    let missing = || fault(ErrorCode::InvalidMessage, "data: it is missing; null is a value");
    let data = message.remove("data").ok_or_else(missing)?.to_string();
    Ok(Inbound::Publish { group, data })
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
    fn a_message_to_a_group() {
        let text = r#"{"type":"publish","group":"ops","data":{"b":[1,null]}}"#;
        let (group, data) = ("ops".to_owned(), r#"{"b":[1,null]}"#.to_owned());
        assert_eq!(Inbound::parse(text), Ok(Inbound::Publish { group, data }));
        let null = Inbound::parse(r#"{"type":"publish","group":"ops","data":null}"#);
        assert!(matches!(null, Ok(Inbound::Publish { data, .. }) if data == "null"));
        assert_eq!(code(r#"{"type":"publish","group":"ops"}"#), Some(ErrorCode::InvalidMessage));
        assert_eq!(code(r#"{"type":"publish","data":1}"#), Some(ErrorCode::InvalidGroup));
        assert_eq!(code(r#"{"type":"publish","group":1,"data":1}"#), Some(ErrorCode::InvalidGroup));
    }

    #[test]
    fn a_filter_names_only_so_many_groups() {
        let limits = WebSocketConfig { max_groups: 2, ..WebSocketConfig::default() };
        let read = |groups: &str| {
            let text = format!(r#"{{"type":"subscribe","filter":{{"groups":[{groups}]}}}}"#);
            let read = Inbound::read(Event::Text(text), Encoding::Json, &limits);
            read.expect("a text frame").map_err(|error| (error.code, error.message))
        };
        assert!(read(r#""a","b","a""#).is_ok());
        let (code, message) = read(r#""a","b","c""#).expect_err("too many");
        assert_eq!(code, ErrorCode::InvalidFilter);
        assert!(message.contains("websocket.max_groups"), "{message}");
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

    #[test]
    fn messagepack_says_the_same() {
        for text in [
            r#"{"type":"ping"}"#,
            r#"{"type":"subscribe","filter":{"types":["alert"],"alert_level":"high"},"since":"17a8:45"}"#,
            r#"{"type":"subscribe","filter":{"types":["x"]}}"#,
            r#"{"type":1}"#,
            "[1]",
            "null",
        ] {
            let value: Value = serde_json::from_str(text).expect("JSON");
            let packed = rmp_serde::to_vec(&value).expect("MessagePack");
            assert_eq!(Inbound::unpack(&packed), Inbound::parse(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_messagepack_of_json_is_refused() {
        let deep = [vec![0x91; 200], vec![0xc0]].concat();
        for (bytes, what) in [
            (b"".as_slice(), "nothing"),
            (b"\xc1", "a marker that is reserved"),
            (b"\x81\xa4type", "a map that is cut short"),
            (b"\xdd\xff\xff\xff\xff\xc0", "a list that promises too much"),
            (b"\xdb\xff\xff\xff\xffx", "a string that promises too much"),
            (b"\x81\xa4type\xc4\x04ping", "bytes, which JSON has not"),
            (b"\x81\xa4type\xd4\x01\x00", "an extension"),
            (b"\x81\x01\xa4ping", "a key that is no string"),
            (b"\x81\xa4type\xa4pin\xff", "a string that is not UTF-8"),
            (b"\x81\xa4type\xa4ping\xc0", "something behind it"),
            (&deep, "too many levels"),
        ] {
            let code = Inbound::unpack(bytes).map_err(|error| error.code);
            assert_eq!(code, Err(ErrorCode::InvalidMessagePack), "{what}");
        }
    }

    #[test]
    fn each_encoding_has_its_own_frames() {
        let text = || Event::Text(r#"{"type":"ping"}"#.to_owned());
        let binary = || Event::Binary(b"\x81\xa4type\xa4ping".to_vec());
        let limits = WebSocketConfig::default();
        let read = |event, encoding| Inbound::read(event, encoding, &limits);
        assert_eq!(read(text(), Encoding::Json), Ok(Ok(Inbound::Ping)));
        assert_eq!(read(binary(), Encoding::MessagePack), Ok(Ok(Inbound::Ping)));
        for (event, encoding) in [(binary(), Encoding::Json), (text(), Encoding::MessagePack)] {
            let code = read(event, encoding).map_err(|violation| violation.code.into());
            assert_eq!(code, Err(1003u16));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Inbound::unpack(&bytes);
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = Inbound::parse(&text);
        }
    }
}
