//! Where notifications are kept over a restart, and what is written there.

use futures_util::future::BoxFuture;

/// What has changed, to be written all at once or not at all. The texts are JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Whether this is all there is, and nothing else stays.
    pub is_whole: bool,
    /// The number of the last event that is taken in; 0 for none.
    pub seq: u64,
    /// Groups by key; `None` for one that is gone.
    pub groups: Vec<(String, Option<String>)>,
    /// Notifications by number; `None` for one that is gone.
    pub entries: Vec<(u64, Option<String>)>,
}

/// What was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    pub seq: u64,
    pub groups: Vec<(String, String)>,
    pub entries: Vec<(u64, String)>,
}

/// What became of a change.
#[derive(Debug)]
pub enum Written {
    /// It is there. The number changes if what keeps it is another one, which knows nothing else.
    Done(u64),
    /// Nothing was written: this was there, and is to be taken in first.
    Found(Kept),
}

/// Whoever keeps notifications.
pub trait Ledger: Send + Sync {
    /// Writes a change. The error is a sentence.
    fn write(&self, change: Change) -> BoxFuture<'_, Result<Written, String>>;
}
