//! Clients as others see them, and how far behind each is.

use super::backfill::Backfill;
use super::{Feeds, State};
use crate::hub::{Client, Lag, Peer};

impl Feeds {
    /// The number by which others know a client.
    pub fn number(&self, client: u32) -> Option<u64> {
        self.feed(client).map(|feed| feed.membership.number)
    }

    /// A client as others see it.
    pub fn client(&self, client: u32, peer: Peer, at: jiff::Timestamp) -> Option<Client> {
        let feed = self.feed(client)?;
        let key = match &feed.state {
            State::Live => self.classes.key(client),
            State::Behind(behind) => &behind.key,
        };
        Some(Client {
            number: feed.membership.number,
            peer,
            connected_at: at,
            filter: key.filter.clone(),
            coding: key.coding,
            lag: self.lag(client),
            messages_sent: feed.messages,
            bytes_sent: feed.bytes,
        })
    }

    /// How far behind a client is.
    pub fn lag(&self, client: u32) -> Lag {
        match self.feed(client).map(|feed| &feed.state) {
            Some(State::Live) => {
                let next = self.classes.next_of(client).unwrap_or(self.head + 1);
                Lag { messages: self.head + 1 - next, bytes: self.classes.owed(client) }
            }
            Some(State::Behind(behind)) => {
                let Lag { messages, bytes } = self.hub.lag(behind.cursor.next());
                Lag { messages, bytes: bytes + behind.queue.len() as u64 }
            }
            None => Lag::default(),
        }
    }

    /// Whether a client that does not take what it is given is further behind than it may be. One that
    /// comes back is not judged by what it has missed.
    pub fn is_late(&self, client: u32) -> bool {
        let is_back = match self.feed(client).map(|feed| &feed.state) {
            Some(State::Behind(behind)) => {
                behind.ends || behind.backfill.as_ref().is_some_and(Backfill::is_resume)
            }
            _ => false,
        };
        !is_back && self.lag(client).is_beyond(self.bounds)
    }
}
