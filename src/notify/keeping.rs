//! Has what has changed written, all of it if the last attempt failed, and takes in what was kept.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::Instant;

use super::handle::Shared;
use super::ledger::{Change, Kept, Ledger, Written};

/// Between two attempts to write.
const RETRY: Duration = Duration::from_secs(1);
/// If nothing else has changed, the place in the stream is written so often: what lies behind it is
/// read again after a crash.
const PLACE_INTERVAL: Duration = Duration::from_secs(60);

/// What is known of what is written.
pub(super) struct Keeping {
    ledger: Option<Arc<dyn Ledger>>,
    /// Where it was written at last.
    generation: Option<u64>,
    /// Whether not all that has changed is written.
    is_behind: bool,
    next_attempt: Option<Instant>,
    seq: u64,
    placed_at: Instant,
}

impl Keeping {
    pub(super) fn new(ledger: Option<Arc<dyn Ledger>>) -> Self {
        let placed_at = Instant::now();
        let (generation, next_attempt) = (None, None);
        Self { ledger, generation, is_behind: false, next_attempt, seq: 0, placed_at }
    }

    /// When the next attempt to write is due, if the last one failed.
    pub(super) fn next_attempt(&self) -> Option<Instant> {
        self.next_attempt
    }

    /// Takes in what was kept. What makes no sense is passed over, and said so.
    pub(super) fn take_in(&mut self, shared: &mut Shared, kept: Kept, now: Timestamp) {
        self.seq = self.seq.max(kept.seq);
        for (key, text) in kept.groups {
            match serde_json::from_str(&text) {
                Ok(group) => shared.plan.restore(key, group, now),
                Err(error) => tracing::error!(key, %error, "a group of alerts makes no sense"),
            }
        }
        for (number, text) in kept.entries {
            match serde_json::from_str(&text) {
                Ok(entry) => shared.outbox.restore(number, entry),
                Err(error) => tracing::error!(number, %error, "a notification makes no sense"),
            }
        }
    }

    /// Writes what has changed. Gives what was found where it was to be written, if somebody has
    /// kept something there that is not known yet: it is to be taken in, and all is written then.
    pub(super) async fn store(&mut self, shared: &Mutex<Shared>, seq: u64) -> Option<Kept> {
        let Some(ledger) = self.ledger.clone() else {
            // Nobody keeps it, and nobody asks for it.
            let mut shared = shared.lock();
            shared.plan.take_touched();
            shared.outbox.take_touched();
            return None;
        };
        if self.next_attempt.is_some_and(|attempt| attempt > Instant::now()) {
            return None;
        }
        let change = self.change(&mut shared.lock(), seq)?;
        match ledger.write(change).await {
            Ok(Written::Done(generation)) => {
                let is_other = self.generation.is_some_and(|known| known != generation);
                if self.is_behind && self.next_attempt.is_some() {
                    tracing::info!("notifications are kept again");
                }
                self.generation = Some(generation);
                (self.is_behind, self.next_attempt) = (is_other && !self.is_behind, None);
                (self.seq, self.placed_at) = (seq, Instant::now());
                self.is_behind.then(Kept::default)
            }
            Ok(Written::Found(kept)) => {
                self.is_behind = true;
                Some(kept)
            }
            Err(error) => {
                if self.next_attempt.is_none() {
                    tracing::error!(error, "notifications are in memory only");
                }
                (self.is_behind, self.next_attempt) = (true, Some(Instant::now() + RETRY));
                shared.lock().vitals.write_failures += 1;
                None
            }
        }
    }

    fn change(&self, shared: &mut Shared, seq: u64) -> Option<Change> {
        let Shared { plan, outbox, .. } = shared;
        let (groups, entries) = (plan.take_touched(), outbox.take_touched());
        if !self.is_behind {
            let groups = groups.into_iter().map(|(key, group)| (key, group.map(json)));
            let entries = entries.into_iter().map(|(number, entry)| (number, entry.map(json)));
            let (groups, entries): (Vec<_>, Vec<_>) = (groups.collect(), entries.collect());
            let is_placed = seq == self.seq || self.placed_at.elapsed() < PLACE_INTERVAL;
            let is_nothing = groups.is_empty() && entries.is_empty() && is_placed;
            let has_ended = seq == 0 && self.seq != 0;
            return (!is_nothing || has_ended).then_some(Change {
                is_whole: false,
                seq,
                groups,
                entries,
            });
        }
        let groups = plan.all().map(|(key, group)| (key.clone(), Some(json(group)))).collect();
        let entries = outbox.all().map(|(number, entry)| (number, Some(json(entry)))).collect();
        Some(Change { is_whole: true, seq, groups, entries })
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts, numbers and times are JSON")
}
