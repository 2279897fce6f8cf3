//! When: the wall clock for what people read, the monotonic one for what is measured.

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
    fn both_clocks_move_together_and_stop_at_the_end() {
        let start = Moment { wall: Timestamp::UNIX_EPOCH, uptime: Duration::from_secs(5) };
        let later = start.after(Duration::from_millis(1250));
        assert_eq!(later.rfc3339(), "1970-01-01T00:00:01.250Z");
        assert_eq!(later.uptime, Duration::from_millis(6250));
        let end = start.after(Duration::MAX);
        assert_eq!((end.wall, end.uptime), (Timestamp::MAX, Duration::MAX));
    }
}
