//! What bytes are owed to whom: one log of encoded messages, and a place in it for every client.
//!
//! The hub knows no socket. Whoever owns some has [`Feeds`], which it asks what is due to whom, and a
//! bell ([`Hub::listen`]) that says when to ask.

mod archive;
mod class;
mod client;
mod coding;
mod config;
mod cursor;
mod deflater;
mod feed;
mod filter;
mod frame;
mod frames;
mod lag;
mod line;
mod log;
mod message;
mod messagepack;
mod peer;
mod slow;

pub use archive::{Archive, Ask, Entry, Gap, Page, Reason};
pub use class::{Classes, Counts, Key, Rest, Written};
pub use client::{Client, Clients, Membership, client_id, client_number};
pub use coding::{Coding, Encoding};
pub use config::Config;
pub use cursor::{Cursor, Due, Older};
pub use deflater::{Compression, Deflater};
pub use feed::{Answer, Feeds, Need, Notice, Piece, Progress, Resumed, Sent, Voice, Welcome};
pub use filter::{Filter, TypeSet};
pub use frame::{Header, Opcode};
pub use frames::finish;
pub use lag::{Bounds, Lag};
pub use line::{Line, NoPlace, Place, Start};
pub use message::{Draft, Message, Subject, Type};
pub use peer::Peer;
pub use slow::SlowClient;

use std::sync::Arc;

use std::time::Instant;

use parking_lot::{Mutex, RwLock};

use crate::sample::Moment;
use log::Log;

/// Is rung when something was published. It may not block.
type Bell = Box<dyn Fn() + Send + Sync>;

/// What was published since somebody last looked.
#[derive(Debug)]
pub struct News {
    /// Oldest first, with the time at which each was published; `None` if some have left the log.
    pub messages: Option<Vec<(Message, Instant)>>,
    /// The name of the number line, and the last number published.
    pub epoch: Arc<str>,
    pub head: u64,
    pub bounds: Bounds,
}

/// The stream. One task gives numbers, one publishes, in the same order; any number of cursors read.
pub struct Hub {
    log: Mutex<Log>,
    bells: RwLock<Vec<Bell>>,
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
        Self {
            log: Mutex::new(Log::new(line, config)),
            bells: RwLock::default(),
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
        let now = Instant::now();
        let mut log = self.log.lock();
        for message in messages {
            log.append(message, now);
        }
        drop(log);
        self.bells.read().iter().for_each(|bell| bell());
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

    /// Events that the log still has; `None` if they begin before it does.
    pub fn read(&self, ask: &Ask) -> Option<Page> {
        self.log.lock().read(ask)
    }

    /// The number of the oldest message in the log; one more than the last if there is none.
    pub fn tail(&self) -> u64 {
        self.log.lock().tail()
    }

    /// Has `bell` rung whenever something was published, for as long as the hub lives.
    pub fn listen(&self, bell: impl Fn() + Send + Sync + 'static) {
        self.bells.write().push(Box::new(bell));
    }

    /// What was published after the number `head`.
    pub fn news(&self, head: u64) -> News {
        let log = self.log.lock();
        let messages = (head + 1 >= log.tail())
            .then(|| log.since(head + 1).cloned().zip(log.published(head + 1)).collect());
        News { messages, epoch: log.epoch(), head: log.head(), bounds: log.bounds() }
    }

    /// How far behind a client is to whom the message numbered `next` is due.
    pub fn lag(&self, next: u64) -> Lag {
        self.log.lock().lag(next)
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
