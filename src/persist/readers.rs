//! Connections that read while the one thread writes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};

use super::schema;

/// Connections kept for the next reader.
const KEPT: usize = 2;

/// A connection, and the file that it is open on.
pub(super) type Reading = (u64, Connection);

/// Connections to one database.
pub(super) struct Readers {
    path: PathBuf,
    /// Changes when the file at the path is another one.
    generation: Arc<AtomicU64>,
    free: Mutex<Vec<Reading>>,
}

impl Readers {
    pub(super) fn new(path: &Path, generation: Arc<AtomicU64>) -> Self {
        Self { path: path.to_owned(), generation, free: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A connection; where nothing can be written, one that does without.
    pub(super) fn take(&self) -> rusqlite::Result<Reading> {
        let generation = self.generation.load(Ordering::Acquire);
        let mut free = self.free.lock();
        free.retain(|(of, _)| *of == generation);
        let kept = free.pop();
        drop(free);
        kept.map_or_else(|| Ok((generation, self.open()?)), Ok)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let opened = schema::open_to_read(&self.path).and_then(|connection| {
            // What it lacks beside the file it says with the first look.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(connection)
        });
        match opened {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
                schema::open_frozen(&self.path).map_err(|_| error)
            }
            opened => opened,
        }
    }

    pub(super) fn give_back(&self, connection: Reading) {
        let mut free = self.free.lock();
        if free.len() < KEPT {
            free.push(connection);
        }
    }
}
