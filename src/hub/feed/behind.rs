//! A client that is owed more than what comes: its own queue, and its own place in the log.

use std::sync::Arc;

use super::backfill::Backfill;
use crate::hub::{Counts, Cursor, Filter, Key, Place, Type};

/// A client that is not at the head: it is starting, coming back, slow, or changing its filter.
#[derive(Debug)]
pub(super) struct Behind {
    pub(super) key: Arc<Key>,
    pub(super) queue: Queue,
    /// What follows after the queue.
    pub(super) cursor: Cursor,
    /// The name of the number line that it knows.
    pub(super) epoch: Arc<str>,
    /// What comes before all that is in the log.
    pub(super) backfill: Option<Backfill>,
    /// It is to be sent the state of the whole, next.
    pub(super) presents: bool,
    /// Something that was asked for on its behalf has not come yet.
    pub(super) waits: bool,
    /// What is to be in force once all that was published before is on its way.
    pub(super) change: Option<Change>,
    /// Its connection has not taken all that it was given since it was at the head.
    pub(super) slow: bool,
    /// Nothing comes after the queue.
    pub(super) ends: bool,
    /// It waits to have its turn.
    pub(super) is_due: bool,
}

/// Another filter.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) filter: Filter,
    pub(super) since: Option<Place>,
    /// Whether it subscribes, or the opposite.
    pub(super) subscribes: bool,
}

/// Bytes that wait for the socket.
#[derive(Debug, Default)]
pub(super) struct Queue {
    bytes: Vec<u8>,
    written: usize,
    /// The messages in it.
    counts: Counts,
    replies: u32,
}

/// What a queue was, now that it is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Emptied {
    pub(super) counts: Counts,
    pub(super) replies: u32,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.written == self.bytes.len()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a message of the stream.
    pub(super) fn push_message(&mut self, frame: &[u8], kind: Type) {
        self.push(frame);
        self.counts.by_type[kind as usize] += 1;
    }

    /// Counts a message whose last bytes are there already.
    pub(super) fn count(&mut self, kind: Option<Type>) {
        if let Some(kind) = kind {
            self.counts.by_type[kind as usize] += 1;
        }
    }

    /// Adds a message that is outside of it.
    pub(super) fn push_reply(&mut self, frame: &[u8]) {
        self.push(frame);
        self.replies += 1;
    }

    /// Hands `write` what there is; returns how many bytes it took, and what the queue was if those
    /// were all.
    pub(super) fn flush(&mut self, write: impl FnOnce(&[u8]) -> usize) -> (u64, Option<Emptied>) {
        let taken = if self.is_empty() { 0 } else { write(&self.bytes[self.written..]) };
        self.written += taken;
        if !self.is_empty() {
            return (taken as u64, None);
        }
        // Most of the time a client is owed nothing: its memory goes to others meanwhile.
        let Self { counts, replies, .. } = std::mem::take(self);
        (taken as u64, Some(Emptied { counts, replies }))
    }
}
