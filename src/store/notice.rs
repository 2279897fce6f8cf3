//! What a batch shows that somebody may want to know, and when that is told.

use std::sync::Arc;
use std::time::Duration;

use crate::sample::{Reason, Rejected, SeriesKey};

/// What the store saw in a batch.
#[derive(Debug, Default)]
pub struct Noticed {
    /// Counters that went down: their sources have begun anew.
    pub resets: u64,
    /// The last of them.
    pub last_reset: Option<Arc<SeriesKey>>,
    /// Samples that it did not take, or took one of two for.
    pub rejected: Rejected,
}

impl Noticed {
    pub(super) fn reset(&mut self, key: &Arc<SeriesKey>) {
        self.resets += 1;
        self.last_reset = Some(key.clone());
    }

    pub(super) fn reject(&mut self, reason: Reason, key: &SeriesKey, why: &str) {
        self.rejected.add(reason, || format!("{key} {why}"));
    }
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// So many counters of a collector went down, and one of them.
    Resets { collector: Arc<str>, count: u64, series: String },
    /// These samples of a collector were refused.
    Rejected { collector: Arc<str>, rejected: Rejected },
}

/// Lets one pass a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Minutely(Option<Duration>);

impl Minutely {
    pub(super) fn passes(&mut self, now: Duration) -> bool {
        const MINUTE: Duration = Duration::from_secs(60);
        let passes = self.0.is_none_or(|before| before + MINUTE <= now);
        if passes {
            self.0 = Some(now);
        }
        passes
    }
}
