//! The frames of one class, one behind the other: what is due to a client is one slice of them.

use std::collections::VecDeque;
use std::time::Instant;

use crate::hub::Type;

/// Memory that is kept for the next frames when the last one has been taken.
const KEPT_BYTES: usize = 16 << 10;

/// Finished frames in the order of the stream. Places count all bytes that ever came.
#[derive(Debug, Default)]
pub(super) struct Ring {
    bytes: Vec<u8>,
    /// The place of `bytes[0]`, and how many of them nobody needs any more.
    base: u64,
    dead: usize,
    marks: VecDeque<Mark>,
}

/// Where a frame ends, and what it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) end: u64,
    pub(super) seq: u64,
    pub(super) kind: Type,
    pub(super) published: Instant,
}

impl Ring {
    /// The place behind the last frame.
    pub(super) fn head(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// The place of the first frame that is still here.
    pub(super) fn tail(&self) -> u64 {
        self.base + self.dead as u64
    }

    pub(super) fn push(&mut self, frame: &[u8], seq: u64, kind: Type, published: Instant) {
        self.bytes.extend_from_slice(frame);
        self.marks.push_back(Mark { end: self.head(), seq, kind, published });
    }

    /// All from the place `at` on.
    pub(super) fn from(&self, at: u64) -> &[u8] {
        &self.bytes[(at - self.base) as usize..]
    }

    /// The frames that end behind `from` and not behind `to`.
    pub(super) fn marks(&self, from: u64, to: u64) -> impl Iterator<Item = &Mark> {
        let start = self.marks.partition_point(|mark| mark.end <= from);
        self.marks.range(start..).take_while(move |mark| mark.end <= to)
    }

    /// The first frame of which anything is behind `at`, and where it begins.
    pub(super) fn frame_at(&self, at: u64) -> Option<(Mark, u64)> {
        let index = self.marks.partition_point(|mark| mark.end <= at);
        let mark = self.marks.get(index)?;
        let begin = index.checked_sub(1).map_or(self.tail(), |before| self.marks[before].end);
        Some((*mark, begin))
    }

    /// Forgets the frames that end at `to` or before.
    pub(super) fn trim(&mut self, to: u64) {
        while self.marks.front().is_some_and(|mark| mark.end <= to) {
            let end = self.marks.pop_front().map_or(self.base, |mark| mark.end);
            self.dead = (end - self.base) as usize;
        }
        if self.dead == self.bytes.len() {
            self.base = self.head();
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_BYTES);
            self.marks.shrink_to(KEPT_BYTES / size_of::<Mark>());
            self.dead = 0;
        } else if self.dead > self.bytes.len() / 2 {
            // Moves less than was written since the last time.
            self.bytes.drain(..self.dead);
            self.base += self.dead as u64;
            self.dead = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_one_slice_however_many_are_forgotten() {
        let (mut ring, now) = (Ring::default(), Instant::now());
        for seq in 0..1_000 {
            let frame = [seq as u8; 7];
            ring.push(&frame, seq, Type::Alert, now);
            let oldest = seq.saturating_sub(9);
            ring.trim(7 * oldest);
            assert_eq!((ring.tail(), ring.head()), (7 * oldest, 7 * (seq + 1)));
            let expected = Vec::from_iter((oldest..=seq).flat_map(|seq| [seq as u8; 7]));
            assert_eq!(ring.from(7 * oldest), expected);
            let (mark, begin) = ring.frame_at(7 * oldest + 3).expect("a frame");
            assert_eq!((mark.seq, begin), (oldest, 7 * oldest));
            let ends = ring.marks(7 * oldest + 3, 7 * seq).map(|mark| mark.seq);
            assert!(ends.eq(oldest..seq), "the last one is not whole");
        }
        ring.trim(7 * 1_000);
        assert!(ring.frame_at(7_000).is_none() && ring.from(7_000).is_empty());
        assert!(ring.bytes.capacity() <= KEPT_BYTES);
    }
}
