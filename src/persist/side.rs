//! The way to the thread of the database for what goes beside the events, in commits of its own.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use super::disk::{Job, Trouble};

/// Where one commit of a kind at a time is asked for: a job of the events always has room beside it.
pub(super) struct Side {
    jobs: SyncSender<Job>,
    turn: Arc<Semaphore>,
    limit: Duration,
}

/// Where the thread says what came of a job.
pub(super) type Reply<T> = oneshot::Sender<Result<T, Trouble>>;

impl Side {
    /// Writes by `jobs`; a commit that takes longer than `limit` has failed.
    pub(super) fn new(jobs: SyncSender<Job>, limit: Duration) -> Self {
        Self { jobs, turn: Arc::new(Semaphore::new(1)), limit }
    }

    /// Has the job done that is made of where to answer and of the turn.
    pub(super) async fn commit<T>(
        &self,
        job: impl FnOnce(Reply<T>, OwnedSemaphorePermit) -> Job,
    ) -> Result<T, Trouble> {
        // It is given back by the thread, so that a commit that hangs is never followed by a second.
        let turn = self.turn.clone().try_acquire_owned();
        let turn = turn.map_err(|_| "the commit before has not ended".to_owned())?;
        let (reply, written) = oneshot::channel();
        let given = self.jobs.try_send(job(reply, turn));
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
