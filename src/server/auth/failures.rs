//! Wrong tokens, by the address that they come from: how many there may be in a minute. Pure.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Over which so many are allowed.
const MINUTE: Duration = Duration::from_secs(60);

/// Wrong tokens of the last while.
#[derive(Debug, Default)]
pub(super) struct Failures {
    by_address: HashMap<Option<IpAddr>, Count>,
    /// Those of addresses for which there was no room.
    others: Count,
}

/// One window of a minute.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    begun: Duration,
    count: u32,
}

/// What is to be done about one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Say that it is wrong. `is_first` of this address in a minute.
    Refuse { is_first: bool },
    /// Say nothing of it, and when to come back.
    Slow { wait: Duration, is_first: bool },
}

impl Failures {
    /// Counts one at `now`, of which an address may have `most` in a minute; `room` addresses are
    /// counted apart. All of one IPv6 network are one: whoever has one has them all.
    pub(super) fn count(
        &mut self,
        address: Option<IpAddr>,
        now: Duration,
        most: u32,
        room: usize,
    ) -> Verdict {
        let address = address.map(network);
        if !self.by_address.contains_key(&address) && self.by_address.len() >= room {
            self.by_address.retain(|_, count| !count.is_over(now));
        }
        let is_full = self.by_address.len() >= room && !self.by_address.contains_key(&address);
        let count =
            if is_full { &mut self.others } else { self.by_address.entry(address).or_default() };
        if count.is_over(now) {
            *count = Count { begun: now, count: 0 };
        }
        count.count = count.count.saturating_add(1);
        if count.count <= most {
            return Verdict::Refuse { is_first: count.count == 1 };
        }
        let wait = (count.begun + MINUTE).saturating_sub(now);
        Verdict::Slow { wait, is_first: count.count == most.saturating_add(1) }
    }
}

impl Count {
    fn is_over(&self, now: Duration) -> bool {
        self.count == 0 || now >= self.begun + MINUTE
    }
}

/// The /64 of an IPv6 address.
pub(in crate::server) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(bits.into())
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_address_may_be_wrong_so_often_in_a_minute() {
        let mut failures = Failures::default();
        let mut count = |address: &str, now: u64| {
            failures.count(Some(address.parse().expect("an address")), at(now), 2, 10)
        };
        assert_eq!(count("192.0.2.1", 100), Verdict::Refuse { is_first: true });
        assert_eq!(count("192.0.2.1", 110), Verdict::Refuse { is_first: false });
        assert_eq!(count("192.0.2.1", 120), Verdict::Slow { wait: at(40), is_first: true });
        assert_eq!(count("::ffff:192.0.2.1", 130), Verdict::Slow { wait: at(30), is_first: false });
        assert_eq!(count("192.0.2.2", 130), Verdict::Refuse { is_first: true }, "another's");
        assert_eq!(count("192.0.2.1", 160), Verdict::Refuse { is_first: true }, "a minute later");
        // One network is one.
        assert_eq!(count("2001:db8::1", 200), Verdict::Refuse { is_first: true });
        assert_eq!(count("2001:db8::2", 200), Verdict::Refuse { is_first: false });
        assert_eq!(count("2001:db8::3", 200), Verdict::Slow { wait: at(60), is_first: true });
        assert_eq!(count("2001:db8:0:1::3", 200), Verdict::Refuse { is_first: true });
    }

    #[test]
    fn more_addresses_than_there_is_room_for_are_one() {
        let mut failures = Failures::default();
        let mut count =
            |last: u8, now: u64| failures.count(Some([192, 0, 2, last].into()), at(now), 1, 2);
        assert_eq!(count(1, 0), Verdict::Refuse { is_first: true });
        assert_eq!(count(2, 1), Verdict::Refuse { is_first: true });
        assert_eq!(count(3, 2), Verdict::Refuse { is_first: true });
        assert!(matches!(count(4, 3), Verdict::Slow { .. }), "as if it were the third's");
        assert!(matches!(count(1, 4), Verdict::Slow { .. }), "which has its own count");
        assert_eq!(count(4, 61), Verdict::Refuse { is_first: true }, "there is room again");
        assert!(failures.by_address.len() <= 2);
    }
}
