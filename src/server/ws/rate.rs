//! How much a client may say: a budget that is paid back with time.

use std::time::Duration;

/// What a client has spent: the time at which all of it is paid back. Eight bytes, because every
/// connection has two.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Budget {
    /// Nanoseconds on the clock of who asks.
    paid_at: u64,
}

impl Budget {
    /// Spends one of the `burst` that may be spent at once, and are paid back in `refill`; false if
    /// there is none.
    pub(super) fn spend(&mut self, burst: u32, refill: Duration, now: Duration) -> bool {
        let (refill, now) = (refill.as_nanos() as u64, now.as_nanos() as u64);
        let Some(price) = refill.checked_div(u64::from(burst)) else { return false };
        let paid_at = self.paid_at.max(now) + price;
        let allowed = paid_at - now <= refill;
        if allowed {
            self.paid_at = paid_at;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let mut budget = Budget::default();
        let refill = Duration::from_secs(2);
        let mut spend = |now: u64| budget.spend(4, refill, Duration::from_millis(now));
        assert!((0..4).all(|_| spend(1_000)));
        assert!(!spend(1_000));
        assert!(spend(1_500));
        assert!(!spend(1_500));
        assert!((0..4).all(|_| spend(60_000)), "all of it is back, and no more");
        assert!(!spend(60_000));
    }

    #[test]
    fn none_is_none() {
        assert!(!Budget::default().spend(0, Duration::from_secs(1), Duration::from_secs(9)));
    }
}
