//! An alert as the stream tells of it, which is all that notifications know.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::sample::rfc3339;
use crate::severity::Severity;

/// Names and their texts, in the order of the names.
pub type Labels = BTreeMap<String, String>;

/// Bytes that are left of each text of an alert that is too large to be told whole.
const SHORT_BYTES: usize = 256;

/// The `data` of an `alert` message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    pub id: String,
    pub rule_id: String,
    pub rule_name: String,
    pub status: Status,
    pub severity: Severity,
    pub message: String,
    #[serde(default)]
    pub labels: Labels,
    #[serde(default)]
    pub annotations: Labels,
    pub value: Option<f64>,
    pub threshold: Option<f64>,
    /// RFC 3339, UTC, as the times below.
    pub starts_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Json>,
    /// What else there is to know of it.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pending,
    Firing,
    Silenced,
    Resolved,
}

impl Notice {
    /// The alert of a message; `None` if it is about none.
    pub fn of_message(text: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Message {
            data: Notice,
        }
        serde_json::from_slice(text).ok().map(|message: Message| message.data)
    }

    /// The label of this name. `alertname`, `rule_id` and `severity` are what every alert has; where
    /// its labels have the same name, they go first.
    pub fn label(&self, name: &str) -> &str {
        let own = self.labels.get(name).map(String::as_str);
        own.unwrap_or_else(|| match name {
            "alertname" => &self.rule_name,
            "rule_id" => &self.rule_id,
            "severity" => self.severity.name(),
            _ => "",
        })
    }

    /// All labels, with those that every alert has.
    pub fn all_labels(&self) -> Labels {
        let common = ["alertname", "rule_id", "severity"];
        let common = common.into_iter().map(|name| (name.to_owned(), self.label(name).to_owned()));
        common.chain(self.labels.clone()).collect()
    }

    pub fn is_firing(&self) -> bool {
        self.status == Status::Firing
    }

    pub fn is_acknowledged(&self) -> bool {
        self.acknowledgement.is_some()
    }

    /// The same, ended.
    pub(super) fn ended(mut self, now: Timestamp) -> Self {
        self.status = Status::Resolved;
        self.ends_at = Some(rfc3339(now));
        self
    }

    /// One that tries a channel out.
    pub(super) fn for_trial(channel: &str, now: Timestamp) -> Self {
        Self {
            id: "alert-test".to_owned(),
            rule_id: "test".to_owned(),
            rule_name: "Test of a channel".to_owned(),
            status: Status::Firing,
            severity: Severity::Info,
            message: format!("The channel {channel} works: nothing is wrong"),
            labels: Labels::new(),
            annotations: Labels::new(),
            value: None,
            threshold: None,
            starts_at: rfc3339(now),
            ends_at: None,
            acknowledgement: None,
            rest: Map::new(),
        }
    }

    /// What is left of one that is too large.
    pub fn shortened(mut self) -> Self {
        let cut = |text: &mut String| text.truncate(text.floor_char_boundary(SHORT_BYTES));
        self.annotations.clear();
        self.rest.clear();
        self.labels.values_mut().for_each(cut);
        self.message.truncate(self.message.floor_char_boundary(4 * SHORT_BYTES));
        self
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An alert of the rule with its id that fires since some time.
    pub fn firing(id: &str, severity: Severity) -> Notice {
        Notice {
            id: id.to_owned(),
            rule_id: id.to_owned(),
            rule_name: id.to_owned(),
            status: Status::Firing,
            severity,
            message: format!("{id} is too high"),
            labels: Labels::new(),
            annotations: Labels::new(),
            value: Some(92.5),
            threshold: Some(90.0),
            starts_at: "2024-01-10T09:55:00.000Z".to_owned(),
            ends_at: None,
            acknowledgement: None,
            rest: Map::new(),
        }
    }

    #[test]
    fn a_message_of_the_stream_is_read_and_nothing_of_it_is_lost() {
        let data = r#"{"id":"alert-1","rule_id":"cpu","rule_name":"CPU","status":"firing","severity":"high","message":"m","labels":{"a":"b"},"annotations":{},"value":1.5,"threshold":null,"starts_at":"2024-01-10T09:55:00.000Z","flapping":true}"#;
        let text = format!(r#"{{"type":"alert","seq":7,"timestamp":"t","data":{data}}}"#);
        let notice = Notice::of_message(text.as_bytes()).expect("an alert");
        assert_eq!((notice.label("a"), notice.label("severity")), ("b", "high"));
        assert_eq!((notice.label("alertname"), notice.label("x")), ("CPU", ""));
        let again: Json = serde_json::to_value(&notice).expect("JSON");
        assert_eq!(again, serde_json::from_str::<Json>(data).expect("JSON"));
        assert_eq!(Notice::of_message(br#"{"type":"pong","data":{}}"#), None);
    }
}
