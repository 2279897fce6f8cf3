//! The whole configuration: every room's own, nested.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    alert, group, hub, notify, persist, pipeline, plugin, query, scheduler, server, store, task,
    telemetry,
};

/// The whole configuration. Everything has a default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where HTTP listens, and its limits.
    pub server: server::Config,
    /// The bounds on one WebSocket client.
    pub websocket: server::WebSocketConfig,
    /// How much of the stream is kept for clients that are behind.
    pub hub: hub::Config,
    /// The status messages.
    pub status: pipeline::Config,
    /// What holds for every collector that does not say otherwise.
    pub collectors: scheduler::Config,
    /// Where libraries are found.
    pub plugins: plugin::Config,
    /// Collectors, each with its own settings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub collector: Vec<scheduler::Instance>,
    /// How many series are kept.
    pub store: store::Config,
    /// What one query may take, and how many there may be.
    pub query: query::Config,
    /// How many tasks are kept, for how long, and how large one may be.
    pub tasks: task::Config,
    /// How many alerts are kept.
    pub alerts: alert::Config,
    /// What may be said in groups.
    pub groups: group::Config,
    /// Who is told of alerts, and when. Without a channel nobody is; docs/notifications.md has
    /// examples.
    pub notify: notify::Config,
    /// Where events, tasks and alerts are kept.
    pub storage: persist::Config,
    /// How much of the past is kept.
    pub history: persist::History,
    /// The log.
    pub log: telemetry::Config,
}
