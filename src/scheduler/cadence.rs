//! When to collect next: on multiples of the interval by the monotonic clock, so that collectors
//! with equal intervals see the host at the same time.

use std::time::Duration;

/// The ticks of one interval.
#[derive(Debug, Clone, Copy)]
pub struct Cadence {
    interval: Duration,
}

impl Cadence {
    /// Ticks at every multiple of `interval`.
    pub fn new(interval: Duration) -> Self {
        // Zero has no multiples; the configuration refuses it, and this is the least it allows.
        Self { interval: interval.max(Duration::from_millis(1)) }
    }

    /// The first tick after `now`. Ticks that passed meanwhile are skipped, not made up for.
    pub fn after(self, now: Duration) -> Duration {
        let interval = self.interval.as_nanos();
        let next = (now.as_nanos() / interval + 1) * interval;
        Duration::from_nanos(u64::try_from(next).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_multiples() {
        let check = |now_ms, expected_ms| {
            let next = Cadence::new(Duration::from_secs(5)).after(Duration::from_millis(now_ms));
            assert_eq!(next, Duration::from_millis(expected_ms));
        };
        check(0, 5_000);
        check(4_999, 5_000);
        check(5_000, 10_000);
        check(23_456, 25_000);
    }

    proptest! {
        #[test]
        fn the_next_tick_is_ahead_and_near(interval in 1u64..100_000_000, now: u32) {
            let (interval, now) = (Duration::from_micros(interval), Duration::from_micros(now.into()));
            let next = Cadence::new(interval).after(now);
            prop_assert!(next > now && next - now <= interval.max(Duration::from_millis(1)));
        }
    }
}
