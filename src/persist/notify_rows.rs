//! Notifications as rows, and back.

use rusqlite::{Connection, params};

use crate::notify::{Change, Kept};

/// Everything that was kept.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Kept> {
    let seq: i64 = connection.query_row("SELECT seq FROM notify_place", [], |row| row.get(0))?;
    let mut groups = connection.prepare("SELECT key, data FROM notify_groups ORDER BY key")?;
    let groups = groups.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut entries =
        connection.prepare("SELECT number, data FROM notify_outbox ORDER BY number")?;
    let entries = entries.query_map([], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))?;
    Ok(Kept {
        seq: seq as u64,
        groups: groups.collect::<rusqlite::Result<_>>()?,
        entries: entries.collect::<rusqlite::Result<_>>()?,
    })
}

/// Does to the tables what was done to notifications.
pub(super) fn write(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    if change.is_whole {
        connection.execute_batch("DELETE FROM notify_groups; DELETE FROM notify_outbox;")?;
    }
    for (key, data) in &change.groups {
        match data {
            Some(data) => {
                let sql = "INSERT OR REPLACE INTO notify_groups VALUES (?, ?)";
                connection.prepare_cached(sql)?.execute(params![key, data])?
            }
            None => {
                let sql = "DELETE FROM notify_groups WHERE key = ?";
                connection.prepare_cached(sql)?.execute([key])?
            }
        };
    }
    for (number, data) in &change.entries {
        let number = *number as i64;
        match data {
            Some(data) => {
                let sql = "INSERT OR REPLACE INTO notify_outbox VALUES (?, ?)";
                connection.prepare_cached(sql)?.execute(params![number, data])?
            }
            None => {
                let sql = "DELETE FROM notify_outbox WHERE number = ?";
                connection.prepare_cached(sql)?.execute([number])?
            }
        };
    }
    connection.execute("UPDATE notify_place SET seq = ?", [change.seq as i64])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::{Sync, schema};

    #[test]
    fn changes_add_up_and_a_whole_one_stands_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (connection, _) = schema::open(&folder.path().join("x.db"), Sync::Full).expect("made");
        let text = |text: &str| Some(text.to_owned());
        let change = Change {
            is_whole: false,
            seq: 7,
            groups: vec![("a".to_owned(), text("{}")), ("b".to_owned(), text("{}"))],
            entries: vec![(1, text("1")), (2, text("2"))],
        };
        write(&connection, &change).expect("written");
        let later = Change {
            seq: 9,
            groups: vec![("a".to_owned(), None)],
            entries: vec![(1, None), (2, text("3")), (5, text("5"))],
            ..Change::default()
        };
        write(&connection, &later).expect("written");
        let kept = load(&connection).expect("read");
        let entries = vec![(2, "3".to_owned()), (5, "5".to_owned())];
        let groups = vec![("b".to_owned(), "{}".to_owned())];
        assert_eq!(kept, Kept { seq: 9, groups, entries });
        write(&connection, &Change { is_whole: true, seq: 10, ..Change::default() })
            .expect("written");
        let kept = load(&connection).expect("read");
        assert_eq!(kept, Kept { seq: 10, ..Kept::default() });
    }
}
