//! Who is connected: how many, what they want, and what others may know of one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::{Coding, Filter, Hub, Lag, Peer, Type, TypeSet};

/// Close codes from here on belong to libraries and applications (RFC 6455 section 7.4.2).
const UNREGISTERED: u16 = 3000;

/// One connected client, as it was when somebody asked.
#[derive(Debug, Clone)]
pub struct Client {
    /// No other client of this daemon has had it.
    pub number: u64,
    pub peer: Peer,
    pub connected_at: Timestamp,
    pub filter: Filter,
    pub coding: Coding,
    pub lag: Lag,
    /// Messages and bytes that were written to it, replies included.
    pub messages_sent: u64,
    pub bytes_sent: u64,
}

/// How a client is called, by its number.
pub fn client_id(number: u64) -> String {
    format!("client-{number}")
}

/// The number in such a name.
pub fn client_number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix("client-")?;
    let number = digits.parse().ok()?;
    // Not what `parse` takes besides: "client-+7", "client-007".
    (client_id(number) == id).then_some(number)
}

/// Counts the connected clients, and those that ever were.
#[derive(Debug, Default)]
pub struct Clients {
    connected: AtomicUsize,
    next: AtomicU64,
    /// How many there are of each coding, by its index.
    by_coding: [AtomicUsize; Coding::ALL.len()],
    /// Clients whose filter names the type, by type.
    wanted: [AtomicUsize; Type::ALL.len()],
    /// Clients that left, by the code of the end.
    ended: Mutex<BTreeMap<u16, u64>>,
}

/// A client among the connected ones, until it is dropped.
pub struct Membership {
    hub: Arc<Hub>,
    pub number: u64,
    coding: Coding,
    wants: TypeSet,
}

impl Membership {
    /// Admits a client with the default filter.
    pub fn begin(hub: &Arc<Hub>, coding: Coding) -> Self {
        let clients = &hub.clients;
        clients.connected.fetch_add(1, Ordering::Relaxed);
        clients.by_coding[coding.index()].fetch_add(1, Ordering::Relaxed);
        let number = clients.next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut membership = Self { hub: hub.clone(), number, coding, wants: TypeSet::NONE };
        membership.wants(Filter::default().types);
        membership
    }

    /// Replaces what it wants.
    pub fn wants(&mut self, types: TypeSet) {
        let before = std::mem::replace(&mut self.wants, types);
        let wanted = &self.hub.clients.wanted;
        for kind in types.iter() {
            wanted[kind as usize].fetch_add(1, Ordering::Relaxed);
        }
        for kind in before.iter() {
            wanted[kind as usize].fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.wants(TypeSet::NONE);
        let clients = &self.hub.clients;
        clients.connected.fetch_sub(1, Ordering::Relaxed);
        clients.by_coding[self.coding.index()].fetch_sub(1, Ordering::Relaxed);
    }
}

impl Clients {
    /// The types that anybody wants.
    pub fn wanted(&self) -> TypeSet {
        let is_wanted = |kind: &Type| self.wanted[*kind as usize].load(Ordering::Relaxed) > 0;
        Type::ALL.into_iter().filter(is_wanted).fold(TypeSet::NONE, TypeSet::with)
    }

    /// How many are connected.
    pub fn count(&self) -> usize {
        self.connected.load(Ordering::Relaxed)
    }

    /// How many are connected of each coding.
    pub fn by_coding(&self) -> [(Coding, usize); Coding::ALL.len()] {
        Coding::ALL.map(|coding| (coding, self.by_coding[coding.index()].load(Ordering::Relaxed)))
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_number_and_nothing_else() {
        assert_eq!(client_number(&client_id(17)), Some(17));
        for id in ["", "17", "client-", "client-x", "client-+7", "client-007", "client--1"] {
            assert_eq!(client_number(id), None, "{id}");
        }
    }

    #[test]
    fn what_is_wanted_is_what_the_present_ones_want() {
        let hub = Arc::new(Hub::new("e".to_owned(), &crate::hub::Config::default()));
        let mut one = Membership::begin(&hub, Coding::ALL[1]);
        let other = Membership::begin(&hub, Coding::default());
        assert_eq!((hub.clients.count(), hub.clients.wanted()), (2, Filter::default().types));
        let by_coding = || hub.clients.by_coding().map(|(_, count)| count);
        assert_eq!(by_coding(), [1, 1, 0, 0]);
        one.wants(TypeSet::NONE.with(Type::CollectorUpdate));
        assert_eq!(hub.clients.wanted(), TypeSet::ALL);
        drop(other);
        assert_eq!(hub.clients.wanted(), TypeSet::NONE.with(Type::CollectorUpdate));
        drop(one);
        assert_eq!((hub.clients.count(), hub.clients.total()), (0, 2));
        assert_eq!(by_coding(), [0; 4]);
        assert_eq!(hub.clients.wanted(), TypeSet::NONE);
    }
}
