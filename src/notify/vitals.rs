//! How notifications fare, in numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Loss;

/// Counts since the start, by channel.
#[derive(Debug, Clone, Default)]
pub struct Vitals {
    pub channels: BTreeMap<String, Tally>,
    /// Attempts to write that failed.
    pub write_failures: u64,
}

/// What has become of the notifications of one channel.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub sent: u64,
    /// Attempts that failed and are made again.
    pub retried: u64,
    /// Given up, by the reason.
    pub lost: BTreeMap<Loss, u64>,
    /// From when they were made until they were taken, of all that were sent.
    pub latency: Duration,
}

impl Vitals {
    pub(super) fn of(&mut self, channel: &str) -> &mut Tally {
        self.channels.entry(channel.to_owned()).or_default()
    }
}
