//! `[query]`: what one query may take, and how many there may be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, HumanDuration};

/// What one query may take, and how many there may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A query that takes longer is given up: 503. Its parameter `timeout` can only shorten it.
    pub timeout: HumanDuration,
    /// Series that one selector may find; more are refused: 422.
    pub max_series: usize,
    /// Samples that a query may read and make in all; more are refused: 422.
    pub max_samples: usize,
    /// Points of a series that a range query may ask for; more are refused: 400.
    pub max_points: usize,
    /// Length of an expression; a longer one is refused: 400.
    pub max_length: ByteSize,
    /// Queries that are worked on at once; further ones wait.
    pub max_concurrent: usize,
    /// Queries that wait; one more is refused: 503.
    pub max_waiting: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timeout: HumanDuration::secs(10),
            max_series: 10_000,
            max_samples: 2_000_000,
            max_points: 11_000,
            max_length: ByteSize(16 << 10),
            max_concurrent: 2,
            max_waiting: 64,
        }
    }
}
