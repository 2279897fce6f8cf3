//! Alerts as they are published, from a place in the stream on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::Notice;
use crate::hub::{Archive, Ask, Entry, Filter, Gap, Hub, Page, Reason, Type, TypeSet};

/// What is published together is looked at together.
const GATHER: Duration = Duration::from_millis(20);

/// A reader of the event log.
pub(super) struct Follower {
    hub: Arc<Hub>,
    archive: Option<Arc<dyn Archive>>,
    bell: Arc<Notify>,
    /// The number of the last event that was read.
    pub(super) seq: u64,
}

/// What was read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) alerts: Vec<Notice>,
    /// Whether some are lost, so that it has to be asked what fires.
    pub(super) is_torn: bool,
    /// Whether there is more to be read at once.
    pub(super) has_more: bool,
}

impl Follower {
    pub(super) fn new(hub: Arc<Hub>, archive: Option<Arc<dyn Archive>>) -> Self {
        let bell = Arc::new(Notify::new());
        let rung = bell.clone();
        hub.listen(move || rung.notify_one());
        Self { hub, archive, bell, seq: 0 }
    }

    /// Returns when something was published.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
        tokio::time::sleep(GATHER).await;
    }

    /// The number of the last event published.
    pub(super) fn head(&self) -> u64 {
        self.hub.position().1
    }

    /// Reads on.
    pub(super) async fn read(&mut self) -> Read {
        let head = self.head();
        if self.seq >= head {
            return Read::default();
        }
        let types = TypeSet::NONE.with(Type::Alert);
        let ask = Ask::of(self.seq + 1, head, Filter { types, ..Filter::default() });
        let page = match self.hub.read(&ask) {
            Some(page) => page,
            None => self.read_older(ask).await,
        };
        self.seq = page.next - 1;
        let mut read = Read { has_more: self.seq < head, ..Read::default() };
        for entry in page.entries {
            match entry {
                Entry::Event(event) => read.alerts.extend(Notice::of_message(&event.text)),
                Entry::Lost(Gap { from, to, reason }) => {
                    let reason = reason.name();
                    tracing::warn!(
                        from,
                        to,
                        reason,
                        "events are lost; what fires is looked at anew"
                    );
                    read.is_torn = true;
                }
            }
        }
        read
    }

    async fn read_older(&self, mut ask: Ask) -> Page {
        // What is in the log is there; only what is older has to be read.
        ask.to = ask.to.min(self.hub.tail() - 1);
        let lost = |reason| {
            let gap = Gap { from: ask.from, to: ask.to, reason };
            Page { entries: vec![Entry::Lost(gap)], next: ask.to + 1 }
        };
        let Some(archive) = self.archive.clone() else { return lost(Reason::Retention) };
        let asked = ask.clone();
        let page = tokio::task::spawn_blocking(move || archive.read(&asked)).await;
        page.unwrap_or_else(|_| lost(Reason::Storage))
    }
}
