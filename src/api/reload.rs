//! What a reload has changed.

use schemars::JsonSchema;
use serde::Serialize;

/// What a reload has changed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Reloaded {
    /// One line for each key and collector, such as "server.port 8080 -> 9090"; none if nothing
    /// has changed.
    pub changes: Vec<String>,
}
