//! Counts the lines that nobody took: whoever logs must never wait for a reader.

use std::sync::atomic::{AtomicU64, Ordering};

static TOTAL: AtomicU64 = AtomicU64::new(0);
static UNTOLD: AtomicU64 = AtomicU64::new(0);

/// Lines of the log that were lost since the start, because their reader was stuck.
pub fn lines_lost() -> u64 {
    TOTAL.load(Ordering::Relaxed)
}

/// One more.
pub(super) fn count() {
    TOTAL.fetch_add(1, Ordering::Relaxed);
    UNTOLD.fetch_add(1, Ordering::Relaxed);
}

/// Has `tell` say how many were lost since it was last said, if any were. Where it cannot, they are
/// told of later.
pub(super) fn tell(tell: impl FnOnce(u64) -> bool) {
    let untold = UNTOLD.swap(0, Ordering::Relaxed);
    if untold > 0 && !tell(untold) {
        UNTOLD.fetch_add(untold, Ordering::Relaxed);
    }
}
