//! How much a client may say: a bucket of tokens that fills with time.

use std::time::{Duration, Instant};

/// Allows `burst` at once and `burst` per `refill` in the long run.
#[derive(Debug)]
pub(super) struct TokenBucket {
    tokens: f64,
    burst: f64,
    refill: Duration,
    last: Instant,
}

impl TokenBucket {
    /// A full bucket.
    pub(super) fn new(burst: u32, refill: Duration, now: Instant) -> Self {
        let burst = f64::from(burst);
        Self { tokens: burst, burst, refill, last: now }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.last).as_secs_f64();
        self.tokens =
            (self.tokens + elapsed * self.burst / self.refill.as_secs_f64()).min(self.burst);
        self.last = now;
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(4, Duration::from_secs(2), start);
        assert!((0..4).all(|_| bucket.take(start)));
        assert!(!bucket.take(start));
        let later = start + Duration::from_millis(501);
        assert!(bucket.take(later));
        assert!(!bucket.take(later));
    }
}
