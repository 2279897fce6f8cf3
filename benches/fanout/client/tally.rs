//! Counts deliveries: how many, whether any is missing or comes twice, and how long they took.

use super::super::histogram::Histogram;

/// What has arrived since it was begun.
#[derive(Default)]
pub struct Tally {
    /// Deliveries in a round, and rounds to come.
    per_round: u64,
    rounds: u64,
    in_round: u64,
    deliveries: u64,
    bytes: u64,
    lost: u64,
    repeated: u64,
    is_gapless: bool,
    waits: Histogram,
}

/// One message of the stream, as a client finds it.
pub struct Arrival {
    pub bytes: usize,
    /// When it was published, its number, and the number of the one before it; not known of
    /// compressed ones.
    pub mark: Option<(u64, u64)>,
    pub before: Option<u64>,
    pub now: u64,
}

impl Tally {
    /// `is_gapless` if each client gets every message.
    pub fn new(per_round: u64, rounds: u64, is_gapless: bool) -> Self {
        Self { per_round, rounds, is_gapless, ..Self::default() }
    }

    pub fn rounds_left(&self) -> u64 {
        self.rounds
    }

    pub fn record(&mut self, arrival: &Arrival) {
        self.deliveries += 1;
        self.bytes += arrival.bytes as u64;
        if let Some((at, number)) = arrival.mark {
            self.waits.record(arrival.now.saturating_sub(at));
            match arrival.before {
                Some(before) if number <= before => self.repeated += 1,
                Some(before) if self.is_gapless => self.lost += number - before - 1,
                _ => {}
            }
        }
        self.in_round += 1;
        if self.in_round == self.per_round && self.rounds > 0 {
            (self.in_round, self.rounds) = (0, self.rounds - 1);
        }
    }

    /// One line of it.
    pub fn report(&self) -> String {
        let Self { deliveries, bytes, lost, repeated, waits, .. } = self;
        format!("report {deliveries} {bytes} {lost} {repeated} {waits}")
    }
}
