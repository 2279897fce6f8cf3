//! How a request to read the configuration again reaches whoever can, and comes back.

use tokio::sync::{mpsc, oneshot};

use super::App;
use crate::pipeline::Closed;

/// Requests that may wait; one more waits to wait.
const WAITING_MAX: usize = 16;

/// Somebody wants the configuration read again.
pub struct ReloadRequest(oneshot::Sender<ReloadOutcome>);

/// One line for each change that is now in force.
pub type ReloadOutcome = Result<Vec<String>, ReloadRefusal>;

/// Why a reload changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReloadRefusal {
    /// The configuration is not valid: one line for each problem, and how many there are.
    Invalid { problems: Vec<String>, count: usize },
    /// It is valid and cannot be applied.
    NotApplied(String),
}

/// The queue of requests.
pub type ReloadRequests = mpsc::Receiver<ReloadRequest>;

/// A queue of requests, and the end that [`App`] holds.
pub fn reload_requests() -> (mpsc::Sender<ReloadRequest>, ReloadRequests) {
    mpsc::channel(WAITING_MAX)
}

impl ReloadRequest {
    /// Answers; whoever asked may have gone.
    pub fn answer(self, outcome: ReloadOutcome) {
        let _ = self.0.send(outcome);
    }
}

impl App {
    /// Has the configuration read again; the answer comes when it is in force, or refused.
    pub(super) async fn reload(&self) -> Result<ReloadOutcome, Closed> {
        let (reply, outcome) = oneshot::channel();
        self.reloads.send(ReloadRequest(reply)).await.map_err(|_| Closed)?;
        outcome.await.map_err(|_| Closed)
    }
}
