//! `[history]`: how much of the past is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, HumanDuration};

/// How much of the past is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long every sample is kept in memory, at full resolution, for charts and queries.
    pub memory: HumanDuration,
    /// Memory that these samples may take; the oldest go first.
    pub max_bytes: ByteSize,
}

impl Default for Config {
    fn default() -> Self {
        Self { memory: HumanDuration::secs(3600), max_bytes: ByteSize(32 << 20) }
    }
}
