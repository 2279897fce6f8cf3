//! Counts what is refused, and tells the log of it now and then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Whoever knocks without end is to fill a counter and no log.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

/// One row for each of `N` reasons, by its number.
#[derive(Debug)]
pub(super) struct Tally<const N: usize>([Row; N]);

impl<const N: usize> Default for Tally<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Row::default()))
    }
}

#[derive(Debug, Default)]
struct Row {
    count: AtomicU64,
    /// When the log was told, and what the count was then.
    told: Mutex<Option<(Instant, u64)>>,
}

impl<const N: usize> Tally<N> {
    /// Counts one. Gives how many there have been since the log was told, this one included, if it
    /// is to be told again.
    pub(super) fn count(&self, reason: usize, now: Instant) -> Option<u64> {
        let Row { count, told } = &self.0[reason];
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
    pub(super) fn total(&self, reason: usize) -> u64 {
        self.0[reason].count.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_told_of_the_first_and_then_once_a_minute() {
        let (tally, start) = (Tally::<3>::default(), Instant::now());
        let count = |reason, seconds| tally.count(reason, start + Duration::from_secs(seconds));
        assert_eq!(count(1, 0), Some(1));
        assert_eq!(count(1, 1), None);
        assert_eq!(count(2, 2), Some(1), "each reason by itself");
        assert_eq!(count(1, 59), None);
        assert_eq!(count(1, 60), Some(3));
        assert_eq!(count(1, 61), None);
        assert_eq!(count(1, 1000), Some(2));
        assert_eq!([0, 1, 2].map(|reason| tally.total(reason)), [0, 6, 1]);
    }
}
