//! `[tasks]`: how many tasks are kept, for how long, and how large one may be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, HumanDuration};

/// How many tasks are kept, for how long, and how large one may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Tasks kept; at the bound the ended one that was changed longest ago makes room.
    pub max_tasks: usize,
    /// Ended tasks kept; beyond it those that ended longest ago are removed.
    pub max_ended: usize,
    /// Ended tasks are removed after this time.
    pub keep_ended: HumanDuration,
    /// Names of tasks of which the last run is remembered, for the series `gz_task_*`.
    pub max_names: usize,
    /// Largest `details` of a task, as JSON.
    pub max_details_size: ByteSize,
    /// A running task that is silent for longer has stalled, unless it names a time of its own; "0s":
    /// none is expected to speak.
    pub heartbeat: HumanDuration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_tasks: 1_000,
            max_ended: 500,
            keep_ended: HumanDuration::secs(7 * 86_400),
            max_names: 100,
            max_details_size: ByteSize(16 << 10),
            heartbeat: HumanDuration::secs(0),
        }
    }
}
