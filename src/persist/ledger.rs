//! Where notifications are kept: in the same database, by the same thread, in commits of their own.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::disk::Job;
use crate::notify::{self, Change, Written};

/// The way of notifications to the thread that writes. One change at a time: a job of the events
/// always has room beside it.
pub(super) struct Ledger {
    jobs: SyncSender<Job>,
    turn: Arc<Semaphore>,
    limit: Duration,
}

impl Ledger {
    /// Writes by `jobs`; a commit that takes longer than `limit` has failed.
    pub(super) fn new(jobs: SyncSender<Job>, limit: Duration) -> Self {
        Self { jobs, turn: Arc::new(Semaphore::new(1)), limit }
    }

    async fn commit(&self, change: Change) -> Result<Written, String> {
        // It is given back by the thread, so that a commit that hangs is never followed by a second.
        let turn = self.turn.clone().try_acquire_owned();
        let turn = turn.map_err(|_| "the commit before has not ended".to_owned())?;
        let (reply, written) = oneshot::channel();
        let given = self.jobs.try_send(Job::Notify(Box::new(change), reply, turn));
        given.map_err(|_| "the thread of the database has ended".to_owned())?;
        match timeout(self.limit, written).await {
            Ok(Ok(written)) => written,
            Ok(Err(_)) => Err("the thread of the database has ended".to_owned()),
            Err(_) => {
                Err(format!("a commit takes longer than {:?} (storage.commit_timeout)", self.limit))
            }
        }
    }
}

impl notify::Ledger for Ledger {
    fn write(&self, change: Change) -> BoxFuture<'_, Result<Written, String>> {
        self.commit(change).boxed()
    }
}
