//! Collectors as clients see them.

use schemars::JsonSchema;
use serde::Serialize;

use super::brief;
use crate::sample::{self, Reason, rfc3339};
use crate::store::CollectorStatus;
use crate::units::HumanDuration;

/// How a collector is doing.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Collector {
    pub name: String,
    pub plugin: String,
    /// "waiting" before its first collection, then "ok", "failing", "timed_out", "broken",
    /// "stopped", or "absent": what it measures is not on this machine, which is no failure.
    pub state: &'static str,
    /// Time between two collections.
    #[serde(serialize_with = "brief")]
    pub interval: HumanDuration,
    /// RFC 3339, UTC.
    pub last_success: Option<String>,
    /// How long the last collection took.
    pub last_duration: Option<String>,
    /// Samples that the last collection brought.
    pub samples: usize,
    /// Samples that were refused so far, by reason.
    pub rejected: Rejected,
    /// The first one of the last minute that had any.
    pub last_rejected: Option<RejectedSample>,
    /// Counters that went down: what they count has begun anew.
    pub counter_resets: u64,
    /// The series of the last of these.
    pub last_reset: Option<String>,
    /// Failures since the last success.
    pub consecutive_failures: u64,
    pub total_failures: u64,
    /// Why the last collection failed.
    pub error: Option<String>,
    /// How often the program or the child of a library was started (`gz_plugin_starts_total`); null
    /// for what runs in the daemon.
    pub starts: Option<u64>,
    /// Memory of that process if it runs on (`gz_plugin_resident_memory_bytes`).
    pub resident_memory_bytes: Option<u64>,
    /// Why a new configuration was refused; the one before it is in force.
    pub config_error: Option<String>,
    /// Why it is "absent".
    pub reason: Option<String>,
}

/// How many samples were refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Rejected {
    /// A name that is not allowed, or what could not be read.
    pub invalid: u64,
    /// A counter that is negative or no number, or no number where there has to be one.
    pub value: u64,
    /// Another collector has the series, or it came twice in one collection.
    pub duplicate: u64,
    /// Too many samples, labels or series, or too long a text.
    pub limit: u64,
    /// A time of its own that is too far from that of the collection.
    pub timestamp: u64,
}

impl From<&sample::Rejected> for Rejected {
    fn from(rejected: &sample::Rejected) -> Self {
        Self {
            invalid: rejected.count(Reason::Invalid),
            value: rejected.count(Reason::Value),
            duplicate: rejected.count(Reason::Duplicate),
            limit: rejected.count(Reason::Limit),
            timestamp: rejected.count(Reason::Timestamp),
        }
    }
}

/// A sample that was refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RejectedSample {
    /// A member of `rejected`.
    pub reason: &'static str,
    /// Which it was and what is wrong with it, for people.
    pub message: String,
    /// The end of its collection, or up to a minute later; RFC 3339, UTC.
    pub timestamp: String,
}

impl From<(&str, &CollectorStatus)> for Collector {
    fn from((name, status): (&str, &CollectorStatus)) -> Self {
        Self {
            name: name.to_owned(),
            plugin: status.plugin.clone(),
            state: status.state.name(),
            interval: HumanDuration(status.interval),
            last_success: status.last_success.map(rfc3339),
            last_duration: status.last_duration.map(|duration| HumanDuration(duration).to_string()),
            samples: status.samples,
            rejected: Rejected::from(&status.rejected),
            last_rejected: status.last_rejected.as_ref().map(|(at, reason, what)| RejectedSample {
                reason: reason.name(),
                message: what.clone(),
                timestamp: rfc3339(*at),
            }),
            counter_resets: status.counter_resets,
            last_reset: status.last_reset.clone(),
            consecutive_failures: status.consecutive_failures,
            total_failures: status.total_failures,
            error: status.error.clone(),
            starts: None,
            resident_memory_bytes: None,
            config_error: status.config_error.clone(),
            reason: status.reason.clone(),
        }
    }
}

/// `GET /api/v1/collectors`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Collectors {
    /// By name.
    pub collectors: Vec<Collector>,
}
