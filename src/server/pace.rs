//! How many requests a second may come from one address, and by one token.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, MonotonicClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use http::StatusCode;
use parking_lot::RwLock;

use super::Config;
use super::auth::{Caller, retry_after};
use super::problem::Problem;
use crate::hub::Peer;

/// Keys that are counted apart. Who has asked nothing for two seconds is forgotten; if there are
/// more than these all the same, further ones share one count.
const KEYS_MAX: usize = 16_384;

/// What counts requests by address and by token.
#[derive(Default)]
pub(super) struct Paces {
    by_address: Pace<IpAddr>,
    by_grant: Pace<u64>,
}

/// Requests of each key, unless there is no bound.
struct Pace<K: Hash + Eq + Clone> {
    limiter: RwLock<Option<Arc<Limiter<K>>>>,
    refused: AtomicU64,
}

struct Limiter<K: Hash + Eq + Clone> {
    /// Messages a second that it was made for.
    rate: u32,
    limiter: RateLimiter<Option<K>, HashMapStateStore<Option<K>>, MonotonicClock>,
}

impl Paces {
    pub(super) fn new(config: &Config) -> Self {
        let paces = Self::default();
        paces.configure(config);
        paces
    }

    /// Takes up new bounds; what was counted under others is forgotten.
    pub(super) fn configure(&self, config: &Config) {
        self.by_address.configure(config.max_request_rate);
        self.by_grant.configure(config.auth.max_request_rate);
    }

    /// Counts a request by where it comes from. All of one IPv6 network are one, and this machine's
    /// users by the Unix socket are not bounded.
    ///
    /// # Errors
    /// The answer, if it is one too many.
    pub(super) fn check_address(&self, peer: Peer) -> Result<(), Problem> {
        let Some(address) = peer.ip() else { return Ok(()) };
        let wait = self.by_address.wait(super::auth::network(address));
        wait.map_or(Ok(()), |wait| Err(too_many("address (server.max_request_rate)", wait)))
    }

    /// Counts a request by the token, the session or the certificate that it came with.
    ///
    /// # Errors
    /// The answer, if it is one too many.
    pub(super) fn check_caller(&self, caller: &Caller) -> Result<(), Problem> {
        if caller.who.token().or(caller.who.certificate()).is_none() {
            return Ok(());
        }
        let wait = self.by_grant.wait(caller.grant);
        wait.map_or(Ok(()), |wait| {
            Err(too_many("token or certificate (server.auth.max_request_rate)", wait))
        })
    }

    /// Requests refused so far, for their address and for their token.
    pub(super) fn refused(&self) -> [u64; 2] {
        [&self.by_address.refused, &self.by_grant.refused]
            .map(|count| count.load(Ordering::Relaxed))
    }
}

impl<K: Hash + Eq + Clone> Default for Pace<K> {
    fn default() -> Self {
        Self { limiter: RwLock::default(), refused: AtomicU64::new(0) }
    }
}

impl<K: Hash + Eq + Clone> Pace<K> {
    fn configure(&self, rate: u32) {
        let mut limiter = self.limiter.write();
        if limiter.as_ref().map_or(0, |limiter| limiter.rate) != rate {
            *limiter = NonZeroU32::new(rate).map(|rate| Arc::new(Limiter::new(rate)));
        }
    }

    /// Counts one; how long to wait if it is one too many.
    fn wait(&self, key: K) -> Option<Duration> {
        let limiter = self.limiter.read().clone()?;
        let wait = limiter.wait(key)?;
        self.refused.fetch_add(1, Ordering::Relaxed);
        Some(wait)
    }
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(rate: NonZeroU32) -> Self {
        let quota = Quota::per_second(rate)
            .allow_burst(rate.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
        Self { rate: rate.get(), limiter: RateLimiter::hashmap_with_clock(quota, MonotonicClock) }
    }

    fn wait(&self, key: K) -> Option<Duration> {
        if self.limiter.len() >= KEYS_MAX {
            self.limiter.retain_recent();
        }
        let key = Some(key).filter(|_| self.limiter.len() < KEYS_MAX);
        let now = self.limiter.clock().now();
        self.limiter.check_key(&key).err().map(|refused| refused.wait_time_from(now))
    }
}

fn too_many(whose: &str, wait: Duration) -> Problem {
    let detail = format!("Too many requests a second of this {whose}; try again later.");
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
    let (name, value) = retry_after(wait);
    problem.with_header(name, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_burst_of_its_own() {
        let pace = Pace::default();
        assert_eq!(pace.wait(1), None, "there is no bound");
        pace.configure(1);
        assert_eq!((pace.wait(1), pace.wait(1)), (None, None));
        let wait = pace.wait(1).expect("one too many");
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(pace.wait(2), None, "another");
        assert_eq!(pace.refused.load(Ordering::Relaxed), 1);
        pace.configure(1);
        assert!(pace.wait(1).is_some(), "the same bound forgets nothing");
        pace.configure(2);
        assert_eq!(pace.wait(1), None);
        pace.configure(0);
        assert!((0..10).all(|_| pace.wait(1).is_none()));
    }

    #[test]
    fn more_keys_than_there_is_room_for_share_a_count() {
        let pace = Pace::default();
        pace.configure(1);
        let count = KEYS_MAX as u64;
        for key in 0..count {
            pace.wait(key);
            pace.wait(key);
        }
        let kept = pace.limiter.read().clone().expect("a limiter").limiter.len();
        assert!(kept <= KEYS_MAX + 1, "{kept}");
    }
}
