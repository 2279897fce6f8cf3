//! Collectors as clients see them.

use schemars::JsonSchema;
use serde::Serialize;

use super::brief;
use crate::sample::rfc3339;
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
    /// Counters that went down: what they count has begun anew.
    pub counter_resets: u64,
    /// The series of the last of these.
    pub last_reset: Option<String>,
    /// Failures since the last success.
    pub consecutive_failures: u64,
    pub total_failures: u64,
    /// Why the last collection failed.
    pub error: Option<String>,
    /// Why it is "absent".
    pub reason: Option<String>,
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
            counter_resets: status.counter_resets,
            last_reset: status.last_reset.clone(),
            consecutive_failures: status.consecutive_failures,
            total_failures: status.total_failures,
            error: status.error.clone(),
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
