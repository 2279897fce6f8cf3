//! Every series' samples of the last while, compressed in memory.
//!
//! A series is a few sealed chunks and an open one. Who reads it gets the chunks as they are (they
//! are shared, not copied) and unpacks them when the state is no longer locked.

mod chunk;
mod open;
mod track;

pub use chunk::{Chunk, Damaged};
pub use track::Excerpt;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

use super::Config;
use crate::sample::SeriesKey;
use track::Track;

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

/// Every series' samples of the last while.
#[derive(Debug)]
pub struct History {
    tracks: BTreeMap<Arc<SeriesKey>, Track>,
    memory_ms: i64,
    max_bytes: usize,
    bytes: usize,
    trimmed_at: i64,
}

impl History {
    /// An empty history.
    pub fn new(config: &Config) -> Self {
        let (tracks, memory_ms) = (BTreeMap::new(), milliseconds(config));
        let max_bytes = *config.max_bytes as usize;
        Self { tracks, memory_ms, max_bytes, bytes: 0, trimmed_at: i64::MIN }
    }

    /// Adopts new bounds; what is beyond them goes with the next samples.
    pub fn configure(&mut self, config: &Config) {
        (self.memory_ms, self.max_bytes) = (milliseconds(config), *config.max_bytes as usize);
        self.trimmed_at = i64::MIN;
    }

    /// Adds a sample. One that is as old as the last one, or less than a second older, is left out; if
    /// it is older than that the clock was set back, and what was later by the old clock is dropped.
    pub fn push(&mut self, key: &Arc<SeriesKey>, at: Timestamp, value: f64) {
        // A plugin's own NaN must not look like the end of its series.
        let value = if value.is_nan() { f64::NAN } else { value };
        self.add(key, Point { at: at.as_millisecond(), value });
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
            self.drop_before(now.saturating_sub(self.memory_ms));
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

    fn add(&mut self, key: &Arc<SeriesKey>, point: Point) {
        let track = match self.tracks.get_mut(key) {
            Some(track) => track,
            None => {
                let track = Track::new(self.tracks.len());
                self.bytes += track.size();
                self.tracks.entry(key.clone()).or_insert(track)
            }
        };
        let before = track.size();
        track.push(point, self.memory_ms);
        self.bytes = self.bytes + track.size() - before;
    }

    /// Drops what ended before `oldest`.
    fn drop_before(&mut self, oldest: i64) {
        let mut bytes = 0;
        self.tracks.retain(|_, track| {
            track.drop_before(oldest);
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
        self.drop_before(last.map_or(i64::MAX, |(end, _)| end.saturating_add(1)));
    }
}

fn milliseconds(config: &Config) -> i64 {
    i64::try_from(config.memory.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
