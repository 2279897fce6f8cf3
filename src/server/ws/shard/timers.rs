//! When to look after a client: a heap of times, in which some may be out of date.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A time of the shard's clock in milliseconds, a client and its number.
type Entry = (u64, u32, u64);

/// Times at which clients are to be looked after.
#[derive(Debug, Default)]
pub(super) struct Timers(BinaryHeap<Reverse<Entry>>);

impl Timers {
    /// Adds a time. There may be earlier and later ones of the same client.
    pub(super) fn push(&mut self, at: u64, client: u32, number: u64) {
        self.0.push(Reverse((at, client, number)));
    }

    /// The first time, if there is one.
    pub(super) fn first(&self) -> Option<u64> {
        self.0.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes the first one that has come.
    pub(super) fn pop(&mut self, now: u64) -> Option<Entry> {
        let Reverse(entry) = *self.0.peek().filter(|Reverse((at, ..))| *at <= now)?;
        self.0.pop();
        Some(entry)
    }
}
