//! How storage is doing, in numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::Kept;

/// Written by storage, read by whoever reports.
#[derive(Debug, Default)]
pub struct Vitals {
    /// Whether a disk is meant to be used at all.
    pub is_on: AtomicBool,
    /// Whether what is acknowledged now is not on disk though it should be.
    pub is_degraded: AtomicBool,
    pub commits: AtomicU64,
    pub commit_nanos: AtomicU64,
    pub failures: AtomicU64,
    /// Events on disk, and the bytes of their texts.
    pub events: AtomicU64,
    pub event_bytes: AtomicU64,
    /// Entries of the audit on disk.
    pub audit_entries: AtomicU64,
    /// Bytes of the database's files.
    pub file_bytes: AtomicU64,
    /// Steps that wait for a commit.
    pub queued: AtomicUsize,
    /// Events in memory that are not on disk though they should be.
    pub backlog: AtomicUsize,
    /// What is on disk of the history.
    pub history: Arc<Mutex<Kept>>,
}

impl Vitals {
    pub(super) fn committed(&self, took: Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.commit_nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}
