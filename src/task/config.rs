//! `[tasks]`: how many tasks are kept and how large one may be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::ByteSize;

/// How many tasks are kept and how large one may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Tasks kept; at the bound the ended one that was changed longest ago makes room.
    pub max_tasks: usize,
    /// Largest `details` of a task, as JSON.
    pub max_details_size: ByteSize,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_tasks: 1_000, max_details_size: ByteSize(16 << 10) }
    }
}
