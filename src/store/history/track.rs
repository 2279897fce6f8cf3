//! One series in the history.

use std::collections::VecDeque;

use super::Point;
use super::chunk::{Chunk, Damaged};
use super::open::Open;

/// Samples of a sealed chunk. Fewer would leave it mostly head, more would leave too much open.
const CHUNK_SAMPLES: usize = 240;
/// Series that began together are not sealed together, or one round would do the work of all.
const SPREAD: usize = 120;
/// A chunk is dropped as a whole, so that it may not hold more than this part of what is kept.
const CHUNK_SHARE: i64 = 4;
/// A sample that is older than the last one by less is late, and one that is older still tells that
/// the clock was set back.
const LATE_MS: i64 = 1_000;

/// The samples of one series.
#[derive(Debug)]
pub(super) struct Track {
    chunks: VecDeque<Chunk>,
    open: Open,
    /// How many samples the open chunk takes before it is sealed.
    room: usize,
}

/// Some samples of one series, still packed.
#[derive(Debug, Clone)]
pub struct Excerpt {
    chunks: Vec<Chunk>,
    open: Option<Open>,
}

impl Track {
    /// The `number` tells it from those that begin together.
    pub(super) fn new(number: usize) -> Self {
        let room = CHUNK_SAMPLES - number * 37 % SPREAD;
        Self { chunks: VecDeque::new(), open: Open::default(), room }
    }

    pub(super) fn push(&mut self, point: Point, memory_ms: i64) {
        if let Some(last) = self.last()
            && point.at <= last
        {
            if last - point.at < LATE_MS {
                return;
            }
            self.drop_since(point.at);
        }
        self.open.push(point);
        let span = point.at.saturating_sub(self.open.first());
        if self.open.count() >= self.room || span > memory_ms / CHUNK_SHARE {
            self.seal();
        }
    }

    pub(super) fn samples(&self) -> usize {
        self.chunks.iter().map(Chunk::count).sum::<usize>() + self.open.count()
    }

    /// About what it takes in memory, its entry in the map included.
    pub(super) fn size(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(size_of_chunk).sum();
        size_of::<Self>() + chunks + self.open.size()
    }

    /// The end and the size of each part that can be dropped.
    pub(super) fn parts(&self) -> impl Iterator<Item = (i64, usize)> {
        let sealed = self.chunks.iter().map(|chunk| (chunk.last(), size_of_chunk(chunk)));
        let open = (self.open.count() > 0)
            .then(|| (self.open.last(), size_of::<Self>() + self.open.size()));
        sealed.chain(open)
    }

    pub(super) fn drop_before(&mut self, oldest: i64) {
        while self.chunks.front().is_some_and(|chunk| chunk.last() < oldest) {
            self.chunks.pop_front();
        }
        if self.chunks.is_empty() && self.open.last() < oldest {
            self.open = Open::default();
        }
    }

    pub(super) fn excerpt(&self, from: i64, to: i64) -> Excerpt {
        let is_wanted = |first: i64, last: i64| first <= to && last >= from;
        let chunks = self.chunks.iter().filter(|chunk| is_wanted(chunk.first(), chunk.last()));
        let open = self.open.count() > 0 && is_wanted(self.open.first(), self.open.last());
        Excerpt { chunks: chunks.cloned().collect(), open: open.then(|| self.open.clone()) }
    }

    pub(super) fn holds(&self, from: i64, to: i64) -> bool {
        let first = self.chunks.front().map_or(self.open.first(), Chunk::first);
        self.last().is_some_and(|last| first <= to && last >= from)
    }

    fn last(&self) -> Option<i64> {
        match self.open.count() {
            0 => self.chunks.back().map(Chunk::last),
            _ => Some(self.open.last()),
        }
    }

    fn drop_since(&mut self, at: i64) {
        let open: Vec<Point> = self.open.points();
        self.open.clear();
        open.into_iter().filter(|point| point.at < at).for_each(|point| self.open.push(point));
        while self.chunks.back().is_some_and(|chunk| chunk.last() >= at) {
            self.chunks.pop_back();
        }
    }

    fn seal(&mut self) {
        self.chunks.push_back(Chunk::seal(&self.open.points()));
        self.open.clear();
        self.room = CHUNK_SAMPLES;
    }
}

fn size_of_chunk(chunk: &Chunk) -> usize {
    // Beside the bytes there are two counters and the pointer to it all.
    chunk.as_bytes().len() + 2 * size_of::<usize>() + size_of::<Chunk>()
}

impl Excerpt {
    /// How many samples it may hold.
    pub fn count(&self) -> usize {
        let open = self.open.as_ref().map_or(0, Open::count);
        self.chunks.iter().map(Chunk::count).sum::<usize>() + open
    }

    /// The samples between two times, both included.
    ///
    /// # Errors
    /// If a chunk is damaged.
    pub fn points(&self, from: i64, to: i64) -> Result<Vec<Point>, Damaged> {
        let mut points = Vec::with_capacity(self.count());
        for chunk in &self.chunks {
            points.extend(chunk.points()?);
        }
        points.extend(self.open.iter().flat_map(Open::points));
        points.retain(|point| (from..=to).contains(&point.at));
        Ok(points)
    }
}
