//! Who is connected: what others may know of a client, and what it has been sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};

use super::{Coding, Filter, Peer, Type, TypeSet};
use crate::sample::Moment;

/// Close codes from here on belong to libraries and applications (RFC 6455 section 7.4.2).
const UNREGISTERED: u16 = 3000;

/// One connected client. Its owner writes, REST and the metrics read.
#[derive(Debug)]
pub struct Client {
    /// "client-" and a number that no other client of this daemon has had.
    pub id: String,
    pub peer: Peer,
    /// What was agreed on with it.
    pub coding: Coding,
    pub connected_at: Moment,
    filter: RwLock<Filter>,
    /// The number of the last message of the stream that it has been given or passed over.
    pub position: AtomicU64,
    /// Messages and bytes that were written to it, replies included.
    pub messages_sent: AtomicU64,
    pub bytes_sent: AtomicU64,
}

impl Client {
    /// What it wants at present.
    pub fn filter(&self) -> Filter {
        self.filter.read().clone()
    }
}

/// All connected clients, and totals over all that ever were.
#[derive(Debug, Default)]
pub struct Clients {
    connected: RwLock<BTreeMap<u64, Arc<Client>>>,
    next: AtomicU64,
    /// Clients whose filter names the type, by type.
    wanted: [AtomicUsize; Type::ALL.len()],
    /// Messages and bytes that were written, to clients present and gone.
    pub messages_sent: AtomicU64,
    pub bytes_sent: AtomicU64,
    /// States left out for clients that were behind.
    pub conflated: AtomicU64,
    /// Runs of the stream that were lost to a client.
    pub gaps: AtomicU64,
    /// Clients that left, by the code of the end.
    ended: Mutex<BTreeMap<u16, u64>>,
}

/// Keeps a client among the connected ones until it is dropped.
pub struct Membership<'a> {
    clients: &'a Clients,
    number: u64,
    pub client: Arc<Client>,
}

impl Clients {
    /// Admits a client with the default filter.
    pub fn join(&self, peer: Peer, coding: Coding, position: u64, now: Moment) -> Membership<'_> {
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let client = Arc::new(Client {
            id: format!("client-{number}"),
            peer,
            coding,
            connected_at: now,
            filter: RwLock::new(Filter::nothing()),
            position: AtomicU64::new(position),
            messages_sent: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
        });
        self.connected.write().insert(number, client.clone());
        self.set_filter(&client, Filter::default());
        Membership { clients: self, number, client }
    }

    /// Replaces what `client` wants.
    pub fn set_filter(&self, client: &Client, filter: Filter) {
        filter.types.iter().for_each(|kind| self.count_of(kind, 1));
        let before = std::mem::replace(&mut *client.filter.write(), filter);
        before.types.iter().for_each(|kind| self.count_of(kind, usize::MAX));
    }

    /// The types that anybody wants.
    pub fn wanted(&self) -> TypeSet {
        let is_wanted = |kind: &Type| self.wanted[*kind as usize].load(Ordering::Relaxed) > 0;
        Type::ALL.into_iter().filter(is_wanted).fold(TypeSet::NONE, TypeSet::with)
    }

    /// Adds `delta`, where `usize::MAX` stands for -1, as atomics wrap around.
    fn count_of(&self, kind: Type, delta: usize) {
        self.wanted[kind as usize].fetch_add(delta, Ordering::Relaxed);
    }

    /// The connected ones, the longest connected first.
    pub fn list(&self) -> Vec<Arc<Client>> {
        self.connected.read().values().cloned().collect()
    }

    /// How many are connected.
    pub fn count(&self) -> usize {
        self.connected.read().len()
    }

    /// How many ever were.
    pub fn total(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Counts a client that left with this close code. Codes are the client's to choose; those
    /// beyond the registered ones are counted as one, so that nobody can make us count for ever.
    pub fn left(&self, code: u16) {
        let code = if code < UNREGISTERED { code } else { UNREGISTERED };
        *self.ended.lock().entry(code).or_default() += 1;
    }

    /// How many left, by the code of the end.
    pub fn ended(&self) -> BTreeMap<u16, u64> {
        self.ended.lock().clone()
    }

    /// Counts what was written to `client`.
    pub fn sent(&self, client: &Client, messages: u64, bytes: u64) {
        client.messages_sent.fetch_add(messages, Ordering::Relaxed);
        client.bytes_sent.fetch_add(bytes, Ordering::Relaxed);
        self.messages_sent.fetch_add(messages, Ordering::Relaxed);
        self.bytes_sent.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Membership<'_> {
    fn drop(&mut self) {
        self.clients.set_filter(&self.client, Filter::nothing());
        self.clients.connected.write().remove(&self.number);
    }
}
