//! `[alerts]`: how many alerts are kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many alerts are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Alerts kept; at the bound the one that was resolved longest ago makes room.
    pub max_alerts: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_alerts: 1_000 }
    }
}
