//! How many queries there are at once: a few are worked on, on threads of their own, and some wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Refusal;
use crate::query;

/// The places for queries.
pub(in crate::server) struct Queue(RwLock<Arc<Places>>);

struct Places {
    config: query::Config,
    /// All that are worked on or wait.
    all: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

/// A query that has its place, for as long as this lives.
pub(super) struct Work {
    places: Arc<Places>,
    deadline: Instant,
    _all: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl Queue {
    pub(in crate::server) fn new(config: query::Config) -> Self {
        Self(RwLock::new(Arc::new(Places::new(config))))
    }

    /// Adopts new limits; what runs ends under the old ones.
    pub(in crate::server) fn configure(&self, config: query::Config) {
        if self.0.read().config != config {
            *self.0.write() = Arc::new(Places::new(config));
        }
    }

    /// Waits for a place. The time of the query begins now, and ends after `timeout` if that is
    /// sooner than the configuration has it.
    pub(super) async fn enter(&self, timeout: Option<Duration>) -> Result<Work, Refusal> {
        let places = self.0.read().clone();
        let limit = *places.config.timeout;
        let timeout = timeout.map_or(limit, |timeout| timeout.min(limit));
        let deadline = Instant::now() + timeout;
        let all = places.all.clone().try_acquire_owned();
        let all =
            all.map_err(|_| Refusal::unavailable("too many queries wait; try again later"))?;
        let running = places.running.clone().acquire_owned();
        let running = tokio::time::timeout_at(deadline.into(), running).await;
        match running {
            Ok(Ok(running)) => Ok(Work { places, deadline, _all: all, _running: running }),
            _ => Err(Refusal::unavailable("query timed out in query queue")),
        }
    }
}

impl Places {
    fn new(config: query::Config) -> Self {
        let all = config.max_concurrent + config.max_waiting;
        let running = Arc::new(Semaphore::new(config.max_concurrent));
        Self { config, all: Arc::new(Semaphore::new(all)), running }
    }
}

impl Work {
    pub(super) fn config(&self) -> &query::Config {
        &self.places.config
    }

    pub(super) fn expired(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Works on a thread that may take its time, and keeps the place until that is done, whoever asked
    /// may have gone meanwhile.
    pub(super) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let result = tokio::task::spawn_blocking(move || work(&self)).await;
        match result {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(%error, "a query panicked");
                Err(Refusal::internal("the query failed for a fault of the daemon; see its log"))
            }
        }
    }
}
