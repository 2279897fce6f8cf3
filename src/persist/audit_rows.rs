//! What was changed by whom, as rows and back.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Row, params};

use super::History;
use crate::audit::{Ask, Deed, Entry};

/// Entries removed at once, so that no commit takes long because of them.
const REMOVED_AT_ONCE: u64 = 10_000;

/// The highest number that was ever used.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'audit'";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|last| last as u64)
}

/// How many entries there are, those between them included that were lost.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(max(number) - min(number) + 1, 0) FROM audit";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|count| count as u64)
}

/// Writes these, and removes what is beyond the bounds. Gives by how much their numbers are higher.
pub(super) fn write(
    connection: &Connection,
    entries: &[Entry],
    history: &History,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let last = last(connection)?;
    let mut new = entries;
    // A commit that took too long for whoever waited may have come about all the same.
    while let Some((first, rest)) = new.split_first()
        && first.number <= last
        && is_there(connection, first)?
    {
        new = rest;
    }
    let shift = new.first().map_or(0, |first| (last + 1).saturating_sub(first.number));
    let sql = "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let mut insert = connection.prepare_cached(sql)?;
    for Entry { number, deed, count } in new {
        let Deed { at, who, role, from, method, path, status } = deed;
        let (number, at) = ((number + shift) as i64, at.as_millisecond());
        insert.execute(params![
            number,
            at,
            who,
            role,
            from,
            method,
            path,
            status,
            *count as i64
        ])?;
    }
    remove_old(connection, history, now)?;
    Ok(shift)
}

fn is_there(connection: &Connection, entry: &Entry) -> rusqlite::Result<bool> {
    let Entry { number, deed, .. } = entry;
    let sql = "SELECT count(*) FROM audit WHERE number = ? AND at = ? AND who = ? AND path = ?";
    let mut select = connection.prepare_cached(sql)?;
    let given = params![*number as i64, deed.at.as_millisecond(), deed.who, deed.path];
    select.query_row(given, |row| row.get(0)).map(|count: i64| count > 0)
}

/// Whether there is something to remove.
pub(super) fn is_overdue(
    connection: &Connection,
    history: &History,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "SELECT at < ? FROM audit ORDER BY number LIMIT 1";
    let is_over = connection.query_row(sql, [oldest(history, now)], |row| row.get(0));
    match is_over {
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(false),
        found => found,
    }
}

/// Removes what is too old, and the oldest of too many.
pub(super) fn remove_old(
    connection: &Connection,
    history: &History,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let beyond = last(connection)?.saturating_sub(history.audit_entries as u64);
    let sql = "DELETE FROM audit WHERE number IN
        (SELECT number FROM audit WHERE number <= ? ORDER BY number LIMIT ?)";
    let most = REMOVED_AT_ONCE as i64;
    connection.prepare_cached(sql)?.execute(params![beyond as i64, most])?;
    let sql = "DELETE FROM audit WHERE number IN
        (SELECT number FROM (SELECT number, at FROM audit ORDER BY number LIMIT ?) WHERE at < ?)";
    connection.prepare_cached(sql)?.execute(params![most, oldest(history, now)])?;
    Ok(())
}

/// What is older goes; milliseconds since 1970.
fn oldest(history: &History, now: Timestamp) -> i64 {
    let age = SignedDuration::try_from(*history.audit).unwrap_or(SignedDuration::MAX);
    now.checked_sub(age).unwrap_or(Timestamp::MIN).as_millisecond()
}

/// As many as `limit` of those that are asked for.
pub(super) fn read(
    connection: &Connection,
    ask: Ask,
    limit: usize,
) -> rusqlite::Result<Vec<Entry>> {
    let (sql, number) = match ask {
        Ask::Before(number) => {
            ("SELECT * FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?", number)
        }
        Ask::After(number) => {
            ("SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?", number)
        }
    };
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let mut select = connection.prepare_cached(sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    select.query_map(params![number, limit], entry)?.collect()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let deed = Deed {
        at: Timestamp::from_millisecond(row.get("at")?).unwrap_or(Timestamp::UNIX_EPOCH),
        who: row.get("who")?,
        role: row.get("role")?,
        from: row.get("origin")?,
        method: row.get("method")?,
        path: row.get("path")?,
        status: row.get("status")?,
    };
    let (number, count): (i64, i64) = (row.get("number")?, row.get("count")?);
    Ok(Entry { number: number as u64, deed, count: count as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::{Sync, schema};
    use crate::units::HumanDuration;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn made(number: u64, second: i64) -> Entry {
        let text = |text: &str| text.to_owned();
        let deed = Deed {
            at: at(second),
            who: text("token ci"),
            role: number.is_multiple_of(2).then(|| text("operator")),
            from: text("192.0.2.1:4711"),
            method: text("POST"),
            path: format!("/api/v1/tasks/{number}"),
            status: 200,
        };
        Entry { number, deed, count: number }
    }

    fn open() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().expect("a folder");
        let (connection, _) = schema::open(&folder.path().join("x.db"), Sync::Full).expect("made");
        (folder, connection)
    }

    fn numbers(connection: &Connection, ask: Ask, limit: usize) -> Vec<u64> {
        let found = read(connection, ask, limit).expect("read");
        found.iter().map(|entry| entry.number).collect()
    }

    #[test]
    fn what_is_written_is_read_in_pages() {
        let (_folder, connection) = open();
        let all: Vec<Entry> = (1..=5).map(|number| made(number, 100)).collect();
        let bounds = History::default();
        assert_eq!(write(&connection, &all, &bounds, at(100)).expect("written"), 0);
        assert_eq!(read(&connection, Ask::After(0), 9).expect("read"), all);
        assert_eq!(numbers(&connection, Ask::Before(u64::MAX), 2), [5, 4]);
        assert_eq!(numbers(&connection, Ask::Before(4), 2), [3, 2]);
        assert_eq!(numbers(&connection, Ask::After(3), 1), [4]);
        assert_eq!(write(&connection, &all[3..], &bounds, at(100)).expect("written"), 0);
        assert_eq!(count(&connection), Ok(5), "what is there is not written again");
        // Numbers that the book has had are not used again.
        let late = [made(3, 101), made(4, 101)];
        assert_eq!(write(&connection, &late, &bounds, at(100)).expect("written"), 3);
        assert_eq!(numbers(&connection, Ask::After(5), 9), [6, 7]);
        assert_eq!((last(&connection), count(&connection)), (Ok(7), Ok(7)));
    }

    #[test]
    fn what_is_old_and_what_is_too_many_goes() {
        let (_folder, connection) = open();
        let bounds =
            History { audit: HumanDuration::secs(100), audit_entries: 3, ..History::default() };
        let all: Vec<Entry> = (1..=5).map(|number| made(number, number as i64 * 10)).collect();
        write(&connection, &all, &bounds, at(50)).expect("written");
        assert_eq!(numbers(&connection, Ask::After(0), 9), [3, 4, 5]);
        assert!(!is_overdue(&connection, &bounds, at(130)).expect("read"));
        assert!(is_overdue(&connection, &bounds, at(131)).expect("read"));
        remove_old(&connection, &bounds, at(141)).expect("removed");
        assert_eq!(numbers(&connection, Ask::After(0), 9), [5]);
        remove_old(&connection, &bounds, at(1_000)).expect("removed");
        assert!(!is_overdue(&connection, &bounds, at(1_000)).expect("read"));
        assert_eq!((last(&connection), count(&connection)), (Ok(5), Ok(0)));
    }
}
