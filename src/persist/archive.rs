//! Reads events that have left the log: from the database, and from what waits to get there.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;

use super::backlog::Backlog;
use super::readers::Readers;
use super::rows;
use crate::hub::{Archive, Ask, Entry, Gap, Message, Page, Reason};

/// Events looked at for one page, whether they match or not.
const ROWS_MAX: usize = 2_000;

/// The readers' side of storage.
pub(super) struct Reader {
    readers: Readers,
    backlog: Arc<Mutex<Backlog>>,
}

impl Reader {
    pub(super) fn new(readers: Readers, backlog: Arc<Mutex<Backlog>>) -> Self {
        Self { readers, backlog }
    }
}

impl Archive for Reader {
    fn read(&self, ask: &Ask) -> Page {
        // First what waits: what is stored meanwhile is then found twice rather than not at all.
        let (waiting, lost) = {
            let backlog = self.backlog.lock();
            let waiting = backlog.between(ask.from, ask.to).cloned().collect();
            (waiting, backlog.lost())
        };
        let found = self.readers.take().and_then(|connection| {
            let found = Found::read(&connection.1, ask)?;
            self.readers.give_back(connection);
            Ok(found)
        });
        let found = found.unwrap_or_else(|error| {
            tracing::warn!(%error, path = %self.readers.path().display(), "cannot read events");
            let unread = Gap { from: ask.from, to: ask.to, reason: Reason::Storage };
            Found { events: BTreeMap::new(), gaps: vec![unread], next: ask.to + 1 }
        });
        found.page(ask, waiting, lost)
    }
}

/// What the database has of what was asked.
struct Found {
    events: BTreeMap<u64, Message>,
    gaps: Vec<Gap>,
    next: u64,
}

impl Found {
    fn read(connection: &Connection, ask: &Ask) -> rusqlite::Result<Self> {
        // One transaction, so that nothing is removed between two looks.
        let look = connection.unchecked_transaction()?;
        let pruned: i64 = look.query_row("SELECT pruned FROM line", [], |row| row.get(0))?;
        let (mut events, mut gaps, mut bytes) = (BTreeMap::new(), Vec::new(), 0);
        let (mut next, mut looked_at) = (ask.to + 1, 0);
        let sql = "SELECT seq, kind, subject, text FROM events
            WHERE seq BETWEEN ? AND ? ORDER BY seq";
        let mut select = look.prepare_cached(sql)?;
        let mut rows = select.query([number(ask.from), number(ask.to)])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            if events.len() >= ask.messages || bytes >= ask.bytes || looked_at >= ROWS_MAX {
                next = seq as u64;
                break;
            }
            looked_at += 1;
            let event = rows::read_event(row)?.filter(|event| ask.filter.matches(&event.subject));
            if let Some(event) = event {
                bytes += event.text.len();
                events.insert(event.seq, event);
            }
        }
        if pruned as u64 >= ask.from {
            let to = (pruned as u64).min(next - 1);
            gaps.push(Gap { from: ask.from, to, reason: Reason::Retention });
        }
        let sql = "SELECT first, last FROM lost WHERE last >= ? AND first <= ? ORDER BY first";
        let mut select = look.prepare_cached(sql)?;
        let mut rows = select.query([number(ask.from), number(next - 1)])?;
        while let Some(row) = rows.next()? {
            let (first, last): (i64, i64) = (row.get(0)?, row.get(1)?);
            gaps.push(Gap { from: first as u64, to: last as u64, reason: Reason::Storage });
        }
        Ok(Self { events, gaps, next })
    }

    fn page(mut self, ask: &Ask, waiting: Vec<Message>, lost: Option<Gap>) -> Page {
        let waiting = waiting.into_iter().filter(|event| ask.filter.matches(&event.subject));
        self.events.extend(waiting.map(|event| (event.seq, event)));
        // What was found in the second place may be more than was asked for at once.
        let over = self.events.keys().copied().nth(ask.messages).filter(|seq| *seq < self.next);
        let next = over.unwrap_or(self.next);
        let mut gaps: Vec<Gap> = self.gaps.into_iter().chain(lost).collect();
        gaps.sort_by_key(|gap| gap.from);
        let mut entries: Vec<(u64, Entry)> = Vec::new();
        let mut told = ask.from;
        for gap in gaps {
            let (from, to) = (gap.from.max(told), gap.to.min(next - 1));
            if from <= to {
                told = to + 1;
                entries.push((from, Entry::Lost(Gap { from, to, ..gap })));
            }
        }
        let events = self.events.into_values().take_while(|event| event.seq < next);
        entries.extend(events.map(|event| (event.seq, Entry::Event(event))));
        // Of what has one number, that something is missing comes first.
        entries.sort_by_key(|(seq, _)| *seq);
        Page { entries: entries.into_iter().map(|(_, entry)| entry).collect(), next }
    }
}

/// SQLite's integers have a sign.
fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
