//! Events that are published and not on disk, while the disk fails.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::hub::{Gap, Message, Reason};

/// Events by number, bounded in bytes.
#[derive(Debug)]
pub(super) struct Backlog {
    events: BTreeMap<u64, (Message, Timestamp)>,
    bytes: u64,
    bytes_max: u64,
    /// Those that had to make room.
    lost: Option<Gap>,
}

impl Backlog {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self { events: BTreeMap::new(), bytes: 0, bytes_max, lost: None }
    }

    pub(super) fn add(&mut self, event: Message, at: Timestamp) {
        self.bytes += event.text.len() as u64;
        self.events.insert(event.seq, (event, at));
        while self.bytes > self.bytes_max
            && let Some((seq, (event, _))) = self.events.pop_first()
        {
            self.bytes -= event.text.len() as u64;
            let from = self.lost.map_or(seq, |lost| lost.from);
            self.lost = Some(Gap { from, to: seq, reason: Reason::Storage });
        }
    }

    /// Forgets what is stored now: everything up to `seq`.
    pub(super) fn stored(&mut self, seq: u64) {
        while let Some(first) = self.events.first_entry().filter(|first| *first.key() <= seq) {
            self.bytes -= first.remove().0.text.len() as u64;
        }
        self.lost = self.lost.filter(|lost| lost.to > seq);
    }

    pub(super) fn all(&self) -> Vec<(Message, Timestamp)> {
        self.events.values().cloned().collect()
    }

    /// The events numbered `from` to `to`.
    pub(super) fn between(&self, from: u64, to: u64) -> impl Iterator<Item = &Message> {
        self.events.range(from..=to.max(from)).map(|(_, (event, _))| event)
    }

    pub(super) fn lost(&self) -> Option<Gap> {
        self.lost
    }

    /// The number of the first event.
    pub(super) fn first(&self) -> Option<u64> {
        self.events.keys().next().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Subject;

    #[test]
    fn the_oldest_make_room_and_are_known_as_lost() {
        let mut backlog = Backlog::new(30);
        for seq in [2, 3, 7, 8, 9] {
            let event = Message::kept(seq, Subject::TaskUpdate("t".into()), "0123456789");
            backlog.add(event, Timestamp::UNIX_EPOCH);
        }
        let lost = Some(Gap { from: 2, to: 3, reason: Reason::Storage });
        assert_eq!((backlog.lost(), backlog.first(), backlog.len()), (lost, Some(7), 3));
        assert_eq!(backlog.between(8, 100).count(), 2);
        backlog.stored(8);
        assert_eq!((backlog.lost(), backlog.first(), backlog.len()), (None, Some(9), 1));
        backlog.stored(9);
        assert_eq!((backlog.bytes, backlog.len()), (0, 0));
    }
}
