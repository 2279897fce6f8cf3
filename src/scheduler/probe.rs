//! Whether the scheduler gets on: the way of a collection, without a collector.

use tokio::sync::{mpsc, oneshot};

use super::Event;

/// Asks the scheduler and whoever listens to it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Probe(pub(super) mpsc::Sender<Event>);

impl Probe {
    /// True once a thread was found, and the event came through with all that were sent before it.
    pub async fn is_answered(&self) -> bool {
        let (reply, answer) = oneshot::channel();
        let thread = tokio::task::spawn_blocking(|| ()).await;
        thread.is_ok() && self.0.send(Event::Probe(reply)).await.is_ok() && answer.await.is_ok()
    }
}
