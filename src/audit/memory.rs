//! The last entries, those included that are not on disk yet.

use std::collections::VecDeque;

use super::{Ask, Deed};

/// Entries that may wait for the disk; with one more the oldest is not kept.
const WAITING_MAX: usize = 4_096;

/// One thing that was to be changed, or several that are the same and came at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Each has a higher one than those before it.
    pub number: u64,
    /// The first of them.
    pub deed: Deed,
    pub count: u64,
}

/// What somebody gets who has asked for some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// Whether there are others beyond them.
    pub more: bool,
}

/// The last entries, oldest first. Their numbers are in a row.
#[derive(Debug, Default)]
pub struct Memory {
    entries: VecDeque<Entry>,
    /// The number of the last; those up to `kept` are on disk, and those up to `given` on their way.
    last: u64,
    kept: u64,
    given: u64,
    has_book: bool,
    total: u64,
    lost: u64,
}

impl Memory {
    /// From now on entries are kept on disk, where those up to `last` are.
    pub fn go_on(&mut self, last: u64) {
        self.has_book = true;
        self.kept = last;
        self.shift(last);
    }

    /// Remembers one more, and no more than `most` that need not wait.
    pub fn note(&mut self, deed: Deed, most: usize) {
        self.total += 1;
        let waits = self.has_book && self.last > self.kept.max(self.given);
        match self.entries.back_mut() {
            Some(entry) if waits && is_same(&entry.deed, &deed) => entry.count += 1,
            _ => {
                self.last += 1;
                self.entries.push_back(Entry { number: self.last, deed, count: 1 });
            }
        }
        self.trim(most);
    }

    fn trim(&mut self, most: usize) {
        if !self.has_book {
            self.kept = self.last;
        }
        let waiting = (self.last - self.kept) as usize;
        if waiting > WAITING_MAX {
            let excess = waiting - WAITING_MAX;
            self.kept += excess as u64;
            self.lost += excess as u64;
        }
        let room = most.max(waiting.min(WAITING_MAX));
        let excess = self.entries.len().saturating_sub(room);
        self.entries.drain(..excess);
    }

    /// Up to `limit` that wait for the disk, to be written. From now on they are as they are.
    pub fn give(&mut self, limit: usize) -> Vec<Entry> {
        let waiting = self.entries.iter().filter(|entry| entry.number > self.kept);
        let given: Vec<Entry> = waiting.take(limit).cloned().collect();
        self.given = given.last().map_or(self.given, |entry| entry.number.max(self.given));
        given
    }

    /// Those up to `last` are on disk, under numbers that are higher by `shift`.
    pub fn keep(&mut self, last: u64, shift: u64) {
        self.kept = self.kept.max(last) + shift;
        self.shift(shift);
    }

    fn shift(&mut self, by: u64) {
        self.last += by;
        self.given += by;
        self.entries.iter_mut().for_each(|entry| entry.number += by);
    }

    /// What is in memory of what was asked, and what to ask of the disk besides.
    pub fn read(&self, ask: Ask, limit: usize) -> (Vec<Entry>, Option<(Ask, usize)>) {
        let first = self.entries.front().map_or(self.last + 1, |entry| entry.number);
        match ask {
            Ask::Before(number) => {
                let found = self.entries.iter().rev().filter(|entry| entry.number < number);
                let found: Vec<Entry> = found.take(limit).cloned().collect();
                let left = limit - found.len();
                let rest = (left > 0).then_some((Ask::Before(first.min(number)), left));
                (found, rest)
            }
            // What is before those in memory is on disk, if it is anywhere.
            Ask::After(number) if number.saturating_add(1) < first => {
                (Vec::new(), Some((ask, limit)))
            }
            Ask::After(number) => (self.after(number, limit), None),
        }
    }

    /// Those in memory after this number, whatever is on disk.
    pub fn after(&self, number: u64, limit: usize) -> Vec<Entry> {
        self.entries.iter().filter(|entry| entry.number > number).take(limit).cloned().collect()
    }

    /// What there has been since the start.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Entries that were to be on disk and are not.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

/// Whether two are told as one: all is the same but the time, and the port that somebody came from.
fn is_same(one: &Deed, other: &Deed) -> bool {
    let host = |from: &str| from.rsplit_once(':').map_or(from.len(), |(host, _)| host.len());
    one.from[..host(&one.from)] == other.from[..host(&other.from)]
        && (&one.who, &one.role, one.status) == (&other.who, &other.role, other.status)
        && (&one.method, &one.path) == (&other.method, &other.path)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn deed(path: &str, from: &str) -> Deed {
        Deed {
            at: Timestamp::UNIX_EPOCH,
            who: "token ci".to_owned(),
            role: None,
            from: from.to_owned(),
            method: "POST".to_owned(),
            path: path.to_owned(),
            status: 200,
        }
    }

    fn told(entries: &[Entry]) -> Vec<(u64, &str, u64)> {
        entries.iter().map(|one| (one.number, one.deed.path.as_str(), one.count)).collect()
    }

    #[test]
    fn without_a_disk_the_last_are_remembered() {
        let mut memory = Memory::default();
        for path in ["a", "a", "b", "c"] {
            memory.note(deed(path, "unix"), 3);
        }
        let (found, rest) = memory.read(Ask::Before(u64::MAX), 2);
        assert_eq!((told(&found), rest), (vec![(4, "c", 1), (3, "b", 1)], None));
        assert!(memory.give(10).is_empty());
        assert_eq!((memory.total(), memory.lost()), (4, 0));
        memory.note(deed("d", "unix"), 0);
        assert_eq!(memory.read(Ask::Before(u64::MAX), 2).0, []);
    }

    #[test]
    fn the_same_at_once_is_one_until_it_is_written() {
        let mut memory = Memory::default();
        memory.go_on(10);
        memory.note(deed("a", "192.0.2.1:1"), 3);
        memory.note(deed("a", "192.0.2.1:2"), 3);
        memory.note(deed("a", "192.0.2.2:1"), 3);
        assert_eq!(told(&memory.give(1)), [(11, "a", 2)]);
        assert_eq!(told(&memory.give(9)), [(11, "a", 2), (12, "a", 1)]);
        memory.note(deed("a", "192.0.2.2:1"), 3);
        memory.keep(12, 0);
        assert_eq!(told(&memory.give(9)), [(13, "a", 1)], "what is being written stays so");
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_lost_is_counted() {
        let mut memory = Memory::default();
        memory.go_on(0);
        for number in 0..WAITING_MAX + 7 {
            memory.note(deed(&number.to_string(), "unix"), 3);
        }
        assert_eq!((memory.give(usize::MAX).len(), memory.lost()), (WAITING_MAX, 7));
        assert_eq!(memory.give(1)[0].number, 8);
        memory.keep(memory.last, 0);
        memory.note(deed("x", "unix"), 3);
        assert_eq!(memory.entries.len(), 3);
    }

    #[test]
    fn a_book_that_was_opened_late_has_higher_numbers() {
        let mut memory = Memory::default();
        memory.go_on(0);
        memory.note(deed("a", "unix"), 9);
        memory.note(deed("b", "unix"), 9);
        memory.keep(1, 100);
        assert_eq!(told(&memory.give(9)), [(102, "b", 1)]);
        memory.note(deed("c", "unix"), 9);
        assert_eq!(told(&memory.give(9)), [(102, "b", 1), (103, "c", 1)]);
    }

    #[test]
    fn memory_and_disk_are_one_list() {
        let mut memory = Memory::default();
        memory.go_on(10);
        for path in ["a", "b", "c"] {
            memory.note(deed(path, "unix"), 9);
        }
        let read = |ask: Ask, limit: usize| {
            let (found, rest) = memory.read(ask, limit);
            (found.iter().map(|entry| entry.number).collect::<Vec<_>>(), rest)
        };
        assert_eq!(read(Ask::Before(u64::MAX), 2), (vec![13, 12], None));
        assert_eq!(read(Ask::Before(u64::MAX), 5), (vec![13, 12, 11], Some((Ask::Before(11), 2))));
        assert_eq!(read(Ask::Before(12), 1), (vec![11], None));
        assert_eq!(read(Ask::Before(5), 3), (vec![], Some((Ask::Before(5), 3))));
        assert_eq!(read(Ask::After(11), 5), (vec![12, 13], None));
        assert_eq!(read(Ask::After(10), 1), (vec![11], None));
        assert_eq!(read(Ask::After(3), 5), (vec![], Some((Ask::After(3), 5))));
        assert_eq!(read(Ask::After(13), 5), (vec![], None));
    }
}
