//! How long a failing collector is left alone.

use std::time::Duration;

/// Counts failures in a row and stretches the interval by them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quarantine {
    interval: Duration,
    longest: Duration,
    /// So many in a row break the circuit.
    max_failures: u32,
    failures: u32,
}

impl Quarantine {
    /// No failures yet; `longest` is the most that failures stretch `interval` to.
    pub(super) fn new(interval: Duration, longest: Duration, max_failures: u32) -> Self {
        Self { interval, longest, max_failures, failures: 0 }
    }

    /// Whether it has failed so often that only a success is believed.
    pub(super) fn is_broken(&self) -> bool {
        self.failures >= self.max_failures
    }

    /// Takes note of how a collection ended.
    pub(super) fn record(&mut self, succeeded: bool) {
        self.failures = if succeeded { 0 } else { self.failures.saturating_add(1) };
    }

    /// The interval to keep now: one failure may be an accident, each further one doubles it.
    pub(super) fn interval(&self) -> Duration {
        let longest = self.longest.max(self.interval);
        if self.is_broken() {
            return longest;
        }
        let doublings = self.failures.saturating_sub(1).min(31);
        self.interval.saturating_mul(1 << doublings).min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_double_the_interval_and_success_restores_it() {
        let mut quarantine = Quarantine::new(Duration::from_secs(5), Duration::from_secs(60), 20);
        let mut after = |succeeded| {
            quarantine.record(succeeded);
            quarantine.interval().as_secs()
        };
        assert_eq!(after(true), 5);
        assert_eq!([(); 6].map(|()| after(false)), [5, 10, 20, 40, 60, 60]);
        assert_eq!(after(true), 5);
    }

    #[test]
    fn an_interval_beyond_the_bound_stays() {
        let mut quarantine = Quarantine::new(Duration::from_secs(100), Duration::from_secs(60), 3);
        (0..40).for_each(|_| quarantine.record(false));
        assert_eq!(quarantine.interval(), Duration::from_secs(100));
    }

    #[test]
    fn many_failures_break_it_and_one_success_mends_it() {
        let mut quarantine = Quarantine::new(Duration::from_secs(1), Duration::from_secs(60), 3);
        let mut after = |succeeded| {
            quarantine.record(succeeded);
            (quarantine.is_broken(), quarantine.interval().as_secs())
        };
        assert_eq!([(); 3].map(|()| after(false)), [(false, 1), (false, 2), (true, 60)]);
        assert_eq!(after(true), (false, 1));
    }
}
