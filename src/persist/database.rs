//! The open database: what one commit does to it, and what is removed from it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{
    Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params,
};

use super::schema::{self, Refusal};
use super::{History, Sync, alert_rows, audit_rows, notify_rows, rows};
use crate::alert;
use crate::audit;
use crate::hub::{Gap, Message};
use crate::notify::{self, Kept};
use crate::pipeline::Records;
use crate::task;

/// Events removed at once, so that no commit takes long because of them.
const REMOVED_AT_ONCE: u32 = 1_000;
/// Free pages given back to the file system at once.
const PAGES_AT_ONCE: usize = 256;

/// What is committed together.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) events: Vec<(Message, Timestamp)>,
    pub(super) tasks: Vec<task::Entry>,
    pub(super) alerts: Vec<alert::Entry>,
    /// Instead of single changes: all there is.
    pub(super) snapshot: Option<Records>,
    /// The number line, and up to where its numbers may be used.
    pub(super) line: Option<(String, u64)>,
    /// Events that were published and are not kept.
    pub(super) lost: Option<Gap>,
    /// A database that is new has no event up to this number, though there were some.
    pub(super) floor: u64,
    /// With this, all that was published is kept.
    pub(super) makes_whole: bool,
}

/// The numbers of the one row of `line`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineRow {
    pub(super) epoch: String,
    pub(super) reserved: u64,
    pub(super) pruned: u64,
    pub(super) events: u64,
    pub(super) bytes: u64,
}

impl LineRow {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |row: &rusqlite::Row<'_>, column| row.get(column).map(|n: i64| n as u64);
        connection.query_row("SELECT * FROM line", [], |row| {
            Ok(Self {
                epoch: row.get("epoch")?,
                reserved: number(row, "reserved")?,
                pruned: number(row, "pruned")?,
                events: number(row, "events")?,
                bytes: number(row, "bytes")?,
            })
        })
    }

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "UPDATE line SET epoch = ?, reserved = ?, pruned = ?, events = ?, bytes = ?";
        connection.prepare_cached(sql)?.execute(params![
            self.epoch,
            self.reserved as i64,
            self.pruned as i64,
            self.events as i64,
            self.bytes as i64,
        ])?;
        Ok(())
    }
}

/// Why a commit was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommitError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("the file was moved or deleted")]
    Gone,
}

impl CommitError {
    /// Whether somebody else has the lock, such as who looks with sqlite3(1).
    pub(super) fn is_busy(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        )
    }
}

/// The open database.
pub(super) struct Database {
    path: PathBuf,
    inode: u64,
    connection: Connection,
    sync: Sync,
    pub(super) line: LineRow,
    /// Whether it was made just now and has not been written since.
    is_new: bool,
}

impl Database {
    pub(super) fn open(path: &Path, sync: Sync) -> Result<Self, Refusal> {
        let (connection, is_new) = schema::open(path, sync)?;
        let line = LineRow::read(&connection)?;
        let inode = std::fs::metadata(path).map_or(0, |metadata| metadata.ino());
        Ok(Self { path: path.to_owned(), inode, connection, sync, line, is_new })
    }

    /// All tasks and alerts.
    pub(super) fn load(&self) -> rusqlite::Result<Records> {
        rows::load(&self.connection)
    }

    /// Whether it was made just now.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Writes all of a group or nothing.
    pub(super) fn commit(
        &mut self,
        group: &Group,
        history: &History,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        self.check_file()?;
        let behavior = TransactionBehavior::Immediate;
        let change = self.connection.transaction_with_behavior(behavior)?;
        let mut line = self.line.clone();
        if self.is_new {
            line.pruned = line.pruned.max(group.floor);
        }
        if let Some((epoch, reserved)) = &group.line {
            (line.epoch, line.reserved) = (epoch.clone(), *reserved);
        }
        for (event, at) in &group.events {
            if rows::write_event(&change, event, *at)? {
                line.events += 1;
                line.bytes += event.text.len() as u64;
            }
        }
        match &group.snapshot {
            Some(records) => rows::write_all(&change, records)?,
            None => {
                rows::write_tasks(&change, &group.tasks)?;
                alert_rows::write_alerts(&change, &group.alerts)?;
            }
        }
        if let Some(Gap { from, to, .. }) = group.lost {
            let sql = "INSERT OR REPLACE INTO lost VALUES (?, ?)";
            change.execute(sql, params![from as i64, to as i64])?;
        }
        remove_old(&change, &mut line, history, now)?;
        line.write(&change)?;
        change.commit()?;
        (self.line, self.is_new) = (line, false);
        Ok(())
    }

    /// What was kept of notifications.
    pub(super) fn notifications(&self) -> rusqlite::Result<Kept> {
        notify_rows::load(&self.connection)
    }

    /// Writes all of a change of notifications or nothing.
    pub(super) fn notify(&mut self, change: &notify::Change) -> Result<(), CommitError> {
        self.check_file()?;
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        notify_rows::write(&transaction, change)?;
        transaction.commit()?;
        Ok(())
    }

    /// Writes entries of the audit and removes those beyond the bounds, or nothing. Gives by how much
    /// their numbers are higher, and how many there are.
    pub(super) fn audit(
        &mut self,
        entries: &[audit::Entry],
        history: &History,
        now: Timestamp,
    ) -> Result<(u64, u64), CommitError> {
        self.check_file()?;
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        let shift = audit_rows::write(&transaction, entries, history, now)?;
        let count = audit_rows::count(&transaction)?;
        transaction.commit()?;
        Ok((shift, count))
    }

    /// The last number of the audit, and how many entries there are.
    pub(super) fn audited(&self) -> rusqlite::Result<(u64, u64)> {
        Ok((audit_rows::last(&self.connection)?, audit_rows::count(&self.connection)?))
    }

    /// Whether entries of the audit are to be removed.
    pub(super) fn is_audit_overdue(
        &self,
        history: &History,
        now: Timestamp,
    ) -> rusqlite::Result<bool> {
        audit_rows::is_overdue(&self.connection, history, now)
    }

    /// Has samples written. For them nobody waits for the disk: with the power a moment may be lost.
    pub(super) fn keep<T>(
        &mut self,
        write: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CommitError> {
        self.check_file()?;
        self.connection.pragma_update(None, "synchronous", Sync::Normal.name())?;
        let written = write(&mut self.connection);
        // Between transactions it cannot fail.
        self.connection.pragma_update(None, "synchronous", self.sync.name())?;
        Ok(written?)
    }

    /// What is written to a file without a name is lost with the process.
    fn check_file(&self) -> Result<(), CommitError> {
        let inode = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.ino());
        if inode == self.inode { Ok(()) } else { Err(CommitError::Gone) }
    }

    /// Whether there are events to be removed.
    pub(super) fn is_overdue(&self, history: &History, now: Timestamp) -> rusqlite::Result<bool> {
        let sql = "SELECT at FROM events ORDER BY seq LIMIT 1";
        let oldest: Option<i64> =
            self.connection.query_row(sql, [], |row| row.get(0)).optional()?;
        let is_old = oldest.is_some_and(|at| at < expiry(history, now));
        Ok(is_old || self.line.bytes > *history.events_size)
    }

    /// Brings the write-ahead log into the database, so that the file alone is all there is.
    pub(super) fn close(self) -> rusqlite::Result<()> {
        self.connection.close().map_err(|(_, error)| error)
    }

    /// Bytes of the file and its write-ahead log.
    pub(super) fn file_bytes(&self) -> u64 {
        let size = |end: &str| {
            let path = format!("{}{end}", self.path.display());
            std::fs::metadata(path).map_or(0, |metadata| metadata.len())
        };
        size("") + size("-wal")
    }
}

/// The time, in milliseconds, before which an event is too old.
fn expiry(history: &History, now: Timestamp) -> i64 {
    let age = SignedDuration::try_from(*history.events).unwrap_or(SignedDuration::MAX);
    now.checked_sub(age).map_or(i64::MIN, Timestamp::as_millisecond)
}

/// Removes the oldest events as long as they are too old or too many, a limited number at once. What
/// goes is always the beginning, so that one number says what is still there.
fn remove_old(
    change: &Transaction<'_>,
    line: &mut LineRow,
    history: &History,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let before = line.pruned;
    {
        let sql = "SELECT seq, at, octet_length(text) FROM events ORDER BY seq LIMIT ?";
        let mut oldest = change.prepare_cached(sql)?;
        let mut rows = oldest.query([REMOVED_AT_ONCE])?;
        while let Some(row) = rows.next()? {
            let (seq, at, bytes): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if at >= expiry(history, now) && line.bytes <= *history.events_size {
                break;
            }
            line.pruned = seq as u64;
            line.events = line.events.saturating_sub(1);
            line.bytes = line.bytes.saturating_sub(bytes as u64);
        }
    }
    if line.pruned > before {
        let pruned = line.pruned as i64;
        change.execute("DELETE FROM events WHERE seq <= ?", [pruned])?;
        change.execute("DELETE FROM lost WHERE last <= ?", [pruned])?;
        change.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Subject;
    use crate::units::{ByteSize, HumanDuration};

    fn event(seq: u64, second: i64) -> (Message, Timestamp) {
        let at = Timestamp::from_second(second).expect("in range");
        (Message::kept(seq, Subject::TaskUpdate("t".into()), "x".repeat(100)), at)
    }

    fn database(folder: &Path) -> Database {
        Database::open(&folder.join("x.db"), Sync::Full).expect("opened")
    }

    fn commit(database: &mut Database, group: &Group, history: &History, second: i64) {
        let now = Timestamp::from_second(second).expect("in range");
        database.commit(group, history, now).expect("committed");
    }

    #[test]
    fn the_oldest_go_by_age_and_by_size_and_the_line_says_how_far() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut database = database(folder.path());
        let (events, events_size) = (HumanDuration::secs(100), ByteSize(1 << 20));
        let by_age = History { events, events_size, ..History::default() };
        let events = (1..=10).map(|n| event(n * 10, n as i64 * 10)).collect();
        let group = Group { events, ..Group::default() };
        commit(&mut database, &group, &by_age, 100);
        assert_eq!(
            (database.line.events, database.line.bytes, database.line.pruned),
            (10, 1000, 0)
        );
        commit(&mut database, &Group::default(), &by_age, 131);
        assert_eq!((database.line.events, database.line.pruned), (7, 30));
        let by_size = History { events_size: ByteSize(250), ..by_age };
        commit(&mut database, &Group::default(), &by_size, 131);
        assert_eq!((database.line.events, database.line.bytes, database.line.pruned), (2, 200, 80));
        let now = Timestamp::from_second(131).expect("in range");
        assert!(!database.is_overdue(&by_size, now).expect("read"));
    }

    #[test]
    fn a_group_that_is_written_twice_counts_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut database = database(folder.path());
        let group = Group { events: vec![event(1, 1), event(2, 1)], ..Group::default() };
        for _ in 0..2 {
            commit(&mut database, &group, &History::default(), 1);
        }
        assert_eq!((database.line.events, database.line.bytes), (2, 200));
    }

    #[test]
    fn what_is_committed_to_a_file_that_is_gone_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut database = database(folder.path());
        std::fs::remove_file(folder.path().join("x.db")).expect("removed");
        let refused =
            database.commit(&Group::default(), &History::default(), Timestamp::UNIX_EPOCH);
        assert!(matches!(refused, Err(CommitError::Gone)));
    }
}
