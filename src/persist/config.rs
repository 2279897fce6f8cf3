//! `[storage]` and `[history]`: where events, tasks and alerts are kept, and for how long.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, HumanDuration};

/// Where events, tasks and alerts are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Keep events, tasks and alerts on disk. If not, a restart loses them.
    pub enabled: bool,
    /// The folder of the database, which no other daemon may use; an empty text keeps all in memory.
    /// If absent: the service's state directory, else ~/.local/state/gz-monitor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "/var/lib/gz-monitor")]
    pub path: Option<PathBuf>,
    /// What an acknowledged change survives: with "full" the loss of power, with "normal" the death
    /// of the daemon.
    pub sync: Sync,
    /// A commit that takes longer is trouble: the stream goes on without it.
    pub commit_timeout: HumanDuration,
    /// Changes and messages that may wait for a commit; then commands and samples have to wait.
    pub queue: usize,
    /// Bytes of events that are kept in memory while the disk fails; the oldest make room.
    pub backlog: ByteSize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            path: None,
            sync: Sync::Full,
            commit_timeout: HumanDuration::secs(2),
            queue: 1_024,
            backlog: ByteSize(16 << 20),
        }
    }
}

/// When a commit counts as done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sync {
    /// When the disk has it (SQLite's `synchronous = FULL`).
    #[default]
    Full,
    /// When the kernel has it (SQLite's `synchronous = NORMAL`).
    Normal,
}

/// How much of the past is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct History {
    /// Events that are older are removed.
    pub events: HumanDuration,
    /// Bytes of events; beyond them the oldest are removed.
    pub events_size: ByteSize,
}

impl Default for History {
    fn default() -> Self {
        Self { events: HumanDuration::secs(7 * 86_400), events_size: ByteSize(256 << 20) }
    }
}
