//! `[store]`: how many series are kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many series are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Series at once; samples of further ones are dropped and counted.
    pub max_series: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_series: 20_000 }
    }
}
