//! `[status]`: how often the state of the whole is sent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::HumanDuration;

/// The status messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Time between two `system_status` and `metrics_update` messages.
    pub interval: HumanDuration,
}

impl Default for Config {
    fn default() -> Self {
        Self { interval: HumanDuration::secs(5) }
    }
}
