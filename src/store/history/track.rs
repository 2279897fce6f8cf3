//! One series in the history.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};

use super::Point;
use super::chunk::{Chunk, Damaged};
use super::open::{Open, ReadSoFar};

/// Samples of a sealed chunk. Fewer would leave it mostly head, more would leave too much open.
const CHUNK_SAMPLES: usize = 240;
/// Series that began together are not sealed together, or one round would do the work of all.
const SPREAD: u64 = 120;
/// A chunk is dropped as a whole, so that it may not hold more than this part of what is kept.
const CHUNK_SHARE: i64 = 4;

/// The samples of one series.
#[derive(Debug)]
pub struct Track {
    /// No other track of this process has it.
    number: u64,
    chunks: VecDeque<Chunk>,
    open: Open,
    /// How many samples the open chunk takes before it is sealed.
    room: usize,
    /// How many chunks were sealed so far, those included that are gone.
    sealed: u64,
    /// Changes when samples that were there are taken back.
    revision: u32,
    /// Up to which time its samples are on a disk.
    written: AtomicI64,
}

/// How far somebody has read in a track.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The time of the last sample that was read.
    pub last: i64,
    sealed: u64,
    revision: u32,
    open: ReadSoFar,
}

impl Place {
    /// The place behind all samples up to `last`.
    pub fn behind(last: i64) -> Self {
        Self { last, sealed: 0, revision: u32::MAX, open: ReadSoFar::default() }
    }
}

/// Some samples of one series, still packed.
#[derive(Debug, Clone)]
pub struct Excerpt {
    chunks: Vec<Chunk>,
    open: Option<Open>,
}

impl Track {
    pub(super) fn new(number: u64) -> Self {
        let room = CHUNK_SAMPLES - (number * 37 % SPREAD) as usize;
        let (chunks, open) = (VecDeque::new(), Open::default());
        let written = AtomicI64::new(i64::MIN);
        Self { number, chunks, open, room, sealed: 0, revision: 0, written }
    }

    /// What tells it from every other track of this process.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When its first sample was read.
    pub fn first(&self) -> i64 {
        self.chunks.front().map_or(self.open.first(), Chunk::first)
    }

    /// Hands over what was added since `place`, in its order, and moves it behind that.
    pub fn read_on(&self, place: &mut Place, mut take: impl FnMut(Point)) {
        if self.last().is_none_or(|last| last <= place.last && place.revision == self.revision) {
            return;
        }
        if place.revision != self.revision {
            // What was read may no longer be there; all that is there is looked at.
            *place = Place { revision: self.revision, ..Place::behind(place.last) };
        }
        let mut last = place.last;
        let mut newer = |point: Point| {
            if point.at > last {
                last = point.at;
                take(point);
            }
        };
        if place.sealed != self.sealed {
            let first = self.sealed - self.chunks.len() as u64;
            let unread = self.chunks.iter().skip(place.sealed.saturating_sub(first) as usize);
            for chunk in unread.filter(|chunk| chunk.last() > place.last) {
                chunk.points().unwrap_or_default().into_iter().for_each(&mut newer);
            }
            (place.sealed, place.open) = (self.sealed, ReadSoFar::default());
        }
        self.open.read_on(&mut place.open, newer);
        place.last = last;
    }

    /// Adds a sample, unless one is there that is as new or newer; says so. The open chunk is sealed when
    /// it has `open_max` bytes, so that it is not all there is when memory is short.
    pub(super) fn push(&mut self, point: Point, memory_ms: i64, open_max: usize) -> bool {
        if self.last().is_some_and(|last| point.at <= last) {
            return false;
        }
        self.open.push(point);
        let span = point.at.saturating_sub(self.open.first());
        let is_full = self.open.count() >= self.room || self.open.len() >= open_max;
        if is_full || span > memory_ms / CHUNK_SHARE {
            self.seal();
        }
        true
    }

    pub(super) fn chunks(&self) -> usize {
        self.chunks.len()
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
        self.last().is_some_and(|last| self.first() <= to && last >= from)
    }

    /// When the last sample was read that is in a sealed chunk.
    pub fn sealed_until(&self) -> Option<i64> {
        self.chunks.back().map(Chunk::last)
    }

    /// Says up to which time its samples are on a disk.
    pub fn wrote(&self, until: i64) {
        self.written.store(until, Ordering::Relaxed);
    }

    pub(super) fn written(&self) -> i64 {
        self.written.load(Ordering::Relaxed)
    }

    /// How many samples the chunks have that are not on a disk as a whole.
    pub(super) fn unwritten(&self) -> usize {
        let written = self.written();
        let chunks = self.chunks.iter().filter(|chunk| chunk.last() > written).map(Chunk::count);
        let open = if self.open.last() > written { self.open.count() } else { 0 };
        chunks.sum::<usize>() + open
    }

    /// When its last sample was read, if it has any.
    pub fn last(&self) -> Option<i64> {
        match self.open.count() {
            0 => self.chunks.back().map(Chunk::last),
            _ => Some(self.open.last()),
        }
    }

    /// Takes back what is newer than `at`.
    pub(super) fn drop_since(&mut self, at: i64) {
        if self.last().is_none_or(|last| last <= at) {
            return;
        }
        self.revision += 1;
        let mut kept: Vec<Point> = Vec::new();
        while self.chunks.back().is_some_and(|chunk| chunk.last() > at) {
            let chunk = self.chunks.pop_back();
            let points = chunk.and_then(|chunk| chunk.points().ok()).unwrap_or_default();
            kept.splice(0..0, points);
        }
        kept.extend(self.open.points());
        self.open.clear();
        kept.iter().filter(|point| point.at <= at).for_each(|point| self.open.push(*point));
    }

    fn seal(&mut self) {
        self.chunks.push_back(Chunk::seal(&self.open.points()));
        self.open.clear();
        self.sealed += 1;
        self.room = CHUNK_SAMPLES;
    }
}

fn size_of_chunk(chunk: &Chunk) -> usize {
    // Beside the bytes there are two counters and the pointer to it all.
    chunk.as_bytes().len() + 2 * size_of::<usize>() + size_of::<Chunk>()
}

impl Excerpt {
    /// When its first sample was read, if it has any.
    pub fn first(&self) -> Option<i64> {
        let open = self.open.as_ref().map(Open::first);
        self.chunks.first().map(Chunk::first).or(open)
    }

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
