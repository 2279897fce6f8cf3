//! How the rest of the daemon reaches a shard: letters in a bounded box, and a bell that wakes it.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::{Registry, Token, Waker};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};

use super::client::Arrival;
use crate::api::Published;
use crate::hub::{Answer, Client};
use crate::server::WebSocketConfig;
use crate::server::auth::Grant;
use crate::server::groups::Refusal;

/// Letters that may wait; who has another one waits.
const ROOM: usize = 1_024;

/// What a shard is told.
pub(super) enum Letter {
    /// There is another client.
    Arrival(Box<Arrival>),
    /// What a client needed, if it still is the one of this number.
    Answer { client: u32, number: u64, answer: Answer },
    /// What has become of a message of the client of this number to a group.
    Published { client: u32, number: u64, said: Result<Published, Refusal> },
    /// Somebody wants to know who is here.
    List(oneshot::Sender<Vec<Client>>),
    /// The client of this number is to leave; the answer is whether it was here.
    End(u64, oneshot::Sender<bool>),
    /// The clients that went on by one of these are to leave.
    Dismiss(Arc<HashSet<Grant>>),
    /// Somebody wants to know whether this is read.
    Probe(oneshot::Sender<()>),
}

/// The shard has ended, as they do when the daemon stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended;

/// The way to one shard.
pub(super) struct Inbox {
    letters: Mutex<VecDeque<Letter>>,
    room: Semaphore,
    config: Mutex<Option<WebSocketConfig>>,
    /// Clients are to go when they have what they are owed; everything is to end at once.
    closing: AtomicBool,
    cut: AtomicBool,
    /// Something has come that the shard has not looked at.
    rung: AtomicBool,
    /// The shard waits for its sockets, or is about to.
    asleep: AtomicBool,
    waker: Waker,
}

impl Inbox {
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        Ok(Self {
            letters: Mutex::default(),
            room: Semaphore::new(ROOM),
            config: Mutex::default(),
            closing: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            rung: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            waker: Waker::new(registry, token)?,
        })
    }

    /// Puts a letter in, once there is room for it.
    pub(super) async fn send(&self, letter: Letter) -> Result<(), Ended> {
        self.room.acquire().await.map_err(|_| Ended)?.forget();
        self.letters.lock().push_back(letter);
        self.ring();
        Ok(())
    }

    /// Has the shard look up.
    pub(super) fn ring(&self) {
        self.rung.store(true, Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::SeqCst)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "cannot wake a thread of the clients");
        }
    }

    pub(super) fn configure(&self, config: WebSocketConfig) {
        *self.config.lock() = Some(config);
        self.ring();
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.ring();
    }

    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        self.ring();
    }

    /// Whether there is something to look at.
    pub(super) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Relaxed)
    }

    /// Whether there was, until now.
    pub(super) fn hear(&self) -> bool {
        self.is_rung() && self.rung.swap(false, Ordering::SeqCst)
    }

    /// Says that the shard is about to wait; true if it may. What is rung from then on wakes it.
    pub(super) fn doze(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        // Whoever rang just before has not seen that we sleep.
        !self.rung.load(Ordering::SeqCst)
    }

    pub(super) fn rise(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }

    /// The next letter.
    pub(super) fn take(&self) -> Option<Letter> {
        let letter = self.letters.lock().pop_front()?;
        self.room.add_permits(1);
        Some(letter)
    }

    pub(super) fn take_config(&self) -> Option<WebSocketConfig> {
        self.config.lock().take()
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }

    /// Refuses letters from now on, and throws away those that are there.
    pub(super) fn end(&self) {
        self.room.close();
        self.letters.lock().clear();
    }
}
