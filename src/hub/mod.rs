//! What bytes are owed to whom: one log of encoded messages, and a cursor per client.
//!
//! The hub knows no socket. Whoever owns one holds a [`Cursor`], waits on [`Hub::changed`] and asks
//! [`Cursor::take`] for what is due; a client that does not ask costs nothing but its place in the log.

mod client;
mod config;
mod cursor;
mod filter;
mod log;
mod message;
mod peer;

pub use client::{Client, Clients, Membership};
pub use config::Config;
pub use cursor::{Cursor, Due, Gap};
pub use filter::{Filter, TypeSet};
pub use message::{Draft, Message, Subject, Type};
pub use peer::Peer;

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::sample::Moment;
use log::Log;

/// The stream. One task publishes; any number of cursors read.
pub struct Hub {
    log: Mutex<Log>,
    head: watch::Sender<u64>,
    /// Who is connected.
    pub clients: Clients,
}

impl Hub {
    /// An empty stream, with a number line of its own that `epoch` names.
    pub fn new(epoch: String, config: &Config) -> Self {
        Self {
            log: Mutex::new(Log::new(epoch, config)),
            head: watch::Sender::new(0),
            clients: Clients::default(),
        }
    }

    /// Gives each draft its sequence number and makes it due to every client whose filter matches.
    pub fn publish(&self, drafts: Vec<Draft>, now: Moment) {
        if drafts.is_empty() {
            return;
        }
        let mut log = self.log.lock();
        for draft in drafts {
            log.append(draft, now);
        }
        let head = log.head();
        drop(log);
        self.head.send_replace(head);
    }

    /// The name of the number line and the last number given.
    pub fn position(&self) -> (Arc<str>, u64) {
        let log = self.log.lock();
        (log.epoch(), log.head())
    }

    /// A cursor to whom everything published from now on is due.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.log.lock().head() + 1)
    }

    /// Wakes whenever something was published.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// True once a subscriber has been woken, as by a message; the others find nothing new.
    pub async fn is_heard(&self) -> bool {
        let mut subscriber = self.changed();
        subscriber.mark_unchanged();
        let head = self.log.lock().head();
        self.head.send_modify(|known| *known = head.max(*known));
        subscriber.changed().await.is_ok()
    }

    /// Adopts new bounds; what is beyond them is dropped from the log.
    pub fn configure(&self, config: &Config) {
        self.log.lock().configure(config);
    }

    /// Messages in the log, their bytes, and messages published so far by type.
    pub fn usage(&self) -> Usage {
        self.log.lock().usage()
    }
}

/// What the log holds and has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Messages that cursors can still reach.
    pub messages: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Messages published since the start, by type.
    pub published: [(Type, u64); Type::ALL.len()],
}
