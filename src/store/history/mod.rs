//! Every series' samples of the last while, compressed in memory.
//!
//! A series is a few sealed chunks and an open one. Who reads it gets the chunks as they are (they
//! are shared, not copied) and unpacks them when the state is no longer locked. Who keeps it on a disk
//! reads on from where it was (`Track::read_on`), and says what is there (`Track::wrote`). The forms in
//! which that is kept are here as well: `chunk` for samples, `bucket` for what is left of them later,
//! `round` for those of the last moment; `shelf` is how it is asked for.

mod bits;
mod bucket;
mod chunk;
mod open;
mod round;
mod shelf;
mod track;

pub use bucket::{Bucket, pack, roll_up, unpack};
pub use chunk::{Chunk, Damaged};
pub use round::{Round, RoundReader, Told};
pub use shelf::{Shelf, Stored, Unread, Wanted};
pub use track::{Excerpt, Place, Track};

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use super::Config;
use crate::sample::SeriesKey;

/// One sample of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Milliseconds since 1970, UTC.
    pub at: i64,
    pub value: f64,
}

/// The NaN by which Prometheus marks the end of a series (its `value.StaleNaN`).
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

impl Point {
    /// The mark that the series ends here.
    pub fn stale(at: i64) -> Self {
        Self { at, value: f64::from_bits(STALE_BITS) }
    }

    /// Whether it is no sample but the mark of an end.
    pub fn is_stale(self) -> bool {
        self.value.to_bits() == STALE_BITS
    }
}

/// Between two searches for what is too old.
const TRIM_EVERY_MS: i64 = 10_000;

/// An open chunk may take this part of what there is for its series.
const OPEN_SHARE: usize = 4;

/// Every series' samples of the last while.
#[derive(Debug)]
pub struct History {
    tracks: BTreeMap<Arc<SeriesKey>, Track>,
    memory_ms: i64,
    max_bytes: usize,
    bytes: usize,
    trimmed_at: i64,
    /// How many tracks there were.
    numbered: u64,
    /// Whether somebody writes it to a disk: what is not there stays as long as there is room.
    is_kept: AtomicBool,
    dropped: Dropped,
    set_backs: SetBacks,
}

/// When the clock was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetBacks {
    /// How often.
    pub count: u64,
    /// To which time, the last time.
    pub to: i64,
}

/// Samples that were not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// They were older than what was there of their series.
    pub late: u64,
    /// They were not on disk yet when memory was full.
    pub memory: u64,
}

impl History {
    /// An empty history.
    pub fn new(config: &Config) -> Self {
        let (tracks, memory_ms) = (BTreeMap::new(), milliseconds(config));
        let max_bytes = *config.max_bytes as usize;
        let (is_kept, dropped) = (AtomicBool::new(false), Dropped::default());
        Self {
            tracks,
            memory_ms,
            max_bytes,
            bytes: 0,
            trimmed_at: i64::MIN,
            numbered: 0,
            is_kept,
            dropped,
            set_backs: SetBacks { count: 0, to: i64::MAX },
        }
    }

    /// Adopts new bounds; what is beyond them goes with the next samples.
    pub fn configure(&mut self, config: &Config) {
        (self.memory_ms, self.max_bytes) = (milliseconds(config), *config.max_bytes as usize);
        self.trimmed_at = i64::MIN;
    }

    /// Adds a sample. One that is no newer than the last one of its series is left out.
    pub fn push(&mut self, key: &Arc<SeriesKey>, at: Timestamp, value: f64) {
        // A plugin's own NaN must not look like the end of its series.
        let value = if value.is_nan() { f64::NAN } else { value };
        self.add(key, Point { at: at.as_millisecond(), value });
    }

    /// Adds samples that were kept elsewhere, the oldest first.
    pub fn restore(&mut self, key: &Arc<SeriesKey>, points: &[Point]) {
        points.iter().for_each(|point| self.add(key, *point));
    }

    /// The clock was set back to this time: what is later by the old clock is dropped.
    pub fn set_back(&mut self, to: Timestamp) {
        let to = to.as_millisecond();
        self.tracks.values_mut().for_each(|track| track.drop_since(to));
        self.drop_before(i64::MIN, false);
        self.trimmed_at = i64::MIN;
        self.set_backs = SetBacks { count: self.set_backs.count + 1, to };
    }

    /// When the clock was set back.
    pub fn set_backs(&self) -> SetBacks {
        self.set_backs
    }

    /// Says whether somebody writes it to a disk. Nothing is known to be written then, before
    /// [`Track::wrote`] says so.
    pub fn keep(&self, is_kept: bool) {
        self.is_kept.store(is_kept, Ordering::Relaxed);
        self.tracks.values().for_each(|track| track.wrote(i64::MIN));
    }

    /// Whether there is little room left, so that sealed chunks may have to go soon.
    pub fn is_tight(&self) -> bool {
        self.bytes > self.max_bytes / 4 * 3
    }

    /// Marks the end of a series.
    pub fn end(&mut self, key: &Arc<SeriesKey>, at: Timestamp) {
        if self.tracks.contains_key(key) {
            self.add(key, Point::stale(at.as_millisecond()));
        }
    }

    /// Drops what is too old or too much. To be called now and then; it does most of the times
    /// nothing.
    pub fn trim(&mut self, now: Timestamp) {
        let now = now.as_millisecond();
        let is_due = now.abs_diff(self.trimmed_at) >= TRIM_EVERY_MS as u64;
        if is_due {
            self.trimmed_at = now;
            let is_kept = self.is_kept.load(Ordering::Relaxed);
            self.drop_before(now.saturating_sub(self.memory_ms), is_kept);
        }
        if self.bytes > self.max_bytes {
            self.drop_oldest();
        }
    }

    /// The series of a metric, or of all.
    pub fn keys(&self, name: Option<&str>) -> Vec<Arc<SeriesKey>> {
        let Some(name) = name else { return self.tracks.keys().cloned().collect() };
        let first = Arc::new(SeriesKey::new(name, []));
        let range = (Bound::Included(first), Bound::Unbounded);
        let keys = self.tracks.range::<Arc<SeriesKey>, _>(range).map(|(key, _)| key);
        keys.take_while(|key| key.name() == name).cloned().collect()
    }

    /// Some series with their samples, in the order of their keys: at most `count`, those behind `after`.
    pub fn walk(
        &self,
        after: Option<&Arc<SeriesKey>>,
        count: usize,
    ) -> impl Iterator<Item = (&Arc<SeriesKey>, &Track)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.tracks.range::<Arc<SeriesKey>, _>((from, Bound::Unbounded)).take(count)
    }

    /// What may lie between two times, both included, of one series.
    pub fn excerpt(&self, key: &SeriesKey, from: i64, to: i64) -> Option<Excerpt> {
        self.tracks.get(key).map(|track| track.excerpt(from, to))
    }

    /// The series that may have samples between two times, both included.
    pub fn keys_between(&self, from: i64, to: i64) -> Vec<Arc<SeriesKey>> {
        let tracks = self.tracks.iter().filter(|(_, track)| track.holds(from, to));
        tracks.map(|(key, _)| key.clone()).collect()
    }

    /// Whether a series may have samples between two times, both included.
    pub fn holds(&self, key: &SeriesKey, from: i64, to: i64) -> bool {
        self.tracks.get(key).is_some_and(|track| track.holds(from, to))
    }

    /// How many series there are, those included that have ended.
    pub fn series(&self) -> usize {
        self.tracks.len()
    }

    /// How many samples there are.
    pub fn samples(&self) -> usize {
        self.tracks.values().map(Track::samples).sum()
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many sealed chunks there are.
    pub fn chunks(&self) -> usize {
        self.tracks.values().map(Track::chunks).sum()
    }

    /// When the first sample was read, if there is any.
    pub fn oldest(&self) -> Option<i64> {
        self.tracks.values().map(Track::first).min()
    }

    /// Samples that were not kept.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    fn add(&mut self, key: &Arc<SeriesKey>, point: Point) {
        let open_max = self.max_bytes / (OPEN_SHARE * self.tracks.len().max(1));
        let track = match self.tracks.get_mut(key) {
            Some(track) => track,
            None => {
                let track = Track::new(self.numbered);
                self.numbered += 1;
                self.bytes += track.size();
                self.tracks.entry(key.clone()).or_insert(track)
            }
        };
        let before = track.size();
        if !track.push(point, self.memory_ms, open_max) {
            // The same sample again is none that is late.
            self.dropped.late += u64::from(track.last().is_some_and(|last| point.at < last));
        }
        self.bytes = self.bytes + track.size() - before;
    }

    /// Drops what ended before `oldest`; if it is `kept`, what is not written stays.
    fn drop_before(&mut self, oldest: i64, is_kept: bool) {
        let mut bytes = 0;
        self.tracks.retain(|_, track| {
            let written = if is_kept { track.written().saturating_add(1) } else { i64::MAX };
            track.drop_before(oldest.min(written));
            bytes += if track.samples() == 0 { 0 } else { track.size() };
            track.samples() > 0
        });
        self.bytes = bytes;
    }

    /// Drops the oldest until a tenth is free, so that it is not to be done at every sample.
    fn drop_oldest(&mut self) {
        let mut ends: Vec<(i64, usize)> = self.tracks.values().flat_map(Track::parts).collect();
        ends.sort_unstable();
        let mut excess = self.bytes - self.max_bytes / 10 * 9;
        let last = ends.iter().find(|(_, size)| {
            excess = excess.saturating_sub(*size);
            excess == 0
        });
        // If all of it would not do, all of it goes.
        let before = last.map_or(i64::MAX, |(end, _)| end.saturating_add(1));
        let is_kept = self.is_kept.load(Ordering::Relaxed);
        let unwritten = |history: &Self| match is_kept {
            true => history.tracks.values().map(Track::unwritten).sum::<usize>(),
            false => 0,
        };
        let had = unwritten(self);
        self.drop_before(before, false);
        self.dropped.memory += (had - unwritten(self)) as u64;
    }
}

fn milliseconds(config: &Config) -> i64 {
    i64::try_from(config.memory.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
