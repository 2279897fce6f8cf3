//! Events of the past, from the hub's log as far as it goes and from the archive beyond it.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::hub::{Archive, Ask, Entry, Gap, Hub, Page, Reason};

/// Who reads old events occupies a thread; others wait.
const READERS: usize = 4;

/// The events of the past, for who may wait.
pub(super) struct History {
    hub: Arc<Hub>,
    /// The events that have left the hub's log, if somebody keeps them; and how many may read them
    /// at once.
    archive: Option<Arc<dyn Archive>>,
    readers: Semaphore,
}

impl History {
    pub(super) fn new(hub: Arc<Hub>, archive: Option<Arc<dyn Archive>>) -> Self {
        Self { hub, archive, readers: Semaphore::new(READERS) }
    }

    /// A part of what is asked for.
    pub(super) async fn read(&self, mut ask: Ask) -> Page {
        if let Some(page) = self.hub.read(&ask) {
            return page;
        }
        // What is in the log is there; only what is older has to be read.
        ask.to = ask.to.min(self.hub.tail() - 1);
        let lost = |reason| {
            let gap = Gap { from: ask.from, to: ask.to, reason };
            Page { entries: vec![Entry::Lost(gap)], next: ask.to + 1 }
        };
        let Some(archive) = self.archive.clone() else { return lost(Reason::Retention) };
        // Nobody closes it.
        let _permit = self.readers.acquire().await;
        let asked = ask.clone();
        let page = tokio::task::spawn_blocking(move || archive.read(&asked)).await;
        page.unwrap_or_else(|_| lost(Reason::Storage))
    }
}
