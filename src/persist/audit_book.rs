//! Where it is kept what was changed by whom: in the same database, by the same thread, in commits of
//! their own.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::audit_rows;
use super::disk::Job;
use super::readers::Readers;
use crate::audit::{Ask, Book, Entry};

/// The way of entries to the thread that writes, and back. One commit at a time: a job of the events
/// always has room beside it.
pub(super) struct AuditBook {
    jobs: SyncSender<Job>,
    readers: Readers,
    turn: Arc<Semaphore>,
    limit: Duration,
}

impl AuditBook {
    /// Writes by `jobs`; a commit that takes longer than `limit` has failed.
    pub(super) fn new(jobs: SyncSender<Job>, readers: Readers, limit: Duration) -> Self {
        Self { jobs, readers, turn: Arc::new(Semaphore::new(1)), limit }
    }

    async fn commit(&self, entries: Vec<Entry>) -> Result<u64, String> {
        // It is given back by the thread, so that a commit that hangs is never followed by a second.
        let turn = self.turn.clone().try_acquire_owned();
        let turn = turn.map_err(|_| "the commit before has not ended".to_owned())?;
        let (reply, written) = oneshot::channel();
        let given = self.jobs.try_send(Job::Audit(entries, reply, turn));
        given.map_err(|_| "the thread of the database is busy or has ended".to_owned())?;
        match timeout(self.limit, written).await {
            Ok(Ok(written)) => written,
            Ok(Err(_)) => Err("the thread of the database has ended".to_owned()),
            Err(_) => {
                Err(format!("a commit takes longer than {:?} (storage.commit_timeout)", self.limit))
            }
        }
    }
}

impl Book for AuditBook {
    fn write(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<u64, String>> {
        self.commit(entries).boxed()
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
