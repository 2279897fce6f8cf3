//! What was changed by whom: as it is remembered, kept on disk and asked for. Pure.

mod memory;

pub use memory::{Entry, Memory, Page};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

/// Something that was to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    pub at: Timestamp,
    pub who: String,
    pub role: Option<String>,
    pub from: String,
    pub method: String,
    pub path: String,
    pub status: u16,
}

/// Which entries somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Those before this number, the last first.
    Before(u64),
    /// Those after this number, the first first.
    After(u64),
}

/// Where entries are kept.
pub trait Book: Send + Sync {
    /// Keeps these, which are in the order of their numbers. Where the book has had such numbers
    /// already, all are higher by what is given.
    fn write(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<u64, String>>;

    /// As many as `limit` of those that are kept. It may block.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn read(&self, ask: Ask, limit: usize) -> Result<Vec<Entry>, String>;
}
