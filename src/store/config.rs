//! `[store]`: how many series are kept, and for how long.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, HumanDuration};

/// How many series are kept, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Series at once; samples of further ones are dropped and counted.
    pub max_series: usize,
    /// How long every sample is kept in memory, at full resolution, for charts and queries.
    pub memory: HumanDuration,
    /// Memory that these samples may take; the oldest go first.
    pub max_bytes: ByteSize,
}

impl Default for Config {
    fn default() -> Self {
        let (memory, max_bytes) = (HumanDuration::secs(3600), ByteSize(32 << 20));
        Self { max_series: 20_000, memory, max_bytes }
    }
}
