//! Asks the system for the time. Pure rooms are given a moment instead.

use std::time::Instant;

use jiff::Timestamp;

use crate::sample::Moment;

/// The daemon's clock: one is made when it starts, and handed to the edges.
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
