//! The database file: how it is opened, what is in it, and what became of one that is broken.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::Sync;

/// Each brings the tables from the version before it to its own; versions begin at 1.
const MIGRATIONS: [&str; 6] = [FIRST, TASKS, HISTORY, ALERTS, NOTIFY, AUDIT];

const FIRST: &str = "
    CREATE TABLE line (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        -- The name of the number line, and the last number that may have been given.
        epoch TEXT NOT NULL,
        reserved INTEGER NOT NULL,
        -- Events up to this number were removed.
        pruned INTEGER NOT NULL,
        -- How many events there are, and the bytes of their texts.
        events INTEGER NOT NULL,
        bytes INTEGER NOT NULL
    ) STRICT;
    INSERT INTO line VALUES (1, '', 0, 0, 0, 0);
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        -- Milliseconds since 1970.
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        -- What a filter looks at: the task's id, the alert's level, the group's name.
        subject TEXT NOT NULL,
        text TEXT NOT NULL
    ) STRICT;
    -- Runs of the stream in which events may be missing.
    CREATE TABLE lost (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
    -- Times are in nanoseconds since 1970.
    CREATE TABLE tasks (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        status TEXT NOT NULL,
        progress REAL NOT NULL,
        start_time INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        end_time INTEGER,
        details TEXT,
        stop_requested INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE alerts (
        id TEXT PRIMARY KEY,
        rule_id TEXT NOT NULL,
        rule_name TEXT NOT NULL,
        state TEXT NOT NULL,
        severity TEXT NOT NULL,
        message TEXT NOT NULL,
        value REAL,
        threshold REAL,
        starts_at INTEGER NOT NULL,
        ends_at INTEGER
    ) STRICT;
";

/// Counts, pace, heartbeats and repeated reports of tasks; the last run of each name.
const TASKS: &str = "
    ALTER TABLE tasks ADD COLUMN processed REAL;
    ALTER TABLE tasks ADD COLUMN total REAL;
    ALTER TABLE tasks ADD COLUMN rate REAL;
    ALTER TABLE tasks ADD COLUMN eta INTEGER;
    -- Milliseconds.
    ALTER TABLE tasks ADD COLUMN heartbeat INTEGER;
    ALTER TABLE tasks ADD COLUMN stalled INTEGER NOT NULL DEFAULT 0;
    -- The number of the last report, and what told the request that created it from others.
    ALTER TABLE tasks ADD COLUMN last_update INTEGER;
    ALTER TABLE tasks ADD COLUMN creation_key TEXT;
    CREATE TABLE task_runs (
        name TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        end_time INTEGER NOT NULL,
        -- Seconds.
        duration REAL NOT NULL,
        last_success INTEGER
    ) STRICT;
";

/// What is kept of samples. Times are in milliseconds since 1970.
const HISTORY: &str = "
    -- Labels are a JSON object. Numbers are not used again: rows of a series that is gone may be left.
    CREATE TABLE history_series (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        labels TEXT NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL
    ) STRICT;
    -- slot: hours since 1970 (days, in history_hours) * 2^32 + the series.
    CREATE TABLE history_full (
        slot INTEGER PRIMARY KEY, samples INTEGER NOT NULL, data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE history_minutes (
        slot INTEGER PRIMARY KEY, samples INTEGER NOT NULL, data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE history_hours (
        slot INTEGER PRIMARY KEY, samples INTEGER NOT NULL, data BLOB NOT NULL
    ) STRICT;
    -- What is in each of the three, and from when on.
    CREATE TABLE history_tiers (
        name TEXT PRIMARY KEY,
        rows INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        samples INTEGER NOT NULL,
        start INTEGER NOT NULL
    ) STRICT;
    INSERT INTO history_tiers VALUES
        ('full', 0, 0, 0, 0), ('minutes', 0, 0, 0, 0), ('hours', 0, 0, 0, 0);
    -- The samples that are in no row yet, in the order in which they came.
    CREATE TABLE history_rounds (
        id INTEGER PRIMARY KEY,
        -- Until when everything is known with this one, if it ends a pass over all series.
        at INTEGER,
        newest INTEGER NOT NULL,
        -- Whether it is told without those before it.
        anew INTEGER NOT NULL,
        data BLOB NOT NULL
    ) STRICT;
    -- Until when everything is known, and whether the daemon has ended in order then.
    CREATE TABLE history_state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        saved_at INTEGER NOT NULL,
        ended INTEGER NOT NULL
    ) STRICT;
    INSERT INTO history_state VALUES (1, 0, 1);
";

/// Labels, acknowledgements and transitions of alerts; silences.
const ALERTS: &str = "
    -- JSON objects of texts.
    ALTER TABLE alerts ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE alerts ADD COLUMN annotations TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE alerts ADD COLUMN ack_by TEXT;
    ALTER TABLE alerts ADD COLUMN ack_comment TEXT;
    ALTER TABLE alerts ADD COLUMN ack_at INTEGER;
    ALTER TABLE alerts ADD COLUMN silenced_by TEXT;
    ALTER TABLE alerts ADD COLUMN lapsed_at INTEGER;
    ALTER TABLE alerts ADD COLUMN flapping INTEGER NOT NULL DEFAULT 0;
    -- A JSON array of [nanoseconds since 1970, state, value, cause], oldest first.
    ALTER TABLE alerts ADD COLUMN transitions TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE alerts ADD COLUMN of_rule INTEGER NOT NULL DEFAULT 0;
    -- From when to when it was firing the last time, of one that is pending.
    ALTER TABLE alerts ADD COLUMN last_start INTEGER;
    ALTER TABLE alerts ADD COLUMN last_end INTEGER;
    CREATE TABLE silences (
        id TEXT PRIMARY KEY,
        -- A JSON array of texts.
        matchers TEXT NOT NULL,
        starts_at INTEGER NOT NULL,
        ends_at INTEGER NOT NULL,
        by TEXT NOT NULL,
        comment TEXT NOT NULL
    ) STRICT;
";

/// What was told to whom, and what is still to be told.
const NOTIFY: &str = "
    -- The number of the last event that is in the other two.
    CREATE TABLE notify_place (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL) STRICT;
    INSERT INTO notify_place VALUES (1, 0);
    -- JSON objects: the groups of alerts that somebody was or will be told of, by key.
    CREATE TABLE notify_groups (key TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT;
    -- And the notifications, in their order.
    CREATE TABLE notify_outbox (number INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT;
";

/// What was changed by whom.
const AUDIT: &str = "
    -- Numbers are not used again: somebody may have asked for what comes after one.
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        -- Milliseconds since 1970.
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        role TEXT,
        origin TEXT NOT NULL,
        method TEXT NOT NULL,
        path TEXT NOT NULL,
        status INTEGER NOT NULL,
        -- How often the same came at once.
        count INTEGER NOT NULL
    ) STRICT;
";

/// A write-ahead log that has grown is cut to this size when its pages are in the database.
const WAL_BYTES: i64 = 8 << 20;
/// Nobody but this process writes; whoever looks with sqlite3(1) may be in the way for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_millis(500);

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// It is no database, or a broken one.
    #[error("{0}")]
    Broken(String),
    /// It is of a later version of this program.
    #[error("it was written by a newer gz-monitor: its version is {0}, this one knows {known}", known = MIGRATIONS.len())]
    Newer(usize),
    #[error(transparent)]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Broken(error.to_string())
            }
            _ => Self::Sqlite(error),
        }
    }
}

/// Opens the database for its one writer, and makes its tables if there are none; says whether so.
pub(super) fn open(path: &Path, sync: Sync) -> Result<(Connection, bool), Refusal> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Heeded only before there are tables.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", sync.name())?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    let version = version(&connection)?;
    if version > 0 {
        check(&connection)?;
    }
    migrate(&mut connection, version)?;
    Ok((connection, version == 0))
}

/// Opens the database to read what is in it, while another connection writes.
pub(super) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Opens the database of a disk that cannot be written. Nobody else uses it: the locks that it would
/// need, and its index of the write-ahead log, are done without.
pub(super) fn open_frozen(path: &Path) -> Result<Connection, Refusal> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let connection = if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        let connection = Connection::open_with_flags_and_vfs(path, flags, c"unix-none")?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection
    } else {
        // What a URI gives a meaning to is not meant so in a path (https://sqlite.org/uri.html).
        let path = path.display().to_string().replace('%', "%25");
        let path = path.replace('?', "%3f").replace('#', "%23");
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?
    };
    let version = version(&connection)?;
    if version != MIGRATIONS.len() {
        return Err(Refusal::Newer(version));
    }
    Ok(connection)
}

/// Moves a broken database out of the way, with what belongs to it; returns its new name.
pub(super) fn set_aside(path: &Path, now: Timestamp) -> std::io::Result<PathBuf> {
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let with = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
    // A second one within a second must not take the first one's name.
    let names = (0..).map(|n| match n {
        0 => format!(".broken-{stamp}"),
        n => format!(".broken-{stamp}-{n}"),
    });
    let end = names.into_iter().find(|end| !with(end).exists()).unwrap_or_default();
    std::fs::rename(path, with(&end))?;
    for part in ["-wal", "-shm"] {
        // It need not be there.
        let _ = std::fs::rename(with(part), with(&format!("{end}{part}")));
    }
    Ok(with(&end))
}

fn version(connection: &Connection) -> Result<usize, Refusal> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    usize::try_from(version)
        .ok()
        .filter(|version| *version <= MIGRATIONS.len())
        .ok_or_else(|| Refusal::Newer(usize::try_from(version).unwrap_or(usize::MAX)))
}

fn check(connection: &Connection) -> Result<(), Refusal> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(Refusal::Broken(verdict)) }
}

fn migrate(connection: &mut Connection, version: usize) -> Result<(), Refusal> {
    for (index, script) in MIGRATIONS.iter().enumerate().skip(version) {
        let change = connection.transaction()?;
        change.execute_batch(script)?;
        change.pragma_update(None, "user_version", index as i64 + 1)?;
        change.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_made_once_and_one_of_a_later_version_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        assert!(open(&path, Sync::Full).expect("made").1);
        let (connection, is_new) = open(&path, Sync::Normal).expect("opened");
        assert!(!is_new);
        connection.pragma_update(None, "user_version", 99).expect("written");
        drop(connection);
        let refusal = open(&path, Sync::Full).expect_err("it is too new").to_string();
        assert!(refusal.contains("99") && refusal.contains("newer"), "{refusal}");
    }

    #[test]
    fn a_database_of_the_first_version_keeps_what_is_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        let old = Connection::open(&path).expect("made");
        old.execute_batch(MIGRATIONS[0]).expect("tables");
        old.execute_batch(
            "UPDATE line SET epoch = 'e', reserved = 70000, events = 1, bytes = 2;
            INSERT INTO events VALUES (7, 1000, 'task_update', 't', '{}');
            INSERT INTO tasks VALUES ('t', 'n', 'running', 0.5, 1, 2, NULL, NULL, 0);
            INSERT INTO alerts VALUES ('a', 'r', 'r', 'firing', 'high', 'm', 1, NULL, 1, NULL);
            PRAGMA user_version = 1;",
        )
        .expect("filled");
        drop(old);
        let (connection, is_new) = open(&path, Sync::Full).expect("brought up to date");
        assert!(!is_new);
        let count = |table: &str| -> i64 {
            let sql = format!("SELECT count(*) FROM {table}");
            connection.query_row(&sql, [], |row| row.get(0)).expect("a table")
        };
        let records = super::super::rows::load(&connection).expect("rows");
        let alert = records.alerts.first().expect("the alert");
        assert!(alert.labels.is_empty() && alert.transitions.is_empty(), "{alert:?}");
        let counts =
            ["events", "tasks", "history_full", "history_series", "history_tiers", "audit"];
        assert_eq!(counts.map(count), [1, 1, 0, 0, 3, 0]);
        assert_eq!(version(&connection).expect("a version"), MIGRATIONS.len());
        drop(connection);
        assert!(!open(&path, Sync::Full).expect("once is enough").1);
    }

    #[test]
    fn what_is_no_database_is_told_apart_and_set_aside_under_a_name_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        let mut names = Vec::new();
        for _ in 0..2 {
            std::fs::write(&path, "this is no database, and long enough to be looked at")
                .expect("written");
            assert!(matches!(open(&path, Sync::Full), Err(Refusal::Broken(_))));
            names.push(set_aside(&path, Timestamp::UNIX_EPOCH).expect("renamed"));
            assert!(!path.exists());
        }
        let names: Vec<_> = names.iter().map(|n| n.file_name().expect("a name")).collect();
        assert_eq!(names, ["x.db.broken-19700101T000000Z", "x.db.broken-19700101T000000Z-1"]);
    }
}
