//! `[storage]` and `[history]`: where events, tasks, alerts and samples are kept, and for how long.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, HumanDuration};

/// Where events, tasks, alerts and samples are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Keep events, tasks, alerts and samples on disk. If not, a restart loses them.
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

impl Sync {
    /// SQLite's name of it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

/// How much of the past is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct History {
    /// Events that are older are removed.
    pub events: HumanDuration,
    /// Bytes of events; beyond them the oldest are removed.
    pub events_size: ByteSize,
    /// What was changed by whom (GET /api/v1/audit) is kept for this long.
    pub audit: HumanDuration,
    /// Entries of it; beyond them the oldest are removed.
    pub audit_entries: usize,
    /// Keep samples on disk. If not, a restart loses them, and there are those of store.memory only.
    pub samples: bool,
    /// What was measured in the last moments is saved this often: so much of it is lost by SIGKILL.
    pub save_interval: HumanDuration,
    /// Every sample is kept for this long; it goes with the hour that it is in.
    pub full: HumanDuration,
    /// Bytes of these samples; beyond them the oldest hours are removed.
    pub full_size: ByteSize,
    /// The least, greatest, last and mean value of each minute are kept for this long.
    pub minutes: HumanDuration,
    /// Bytes of these; beyond them the oldest hours are removed.
    pub minutes_size: ByteSize,
    /// The least, greatest, last and mean value of each hour are kept for this long.
    pub hours: HumanDuration,
    /// Bytes of these; beyond them the oldest days are removed.
    pub hours_size: ByteSize,
    /// Series on disk, those included that have ended; those that ended first make room.
    pub max_series: usize,
}

impl Default for History {
    fn default() -> Self {
        const DAY_S: u64 = 86_400;
        Self {
            events: HumanDuration::secs(7 * DAY_S),
            events_size: ByteSize(256 << 20),
            audit: HumanDuration::secs(90 * DAY_S),
            audit_entries: 100_000,
            samples: true,
            save_interval: HumanDuration::secs(5),
            full: HumanDuration::secs(DAY_S),
            full_size: ByteSize(256 << 20),
            minutes: HumanDuration::secs(30 * DAY_S),
            minutes_size: ByteSize(512 << 20),
            hours: HumanDuration::secs(365 * DAY_S),
            hours_size: ByteSize(256 << 20),
            max_series: 100_000,
        }
    }
}
