//! What was changed, by whom and from where: told to the log at once, remembered, and kept on disk a
//! moment later. Whoever changes something does not wait for that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::audit::{Ask, Book, Deed, Memory, Page};
use crate::server::tally::Tally;

/// Entries of one commit.
const AT_ONCE: usize = 512;
/// A flood takes a few commits a second, and what is the same in between is one entry.
const BETWEEN_COMMITS: Duration = Duration::from_millis(250);
/// A disk that fails is left alone for a while.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// What was changed, by whom and from where.
#[derive(Default)]
pub(in crate::server) struct AuditLog {
    memory: Mutex<Memory>,
    /// How many it remembers of those that need not wait for the disk.
    most: AtomicUsize,
    book: RwLock<Option<Arc<dyn Book>>>,
    keeping: Mutex<Option<JoinHandle<()>>>,
    waiting: Notify,
    closing: Notify,
    is_closing: AtomicBool,
    troubles: Tally<1>,
}

/// What came of a look at what waits.
enum Turn {
    Nothing,
    Written,
    Failed,
}

impl AuditLog {
    pub(super) fn configure(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// Writes down what was to be changed.
    pub(in crate::server) fn note(&self, deed: Deed) {
        let Deed { who, from, method, path, status, .. } = &deed;
        tracing::info!(name: "audit", who, %from, method, path, status, "changed by request");
        self.memory.lock().note(deed, self.most.load(Ordering::Relaxed));
        self.waiting.notify_one();
    }

    /// Entries in the order that is asked for, from memory and from the disk.
    ///
    /// # Errors
    /// Why the disk cannot be read.
    pub(in crate::server) async fn page(&self, ask: Ask, limit: usize) -> Result<Page, String> {
        let wanted = limit.saturating_add(1);
        let (mut entries, rest) = self.memory.lock().read(ask, wanted);
        if let Some((ask, left)) = rest {
            let book = self.book.read().clone();
            let read = move || book.map_or_else(|| Ok(Vec::new()), |book| book.read(ask, left));
            let found = tokio::task::spawn_blocking(read).await;
            entries.extend(found.map_err(|error| error.to_string())??);
            if let Ask::After(number) = ask {
                let last = entries.last().map_or(number, |entry| entry.number);
                let room = wanted.saturating_sub(entries.len());
                entries.extend(self.memory.lock().after(last, room));
            }
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok(Page { entries, more })
    }

    /// What there was since the start, and entries that were to be on disk and are not.
    pub(super) fn totals(&self) -> (u64, u64) {
        let memory = self.memory.lock();
        (memory.total(), memory.lost())
    }

    /// From now on entries are kept in `book`, in which those up to `last` are.
    pub(in crate::server) fn keep(self: &Arc<Self>, book: Arc<dyn Book>, last: u64) {
        self.memory.lock().go_on(last);
        *self.book.write() = Some(book.clone());
        let log = self.clone();
        *self.keeping.lock() = Some(tokio::spawn(async move { log.run(&*book).await }));
        self.waiting.notify_one();
    }

    /// Has what waits written, and lets go of the book.
    pub(in crate::server) async fn end(&self) {
        self.is_closing.store(true, Ordering::Release);
        self.closing.notify_one();
        let keeping = self.keeping.lock().take();
        if let Some(keeping) = keeping {
            // It does not panic.
            let _ = keeping.await;
        }
        *self.book.write() = None;
    }

    async fn run(&self, book: &dyn Book) {
        loop {
            let is_closing = self.is_closing.load(Ordering::Acquire);
            let pause = match self.write(book).await {
                Turn::Written if is_closing => continue,
                _ if is_closing => return,
                Turn::Nothing => None,
                Turn::Written => Some(BETWEEN_COMMITS),
                Turn::Failed => Some(AFTER_TROUBLE),
            };
            let wait = async {
                match pause {
                    Some(pause) => sleep(pause).await,
                    None => self.waiting.notified().await,
                }
            };
            tokio::select! {
                () = wait => {}
                () = self.closing.notified() => {}
            }
        }
    }

    async fn write(&self, book: &dyn Book) -> Turn {
        let entries = self.memory.lock().give(AT_ONCE);
        let Some(last) = entries.last().map(|entry| entry.number) else { return Turn::Nothing };
        match book.write(entries).await {
            Ok(shift) => {
                self.memory.lock().keep(last, shift);
                Turn::Written
            }
            Err(error) => {
                if let Some(count) = self.troubles.count(0, Instant::now()) {
                    tracing::warn!(name: "audit_trouble", error, count, "what was changed is in the log and in memory, and not on disk");
                }
                Turn::Failed
            }
        }
    }
}
