//! Where notifications are kept: in the same database, by the same thread, in commits of their own.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::disk::Job;
use super::side::Side;
use crate::notify::{self, Change, Written};

/// The way of notifications to the thread that writes.
pub(super) struct Ledger(pub(super) Side);

impl notify::Ledger for Ledger {
    fn write(&self, change: Change) -> BoxFuture<'_, Result<Written, String>> {
        self.0.commit(|reply, turn| Job::Notify(Box::new(change), reply, turn)).boxed()
    }
}
