//! How long a failing collector is left alone.

use std::time::Duration;

/// Counts failures in a row and stretches the interval by them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quarantine {
    interval: Duration,
    longest: Duration,
    failures: u32,
}

impl Quarantine {
    /// No failures yet; `longest` is the most that failures stretch `interval` to.
    pub(super) fn new(interval: Duration, longest: Duration) -> Self {
        Self { interval, longest, failures: 0 }
    }

    /// Takes note of how a collection ended.
    pub(super) fn record(&mut self, succeeded: bool) {
        self.failures = if succeeded { 0 } else { self.failures.saturating_add(1) };
    }

    /// The interval to keep now: one failure may be an accident, each further one doubles it.
    pub(super) fn interval(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(31);
        self.interval.saturating_mul(1 << doublings).min(self.longest.max(self.interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_double_the_interval_and_success_restores_it() {
        let mut quarantine = Quarantine::new(Duration::from_secs(5), Duration::from_secs(60));
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
        let mut quarantine = Quarantine::new(Duration::from_secs(100), Duration::from_secs(60));
        (0..40).for_each(|_| quarantine.record(false));
        assert_eq!(quarantine.interval(), Duration::from_secs(100));
    }
}
