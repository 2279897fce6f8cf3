//! The outward JSON types, version 1: what REST answers and what the stream carries.
//!
//! Inner types are never serialised for the wire: a type here is a promise to clients.

mod access;
mod alert;
mod client;
mod collector;
mod doctor;
mod group;
mod notification;
mod plugin;
mod query;
mod reload;
mod rule;
mod sample;
mod silence;
mod status;
mod stream;
mod task;

pub use access::{Audit, AuditEntry, CreatedToken, Login, NewToken, Session, Token, Tokens};
pub use alert::{Acknowledgement, Alert, AlertReport, Alerts};
pub use client::{Client, Clients, Filter};
pub use collector::{Collector, Collectors, Rejected, RejectedSample};
pub use doctor::{Doctor, DropIn, Finding, Listener, PluginFolder, Rights, Severity};
pub use group::{Group, GroupMessage, Groups, Published, Publisher};
pub use notification::{Channel, ChannelTest, Channels, Notification, Notifications};
pub use plugin::{Plugin, PluginKind, Plugins, RefusedFile};
pub use query::{
    BuildInfo, MatrixSeries, Metric, MetricMetadata, QueryAnswer, QueryData, QueryError, TimedText,
    TimedValue, VectorSample,
};
pub use reload::Reloaded;
pub use rule::{
    AnyRule, Firing, RecordingRule, Replay, Replays, Rule, RuleAlert, RuleGroup, RuleGroups,
    RuleHealth,
};
pub use sample::{CollectorUpdate, Sample, Samples, TimedSample, UpdatedSample};
pub use silence::{Acknowledge, AlertDetails, NewSilence, Silence, Silences, Transition};
pub use status::{
    AlertStats, Health, HealthCheck, HostStatus, InitialState, MetricsUpdate, NetworkIo,
    StreamPosition, SystemStatus,
};
pub use stream::{ErrorCode, ErrorData, Events, GapData, Pong, Reply, Resumed, Subscribed};
pub use task::{NewTask, Removed, Task, TaskChange, Tasks, task_path};

use serde::{Serialize, Serializer};

use crate::units::HumanDuration;

/// The address of an alert.
pub fn alert_path(id: &str) -> String {
    path_of("/api/v1/alerts/", id)
}

/// The address of a silence.
pub fn silence_path(id: &str) -> String {
    path_of("/api/v1/silences/", id)
}

/// `id`, whatever it consists of, as one part of a path (RFC 3986 section 2.1).
fn path_of(folder: &str, id: &str) -> String {
    id.bytes().fold(folder.to_owned(), |mut path, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                path.push(byte.into());
            }
            byte => path.push_str(&format!("%{byte:02X}")),
        }
        path
    })
}

/// `value` as JSON.
pub fn encode(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("types of this room serialise to JSON")
}

/// A whole number without a fraction (`75`, not `75.0`); null where JSON has no number for it.
fn number<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        serializer.serialize_i64(*number as i64)
    } else {
        serializer.serialize_f64(*number)
    }
}

/// A duration as people read it ("2h30m"), where the configuration writes all of it.
fn brief<S: Serializer>(duration: &HumanDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(duration)
}
