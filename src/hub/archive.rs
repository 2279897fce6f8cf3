//! What is older than the log: events that somebody else keeps, and how they are asked for.

use super::{Filter, Message};

/// Which events are wanted.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The first number that may be among them, and the last.
    pub from: u64,
    pub to: u64,
    pub filter: Filter,
    /// How many at most, and of how many bytes; at least one is given if there is one.
    pub messages: usize,
    pub bytes: usize,
}

/// How much is read at once: all of it is in a client's queue then, and there may be many of them.
const MESSAGES_AT_ONCE: usize = 500;
const BYTES_AT_ONCE: usize = 64 << 10;

impl Ask {
    /// What is read at once of the events that `filter` matches.
    pub fn of(from: u64, to: u64, filter: Filter) -> Self {
        Self { from, to, filter, messages: MESSAGES_AT_ONCE, bytes: BYTES_AT_ONCE }
    }
}

/// Events, or that there were some.
#[derive(Debug, Clone)]
pub enum Entry {
    Event(Message),
    Lost(Gap),
}

/// A run of the stream that is lost to a client, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    pub from: u64,
    pub to: u64,
    pub reason: Reason,
}

/// Why a run of the stream is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is no longer kept.
    Retention,
    /// It could not be stored, or cannot be read.
    Storage,
    /// It belongs to another number line.
    Epoch,
    /// The client was too slow for it.
    Slow,
}

impl Reason {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Retention => "retention",
            Reason::Storage => "storage",
            Reason::Epoch => "epoch",
            Reason::Slow => "slow",
        }
    }
}

/// A part of what was asked for.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Where the next part begins; beyond the end of what was asked for if there is none.
    pub next: u64,
}

/// Whoever keeps events that have left the log.
pub trait Archive: Send + Sync {
    /// The events that were asked for. What it cannot give it says by [`Entry::Lost`]. It may block.
    fn read(&self, ask: &Ask) -> Page;
}
