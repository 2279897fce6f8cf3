//! What is done with a server and its clients, and how much of it is one turn.

/// How messages come.
#[derive(Clone, Copy, PartialEq)]
pub enum Pace {
    /// So many at once, and the next ones when all clients have them.
    Bursts(u64),
    /// So many a second, whether or not the clients keep up.
    PerSecond(u64),
}

/// One thing to measure.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub pace: Pace,
    /// Messages in one turn.
    pub messages: u64,
    pub bytes: u64,
}

/// An ordinary update of a task.
pub const BYTES: u64 = 400;
/// One with more to say.
pub const LONG_BYTES: u64 = 900;
/// As many messages as the daemon lets wait for its pipeline.
pub const BURST: u64 = 100;

/// Deliveries in one turn: enough for the clock, and soon over.
const OF_BURSTS: u64 = 1_000_000;
const ONE_AT_A_TIME: u64 = 200_000;

impl Scenario {
    /// Bursts of messages of so many bytes, each for `receivers`.
    pub fn bursts(receivers: u64, bytes: u64) -> Self {
        let messages = (OF_BURSTS / receivers / BURST).clamp(1, 100) * BURST;
        Self { name: "bursts of 100", pace: Pace::Bursts(BURST), messages, bytes }
    }

    /// Each message when the one before it has arrived everywhere.
    pub fn one_at_a_time(receivers: u64) -> Self {
        let messages = (ONE_AT_A_TIME / receivers).clamp(1, 1_000);
        Self { name: "one at a time", pace: Pace::Bursts(1), messages, bytes: BYTES }
    }

    pub const A_HUNDRED_A_SECOND: Self =
        Self { name: "100 a second", pace: Pace::PerSecond(100), messages: 300, bytes: BYTES };

    pub const ONE_A_SECOND: Self =
        Self { name: "1 a second", pace: Pace::PerSecond(1), messages: 6, bytes: BYTES };

    /// The same, with next to nothing to do.
    pub fn shortened(self) -> Self {
        let (pace, messages) = match self.pace {
            Pace::Bursts(size) => (self.pace, size.min(self.messages)),
            Pace::PerSecond(_) => (Pace::PerSecond(100), 2),
        };
        Self { pace, messages, ..self }
    }
}
