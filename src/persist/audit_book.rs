//! Where it is kept what was changed by whom: in the same database, by the same thread, in commits of
//! their own.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::audit_rows;
use super::disk::Job;
use super::readers::Readers;
use super::side::Side;
use crate::audit::{Ask, Book, Entry};

/// The way of entries to the thread that writes, and back.
pub(super) struct AuditBook {
    pub(super) side: Side,
    pub(super) readers: Readers,
}

impl Book for AuditBook {
    fn write(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<u64, String>> {
        self.side.commit(|reply, turn| Job::Audit(entries, reply, turn)).boxed()
    }

    fn read(&self, ask: Ask, limit: usize) -> Result<Vec<Entry>, String> {
        let read = || {
            let connection = self.readers.take()?;
            let found = audit_rows::read(&connection.1, ask, limit)?;
            self.readers.give_back(connection);
            Ok(found)
        };
        read()
            .map_err(|error: rusqlite::Error| format!("{}: {error}", self.readers.path().display()))
    }
}
