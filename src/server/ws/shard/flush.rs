//! When to begin a pass: at once, or after a moment in which more comes for the same price.

use std::time::{Duration, Instant};

/// A pass that takes longer is worth waiting for more, and for a share of its time within bounds.
const LONG: Duration = Duration::from_millis(10);
const SHARE: u64 = 4;
const LEAST_MS: u64 = 5;
const MOST_MS: u64 = 20;

/// When the next pass may begin. Times are milliseconds of the shard's clock.
#[derive(Debug, Default)]
pub(super) struct Flush {
    at: u64,
    began: Option<Instant>,
}

impl Flush {
    /// When the next pass may begin.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Something has come that is not to wait.
    pub(super) fn hurry(&mut self, now: u64) {
        self.at = self.at.min(now);
    }

    pub(super) fn begin(&mut self) {
        self.began = Some(Instant::now());
    }

    pub(super) fn end(&mut self, now: u64) {
        let took = self.began.take().map_or(Duration::ZERO, |began| began.elapsed());
        self.at = now + delay(took);
    }
}

/// How long to wait after a pass that took so long.
fn delay(took: Duration) -> u64 {
    match took > LONG {
        true => (took.as_millis() as u64 / SHARE).clamp(LEAST_MS, MOST_MS),
        false => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_passes_are_waited_for() {
        for (took, expected) in [(0, 0), (10, 0), (11, 5), (40, 10), (1_000, 20)] {
            assert_eq!(delay(Duration::from_millis(took)), expected, "{took} ms");
        }
    }

    #[test]
    fn what_is_urgent_does_not_wait() {
        let mut flush = Flush { at: 1_020, began: None };
        flush.hurry(1_001);
        assert_eq!(flush.at(), 1_001);
        flush.hurry(1_005);
        assert_eq!(flush.at(), 1_001);
    }
}
