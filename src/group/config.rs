//! `[groups]`: what may be said in groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::ByteSize;

/// What may be said in groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Largest `data` of a message, as JSON; a larger one is refused.
    pub max_message_size: ByteSize,
    /// Groups of which the number of the last message is remembered; at the bound the one that has
    /// been silent for longest is forgotten.
    pub max_groups: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_message_size: ByteSize(16 << 10), max_groups: 1_000 }
    }
}
