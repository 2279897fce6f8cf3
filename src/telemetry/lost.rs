//! Counts the lines that were dropped: whoever logs must never wait for a reader.

use std::sync::atomic::{AtomicU64, Ordering};

/// Those of this process's log.
pub(super) static LOST: Lost = Lost::new();

/// Lines of the log that were dropped since the start, because their reader was stuck or gone.
pub fn lines_lost() -> u64 {
    LOST.total.load(Ordering::Relaxed)
}

/// How many lines were dropped, and how many of them the log has not told of.
pub(super) struct Lost {
    total: AtomicU64,
    untold: AtomicU64,
}

impl Lost {
    pub(super) const fn new() -> Self {
        Self { total: AtomicU64::new(0), untold: AtomicU64::new(0) }
    }

    /// One more.
    pub(super) fn count(&self) {
        self.total.fetch_add(1, Ordering::Relaxed);
        self.give_back(1);
    }

    /// Those that are to be told of now.
    pub(super) fn take_untold(&self) -> u64 {
        self.untold.swap(0, Ordering::Relaxed)
    }

    /// They could not be told of after all.
    pub(super) fn give_back(&self, untold: u64) {
        self.untold.fetch_add(untold, Ordering::Relaxed);
    }
}
