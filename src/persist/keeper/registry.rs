//! Which series are on disk: their numbers, and from when to when there is something of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};

use crate::sample::SeriesKey;

/// Of this part those go that ended first, when there are too many: not one at a time.
const EVICTED_SHARE: usize = 20;

/// A series on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: u32,
    /// The first and the last time of which there was a sample, in milliseconds since 1970.
    pub(super) first: i64,
    pub(super) last: i64,
}

/// The series on disk.
#[derive(Debug, Default)]
pub(super) struct Registry(BTreeMap<Arc<SeriesKey>, Entry>);

impl Registry {
    /// All of them. A row that makes no sense is passed over, and said so.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut series = BTreeMap::new();
        let sql = "SELECT id, name, labels, first, last FROM history_series";
        let mut select = connection.prepare(sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (id, name, labels): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let labels: Result<BTreeMap<String, String>, _> = serde_json::from_str(&labels);
            let (Ok(number), Ok(labels)) = (u32::try_from(id), labels) else {
                tracing::error!(id, name, "a series of the database makes no sense");
                continue;
            };
            let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let key = Arc::new(SeriesKey::new(&name, labels));
            series.insert(key, Entry { id: number, first: row.get(3)?, last: row.get(4)? });
        }
        Ok(Self(series))
    }

    pub(super) fn get(&self, key: &SeriesKey) -> Option<Entry> {
        self.0.get(key).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them by their numbers.
    pub(super) fn by_number(&self) -> HashMap<u32, (Arc<SeriesKey>, Entry)> {
        self.0.iter().map(|(key, entry)| (entry.id, (key.clone(), *entry))).collect()
    }

    /// Those of a metric, or all, of which there may be something between two times.
    pub(super) fn keys(&self, name: Option<&str>, from: i64, to: i64) -> Vec<Arc<SeriesKey>> {
        let first = Arc::new(SeriesKey::new(name.unwrap_or_default(), []));
        let range = self.0.range::<Arc<SeriesKey>, _>((Bound::Included(first), Bound::Unbounded));
        let named = range.take_while(|(key, _)| name.is_none_or(|name| key.name() == name));
        let there = named.filter(|(_, entry)| entry.first <= to && entry.last >= from);
        there.map(|(key, _)| key.clone()).collect()
    }

    /// Takes in what was committed.
    pub(super) fn apply(&mut self, news: News) {
        match news {
            News::Added(key, entry) => {
                self.0.insert(key, entry);
            }
            News::Written(key, last) => {
                if let Some(entry) = self.0.get_mut(&key) {
                    entry.last = last;
                }
            }
            News::Gone(gone) => self.0.retain(|_, entry| !gone.contains(&entry.id)),
            News::SetBack(to) => {
                for entry in self.0.values_mut() {
                    (entry.first, entry.last) = (entry.first.min(to), entry.last.min(to));
                }
            }
        }
    }

    /// Series of which nothing is newer than `oldest`, and, if there are more than `max`, those that
    /// ended first; but none that is `live`.
    pub(super) fn superfluous(
        &self,
        oldest: i64,
        max: usize,
        live: impl Fn(u32) -> bool,
    ) -> HashSet<u32> {
        let ended = self.0.values().filter(|entry| !live(entry.id));
        let mut ended: Vec<(i64, u32)> = ended.map(|entry| (entry.last, entry.id)).collect();
        ended.sort_unstable();
        let excess = match self.0.len().saturating_sub(max) {
            0 => 0,
            excess => excess + max / EVICTED_SHARE,
        };
        let gone = ended.partition_point(|(last, _)| *last < oldest).max(excess).min(ended.len());
        ended[..gone].iter().map(|(_, id)| *id).collect()
    }
}

/// What a change of the database brings for those who read the registry.
#[derive(Debug)]
pub(super) enum News {
    Added(Arc<SeriesKey>, Entry),
    /// The last sample of a series that is in a row.
    Written(Arc<SeriesKey>, i64),
    Gone(HashSet<u32>),
    /// The clock was set back to this time.
    SetBack(i64),
}

/// Gives a series a number.
pub(super) fn add(
    change: &Transaction<'_>,
    key: &Arc<SeriesKey>,
    at: i64,
) -> rusqlite::Result<Entry> {
    let labels: BTreeMap<&str, &str> = key.labels().collect();
    // Texts make no JSON that fails.
    let labels = serde_json::to_string(&labels).unwrap_or_default();
    let sql = "INSERT INTO history_series (name, labels, first, last) VALUES (?, ?, ?, ?)";
    // Nothing of it is in a row yet: its last time is just before its first.
    let last = at.saturating_sub(1);
    let id = change.prepare_cached(sql)?.insert(params![key.name(), labels, at, last])?;
    let id = u32::try_from(id).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, id))?;
    Ok(Entry { id, first: at, last })
}

/// Samples of a series are in its rows, the last one of this time.
pub(super) fn written(change: &Transaction<'_>, id: u32, last: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE history_series SET last = ? WHERE id = ?";
    change.prepare_cached(sql)?.execute([last, i64::from(id)])?;
    Ok(())
}

pub(super) fn remove(change: &Transaction<'_>, gone: &HashSet<u32>) -> rusqlite::Result<()> {
    for id in gone {
        change.prepare_cached("DELETE FROM history_series WHERE id = ?")?.execute([id])?;
    }
    Ok(())
}

pub(super) fn set_back(change: &Transaction<'_>, to: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE history_series SET first = min(first, ?1), last = min(last, ?1)";
    change.execute(sql, [to])?;
    Ok(())
}
