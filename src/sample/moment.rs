//! When: the wall clock for what people read, the monotonic one for what is measured.

use std::time::{Duration, Instant};

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

/// Asks the system for the time. One is made when the daemon starts and handed to the edges.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// A clock whose uptime begins now.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// This moment.
    pub fn now(self) -> Moment {
        Moment { wall: Timestamp::now(), uptime: self.started.elapsed() }
    }
}
