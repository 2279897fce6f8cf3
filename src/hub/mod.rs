//! What bytes are owed to whom: one log of encoded messages, and a cursor per client.
//!
//! The hub knows no socket. Whoever owns one holds a [`Cursor`], waits on [`Hub::changed`] and asks
//! [`Cursor::take`] for what is due; a client that does not ask costs nothing but its place in the log.

mod archive;
mod client;
mod coding;
mod config;
mod cursor;
mod deflater;
mod filter;
mod frame;
mod frames;
mod line;
mod log;
mod message;
mod messagepack;
mod peer;

pub use archive::{Archive, Ask, Entry, Gap, Page, Reason};
pub use client::{Client, Clients, Membership};
pub use coding::{Coding, Encoding};
pub use config::Config;
pub use cursor::{Cursor, Due, Older};
pub use deflater::{Compression, Deflater};
pub use filter::{Filter, TypeSet};
pub use frame::{Header, Opcode};
pub use frames::finish;
pub use line::{Line, NoPlace, Place};
pub use message::{Draft, Message, Subject, Type};
pub use peer::Peer;

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::sample::Moment;
use log::Log;

/// The stream. One task gives numbers, one publishes, in the same order; any number of cursors read.
pub struct Hub {
    log: Mutex<Log>,
    head: watch::Sender<u64>,
    /// What compresses messages for those who take them so.
    pub deflater: Deflater,
    /// Who is connected.
    pub clients: Clients,
}

impl Hub {
    /// An empty stream, with a number line of its own that `epoch` names.
    pub fn new(epoch: String, config: &Config) -> Self {
        Self::on(Line { epoch, last: 0, limit: u64::MAX }, config)
    }

    /// An empty stream that goes on where `line` ends.
    pub fn on(line: Line, config: &Config) -> Self {
        let last = line.last;
        Self {
            log: Mutex::new(Log::new(line, config)),
            head: watch::Sender::new(last),
            deflater: Deflater::default(),
            clients: Clients::default(),
        }
    }

    /// Gives each draft its number. They are to be published in the order of their numbers.
    pub fn number(&self, drafts: Vec<Draft>, now: Moment) -> Vec<Message> {
        if drafts.is_empty() { Vec::new() } else { self.log.lock().number(drafts, now) }
    }

    /// Makes messages due to every client whose filter matches.
    pub fn publish(&self, messages: Vec<Message>) {
        if messages.is_empty() {
            return;
        }
        let mut log = self.log.lock();
        for message in messages {
            log.append(message);
        }
        let head = log.head();
        drop(log);
        self.head.send_replace(head);
    }

    /// The name of the number line and the last number published.
    pub fn position(&self) -> (Arc<str>, u64) {
        let log = self.log.lock();
        (log.epoch(), log.head())
    }

    /// The number line with the last number given, published or not.
    pub fn line(&self) -> Line {
        self.log.lock().line()
    }

    /// Allows numbers up to `limit`, if `epoch` still is the name of the line.
    pub fn allow(&self, epoch: &str, limit: u64) {
        self.log.lock().allow(epoch, limit);
    }

    /// A cursor to whom everything is due that is given a number from now on.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.log.lock().line().last + 1)
    }

    /// A cursor to whom everything published from now on is due.
    pub fn cursor_at_head(&self) -> Cursor {
        Cursor::new(self.log.lock().head() + 1)
    }

    /// Events that the log still has; `None` if they begin before it does.
    pub fn read(&self, ask: &Ask) -> Option<Page> {
        self.log.lock().read(ask)
    }

    /// The number of the oldest message in the log; one more than the last if there is none.
    pub fn tail(&self) -> u64 {
        self.log.lock().tail()
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
    /// Their bytes, in every coding that somebody has needed.
    pub bytes: usize,
    /// Messages published since the start, by type.
    pub published: [(Type, u64); Type::ALL.len()],
}
