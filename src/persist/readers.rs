//! Connections that read while the one thread writes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rusqlite::Connection;

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
        kept.map_or_else(|| Ok((generation, schema::open_to_read(&self.path)?)), Ok)
    }

    pub(super) fn give_back(&self, connection: Reading) {
        let mut free = self.free.lock();
        if free.len() < KEPT {
            free.push(connection);
        }
    }
}
