//! Counts what is refused, and tells the log of it now and then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Whoever knocks without end is to fill a counter and no log.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

/// Why a request is refused before anybody looks at what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It has no `Host`, or several, or one that is none.
    InvalidHost,
    /// It means somebody else.
    Host,
    /// It comes from a page of somebody else.
    Origin,
    /// A page of somebody else has caused it, in a way that bears no `Origin`.
    Site,
}

impl Reason {
    pub const ALL: [Self; 4] = [Self::InvalidHost, Self::Host, Self::Origin, Self::Site];

    /// As metrics and the log call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidHost => "invalid_host",
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Site => "cross_site",
        }
    }
}

/// One row for each reason.
#[derive(Debug, Default)]
pub(super) struct Tally([Row; Reason::ALL.len()]);

#[derive(Debug, Default)]
struct Row {
    count: AtomicU64,
    /// When the log was told, and what the count was then.
    told: Mutex<Option<(Instant, u64)>>,
}

impl Tally {
    /// Counts one. Gives how many there have been since the log was told, this one included, if it
    /// is to be told again.
    pub(super) fn count(&self, reason: Reason, now: Instant) -> Option<u64> {
        let Row { count, told } = &self.0[reason as usize];
        let total = count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut told = told.lock();
        let (since, before) = told.map_or((None, 0), |(at, before)| (Some(at), before));
        let is_due = since.is_none_or(|at| now.duration_since(at) >= BETWEEN_WARNINGS);
        is_due.then(|| {
            *told = Some((now, total));
            total.saturating_sub(before)
        })
    }

    /// How many there have been.
    pub(super) fn total(&self, reason: Reason) -> u64 {
        self.0[reason as usize].count.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_told_of_the_first_and_then_once_a_minute() {
        let (tally, start) = (Tally::default(), Instant::now());
        let count = |reason, seconds| tally.count(reason, start + Duration::from_secs(seconds));
        assert_eq!(count(Reason::Host, 0), Some(1));
        assert_eq!(count(Reason::Host, 1), None);
        assert_eq!(count(Reason::Origin, 2), Some(1), "each reason by itself");
        assert_eq!(count(Reason::Host, 59), None);
        assert_eq!(count(Reason::Host, 60), Some(3));
        assert_eq!(count(Reason::Host, 61), None);
        assert_eq!(count(Reason::Host, 1000), Some(2));
        let totals = Reason::ALL.map(|reason| tally.total(reason));
        assert_eq!(totals, [0, 6, 1, 0]);
    }
}
