//! When: the wall clock for what people read, the monotonic one for what is measured.

use std::num::NonZeroI64;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};

/// One instant by both clocks. Pure rooms are given it; only the edges ask the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Wall clock, UTC.
    pub wall: Timestamp,
    /// Monotonic time since the daemon started.
    pub uptime: Duration,
}

impl Moment {
    /// The wall clock as RFC 3339 with milliseconds, the form of every timestamp that we send.
    pub fn rfc3339(self) -> String {
        rfc3339(self.wall)
    }

    /// This moment, later by `duration`; for tests and forecasts.
    pub fn after(self, duration: Duration) -> Self {
        let wall = SignedDuration::try_from(duration).ok();
        Self {
            wall: wall.and_then(|d| self.wall.checked_add(d).ok()).unwrap_or(Timestamp::MAX),
            uptime: self.uptime.saturating_add(duration),
        }
    }
}

/// A time that a sample bears itself: eight bytes, also where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(NonZeroI64);

impl Stamp {
    /// This many nanoseconds after 1970-01-01 UTC.
    pub fn of_unix_ns(unix_ns: i64) -> Self {
        // The one instant that has no place is told as the next.
        Self(
            NonZeroI64::new(unix_ns)
                .unwrap_or(const { NonZeroI64::new(1).expect("one is not zero") }),
        )
    }

    /// The same time by the wall clock.
    pub fn wall(self) -> Timestamp {
        let unix_ns = i128::from(self.0.get());
        Timestamp::from_nanosecond(unix_ns).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Whether it is no further than `skew` from `at`, before or after.
    pub(super) fn is_within(self, skew: Duration, at: Timestamp) -> bool {
        let apart = i128::from(self.0.get()) - at.as_nanosecond();
        apart.unsigned_abs() <= skew.as_nanos()
    }
}

/// `at` as "2024-01-10T10:00:00.250Z" (RFC 3339, UTC, milliseconds).
pub fn rfc3339(at: Timestamp) -> String {
    let at = at.round(Unit::Millisecond).unwrap_or(at);
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_milliseconds_and_a_z() {
        let check = |text: &str, expected: &str| {
            assert_eq!(rfc3339(text.parse().unwrap()), expected);
        };
        check("2024-01-10T10:00:00Z", "2024-01-10T10:00:00.000Z");
        check("2024-01-10T11:00:00.25+01:00", "2024-01-10T10:00:00.250Z");
        check("2024-01-10T10:00:00.0004Z", "2024-01-10T10:00:00.000Z");
        check("2024-12-31T23:59:59.9996Z", "2025-01-01T00:00:00.000Z");
        check("9999-12-30T22:00:00.999999999Z", "9999-12-30T22:00:00.999Z");
    }

    #[test]
    fn a_stamp_is_near_or_far_on_either_side() {
        let at: Timestamp = "2024-01-10T10:00:00Z".parse().unwrap();
        let ns = i64::try_from(at.as_nanosecond()).unwrap();
        assert_eq!(Stamp::of_unix_ns(ns).wall(), at);
        let check = |apart: i64, expected| {
            let is_within = Stamp::of_unix_ns(ns + apart).is_within(Duration::from_nanos(5), at);
            assert_eq!(is_within, expected, "{apart}");
        };
        for (apart, expected) in [(0, true), (5, true), (-5, true), (6, false), (-6, false)] {
            check(apart, expected);
        }
        for far in [0, i64::MIN, i64::MAX] {
            assert!(!Stamp::of_unix_ns(far).is_within(Duration::from_secs(1), at), "{far}");
        }
        assert_eq!(size_of::<Option<Stamp>>(), 8);
    }

    #[test]
    fn both_clocks_move_together_and_stop_at_the_end() {
        let start = Moment { wall: Timestamp::UNIX_EPOCH, uptime: Duration::from_secs(5) };
        let later = start.after(Duration::from_millis(1250));
        assert_eq!(later.rfc3339(), "1970-01-01T00:00:01.250Z");
        assert_eq!(later.uptime, Duration::from_millis(6250));
        let end = start.after(Duration::MAX);
        assert_eq!((end.wall, end.uptime), (Timestamp::MAX, Duration::MAX));
    }
}
