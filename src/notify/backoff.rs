//! How long to wait after a failure.

use std::time::Duration;

/// The pauses between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backoff {
    pub(super) least: Duration,
    pub(super) most: Duration,
}

impl Backoff {
    /// The pause after this many failures in a row: each is twice the one before, and up to half of
    /// it is left to `chance`, from 0 to 1, so that not everybody comes back at the same time.
    pub(super) fn pause(self, failures: u32, chance: f64) -> Duration {
        let doubled = failures.saturating_sub(1).min(32);
        let whole = self.least.saturating_mul(1 << doubled.min(31)).min(self.most);
        whole.mul_f64(1.0 - 0.5 * chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_most_and_chance_takes_half_at_most() {
        let backoff = Backoff { least: Duration::from_secs(1), most: Duration::from_secs(10) };
        let check = |failures, chance, expected| {
            assert_eq!(backoff.pause(failures, chance).as_secs_f64(), expected, "{failures}");
        };
        check(1, 0.0, 1.0);
        check(2, 0.0, 2.0);
        check(3, 0.0, 4.0);
        check(4, 1.0, 4.0);
        check(5, 0.0, 10.0);
        check(u32::MAX, 1.0, 5.0);
    }
}
