//! The state of the host and of the daemon.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Task, brief};
use crate::alert;
use crate::units::HumanDuration;

/// `system_status.data`. What has not been measured is null.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SystemStatus {
    pub status: HostStatus,
    /// Time since the daemon started, such as "2h30m".
    #[serde(serialize_with = "brief")]
    pub uptime: HumanDuration,
    /// Tasks that have not ended.
    pub active_tasks: usize,
    /// HTTP requests since the daemon started.
    pub total_requests: u64,
    /// Bytes of the host's memory in use: total less available.
    pub memory_usage: Option<u64>,
    /// Percent of all processors together that is in use.
    pub cpu_usage: Option<f64>,
    /// Percent used of all real file systems together.
    pub disk_usage: Option<f64>,
    pub network_io: NetworkIo,
}

/// Whether something is wrong, by the firing alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HostStatus {
    /// No alert above low fires.
    Healthy,
    /// An alert of medium or high fires.
    Warning,
    /// A critical alert fires.
    Critical,
}

/// Bytes since boot over all interfaces but loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NetworkIo {
    pub bytes_in: Option<u64>,
    pub bytes_out: Option<u64>,
}

/// `metrics_update.data`. What has not been measured is null.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MetricsUpdate {
    /// Tasks that have not ended.
    pub active_tasks: usize,
    /// HTTP requests since the daemon started.
    pub total_requests: u64,
    /// Percent of the HTTP responses of the last minute that had a 5xx status.
    pub error_rate: f64,
    /// Mean time to answer the HTTP requests of the last minute, such as "150ms".
    #[serde(serialize_with = "brief")]
    pub avg_response_time: HumanDuration,
    /// `memory_usage` in units of 1,048,576 bytes.
    pub memory_usage_mb: Option<f64>,
    /// Percent of all processors together that is in use.
    pub cpu_usage: Option<f64>,
    /// Time since the daemon started, such as "2h30m".
    #[serde(serialize_with = "brief")]
    pub uptime: HumanDuration,
}

/// How many alerts there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AlertStats {
    pub total_rules: usize,
    pub total_alerts: usize,
    pub firing_alerts: usize,
    pub resolved_alerts: usize,
    pub silenced_alerts: usize,
}

impl From<alert::Stats> for AlertStats {
    fn from(stats: alert::Stats) -> Self {
        Self {
            total_rules: stats.rules,
            total_alerts: stats.alerts,
            firing_alerts: stats.firing,
            resolved_alerts: stats.resolved,
            silenced_alerts: stats.silenced,
        }
    }
}

/// `initial_state.data`: all that a client needs to begin with.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct InitialState {
    pub system_status: SystemStatus,
    pub metrics_summary: MetricsUpdate,
    pub alert_stats: AlertStats,
    /// Tasks that have not ended, by id.
    pub active_tasks: Vec<Task>,
    pub stream: StreamPosition,
}

/// A place in the stream of broadcast messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StreamPosition {
    /// The name of the number line; it stays the same over restarts that can go on with it.
    pub epoch: String,
    /// The number of the last message that this state includes.
    pub seq: u64,
}

/// Whether the daemon itself works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Health {
    /// "ok", or "degraded" if a check fails.
    pub status: &'static str,
    /// Whether every collector has ended its first collection.
    pub ready: bool,
    pub checks: Vec<HealthCheck>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HealthCheck {
    pub name: String,
    pub ok: bool,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
