//! What a daemon before this one has left in rounds is put into rows, as far as its hours go.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Connection;

use super::{Entry, Gap, Keeper, Recent, Tiers, look};
use crate::store::history::{Point, RoundReader};

/// Series whose samples go into rows at once.
const SERIES_AT_ONCE: usize = 256;

impl Keeper {
    /// Reads what the database says, and leaves no round in it. With `start` the daemon has just started:
    /// every series ends where the one before knew no more. Returns the samples that were in rounds.
    pub(in crate::persist) fn load(
        &mut self,
        connection: &mut Connection,
        start: Option<Timestamp>,
    ) -> rusqlite::Result<Recent> {
        self.forget();
        self.look(connection)?;
        self.tiers = Tiers::load(connection)?;
        let sql = "SELECT max(saved_at, coalesce((SELECT max(at) FROM history_rounds), 0)), ended
            FROM history_state";
        let (saved_at, ended): (i64, bool) =
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let end = start.filter(|_| saved_at > 0).map(|_| saved_at);
        let recent = self.absorb(connection, saved_at, end)?;
        if let (Some(now), Some(saved_at)) = (start, end) {
            self.tell_gap(saved_at, now, ended);
        }
        if let Some(memory) = &self.memory {
            // It may be another file.
            look(memory, |history| history.keep(true));
        }
        (self.is_loaded, self.is_first) = (true, false);
        Ok(recent)
    }

    fn tell_gap(&self, saved_at: i64, now: Timestamp, in_order: bool) {
        let Ok(from) = Timestamp::from_millisecond(saved_at) else { return };
        let gap = Gap { from, to: now, in_order };
        self.numbers.lock().gap = Some(gap);
        if in_order {
            tracing::info!(%from, to = %now, "the history has a gap: the daemon did not run");
        } else {
            tracing::warn!(
                %from, to = %now,
                "the history has a gap: the daemon before did not end in order; what it had measured after the first of these times is lost"
            );
        }
    }

    fn absorb(
        &mut self,
        connection: &mut Connection,
        saved_at: i64,
        end: Option<i64>,
    ) -> rusqlite::Result<Recent> {
        let numbered = self.catalogue.read().registry.by_number();
        let mut left = read_rounds(connection, |id| numbered.get(&id).map(|(_, entry)| *entry))?;
        let mut recent = Recent::new();
        for (id, points) in &mut left {
            let Some((key, _)) = numbered.get(id) else { continue };
            if let (Some(end), Some(last)) = (end, points.last().copied())
                && !last.is_stale()
            {
                points.push(Point::stale(end.max(last.at.saturating_add(1))));
            }
            recent.push((key.clone(), std::mem::take(points)));
        }
        for some in recent.chunks(SERIES_AT_ONCE) {
            self.change(connection, |keeper, change| {
                for (key, points) in some {
                    let entry = keeper.catalogue.read().registry.get(key);
                    if let Some(entry) = entry {
                        keeper.put(change, key, entry.id, points)?;
                    }
                }
                Ok(())
            })?;
        }
        // If this comes to nothing, they are put into the same rows once more.
        self.change(connection, |_, change| {
            let sql = "UPDATE history_state SET saved_at = ?, ended = 0";
            change.execute(sql, [saved_at])?;
            change.execute("DELETE FROM history_rounds", [])
        })?;
        self.numbers.lock().rounds_bytes = 0;
        Ok(recent)
    }
}

/// The samples in rounds that are in no row, by series, in the order of their times.
fn read_rounds(
    connection: &Connection,
    entry: impl Fn(u32) -> Option<Entry>,
) -> rusqlite::Result<BTreeMap<u32, Vec<Point>>> {
    let mut left: BTreeMap<u32, Vec<Point>> = BTreeMap::new();
    let mut reader = RoundReader::default();
    let mut select = connection.prepare("SELECT id, data FROM history_rounds ORDER BY id")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (number, bytes): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let read = reader.read(&bytes, |id, point| {
            let points = left.entry(id).or_default();
            let last = points.last().map(|point| point.at);
            let last = last.or_else(|| entry(id).map(|entry| entry.last));
            // What was saved again after a failure is there already.
            if last.is_none_or(|last| point.at > last) {
                points.push(point);
            }
        });
        if let Err(error) = read {
            tracing::error!(%error, number, "a round of samples is passed over, in part at least");
        }
    }
    left.retain(|_, points| !points.is_empty());
    Ok(left)
}
