//! Reads samples for queries, on connections and threads of their own.

use std::sync::Arc;

use parking_lot::RwLock;
use rusqlite::Connection;

use super::Catalogue;
use super::registry::Entry;
use super::tier::{HOUR_MS, Tier};
use crate::persist::readers::Readers;
use crate::sample::SeriesKey;
use crate::store::history::{Bucket, Chunk, Damaged, Shelf, Stored, Unread, Wanted, unpack};

/// The readers' side of what is kept of samples.
pub(in crate::persist) struct Books {
    catalogue: Arc<RwLock<Catalogue>>,
    readers: Readers,
}

impl Books {
    pub(in crate::persist) fn new(catalogue: Arc<RwLock<Catalogue>>, readers: Readers) -> Self {
        Self { catalogue, readers }
    }

    fn entry(&self, key: &SeriesKey, from: i64, to: i64) -> Option<Entry> {
        let entry = self.catalogue.read().registry.get(key)?;
        (entry.first <= to && entry.last >= from).then_some(entry)
    }
}

impl Shelf for Books {
    fn keys(&self, name: Option<&str>, from: i64, to: i64) -> Vec<Arc<SeriesKey>> {
        let catalogue = self.catalogue.read();
        catalogue.registry.keys(name, from.max(catalogue.oldest()), to)
    }

    fn holds(&self, key: &SeriesKey, from: i64, to: i64) -> bool {
        let oldest = self.catalogue.read().oldest();
        self.entry(key, from.max(oldest), to).is_some()
    }

    fn read(
        &self,
        wanted: &[Wanted],
        grain: i64,
        take: &mut dyn FnMut(usize, Stored) -> bool,
    ) -> Result<(), Unread> {
        let unread = |error: rusqlite::Error| Unread(error.to_string());
        let connection = self.readers.take().map_err(unread)?;
        let look = connection.1.unchecked_transaction().map_err(unread)?;
        for (place, Wanted { key, from, to }) in wanted.iter().enumerate() {
            let Some(entry) = self.entry(key, *from, *to) else { continue };
            let starts = Starts::of(&self.catalogue.read(), grain);
            let (from, to) = ((*from).max(entry.first), (*to).min(entry.last));
            let stored = starts.read(&look, entry.id, from, to).map_err(unread)?;
            if !stored.is_empty() && !take(place, stored) {
                break;
            }
        }
        drop(look);
        self.readers.give_back(connection);
        Ok(())
    }
}

/// From when on each table is the one to read.
struct Starts {
    full: i64,
    minutes: i64,
    hours: i64,
}

impl Starts {
    fn of(catalogue: &Catalogue, grain: i64) -> Self {
        let start = |tier: Tier| catalogue.tiers.get(tier).start;
        let full = start(Tier::Full);
        let minutes = if grain >= HOUR_MS { full } else { start(Tier::Minutes).min(full) };
        Self { full, minutes, hours: start(Tier::Hours).min(minutes) }
    }

    fn read(
        &self,
        connection: &Connection,
        series: u32,
        from: i64,
        to: i64,
    ) -> rusqlite::Result<Stored> {
        let mut stored = Stored::default();
        let (begin, end) = (from.max(self.full), to);
        if begin <= end {
            for row in Tier::Full.rows(begin, end, series) {
                let Some(bytes) = Tier::Full.read(connection, row)? else { continue };
                let points = Chunk::from_bytes(&bytes).and_then(|chunk| chunk.points());
                let points = sound(points, row).into_iter();
                stored.points.extend(points.filter(|point| (begin..=end).contains(&point.at)));
            }
        }
        let end = to.min(self.full.saturating_sub(1));
        stored.minutes = buckets(connection, Tier::Minutes, series, from.max(self.minutes), end)?;
        let end = to.min(self.minutes.saturating_sub(1));
        let begin = from.saturating_sub(HOUR_MS).max(self.hours);
        if from <= end {
            stored.hours = buckets(connection, Tier::Hours, series, begin, end)?;
        }
        Ok(stored)
    }
}

fn buckets(
    connection: &Connection,
    tier: Tier,
    series: u32,
    from: i64,
    to: i64,
) -> rusqlite::Result<Vec<Bucket>> {
    let mut found = Vec::new();
    if from > to {
        return Ok(found);
    }
    for row in tier.rows(from, to, series) {
        let Some(bytes) = tier.read(connection, row)? else { continue };
        let buckets = sound(unpack(&bytes), row).into_iter();
        found.extend(buckets.filter(|bucket| (from..=to).contains(&bucket.at)));
    }
    Ok(found)
}

/// One row that is damaged is no reason to show nothing of all the others.
fn sound<T>(read: Result<Vec<T>, Damaged>, row: i64) -> Vec<T> {
    read.unwrap_or_else(|error| {
        tracing::warn!(%error, row, "a row of samples is passed over");
        Vec::new()
    })
}
