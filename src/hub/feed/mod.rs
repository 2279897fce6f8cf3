//! What is due to each client of one shard: from its class while it keeps up, from a queue and a place
//! of its own while it does not.
//!
//! No socket, no clock and no task: whoever has them calls, and hands in a function that takes bytes.
//! What has to be waited for is asked for by a [`Need`], and handed in when it has come.

mod advance;
mod backfill;
mod behind;
mod given;
mod pull;
#[cfg(test)]
mod tests;
mod view;

pub(super) use backfill::around;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::{
    Ask, Bounds, Classes, Coding, Cursor, Filter, Gap, Hub, Key, Membership, Message, Place,
    SlowClient, Start, Type,
};
use backfill::Backfill;
use behind::{Behind, Change, Queue};
use given::Past;

/// A client's messages are not looked at while so much waits for it.
const QUEUE_BYTES: usize = 64 << 10;

/// All clients of one shard, by small numbers that their owner gives.
pub struct Feeds {
    hub: Arc<Hub>,
    voice: Voice,
    /// What becomes of clients that are too slow.
    pub policy: SlowClient,
    classes: Classes,
    feeds: Vec<Option<Feed>>,
    /// The last number that the classes have seen, and the name of its line.
    head: u64,
    epoch: Arc<str>,
    bounds: Bounds,
    /// Who is to have a turn, and who is ahead of what the classes have seen.
    due: VecDeque<u32>,
    ahead: Vec<u32>,
    /// Something has come that is not to wait for more.
    is_urgent: bool,
    /// What was done since somebody last asked.
    sent: Sent,
}

/// Makes the finished frame of a reply.
pub type Voice = Box<dyn Fn(&Notice, Coding) -> Bytes + Send>;

/// What a client is told beside the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    Lost(Gap),
    Resumed(Resumed),
    Subscribed(Filter),
    Unsubscribed,
}

/// All that a client has missed, and could be given, was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumed {
    pub from: u64,
    pub to: u64,
    pub replayed: u64,
    pub complete: bool,
}

/// What is sent next.
#[derive(Debug, Clone)]
pub enum Piece {
    Message(Message),
    Lost(Gap),
    Resumed(Resumed),
}

/// How a client begins.
pub enum Welcome {
    /// With these replies, and then what comes after them.
    New { replies: Vec<Bytes>, cursor: Cursor, epoch: Arc<str> },
    /// With what it has missed since.
    Back(Place),
}

/// What a client needs that takes time.
#[derive(Debug)]
pub enum Need {
    /// Events that have left the log.
    Read(Ask),
    /// The state of the whole, as one that has had all up to `seq` is to see it.
    Present { epoch: Arc<str>, seq: u64, coding: Coding },
}

/// What was needed.
pub enum Answer {
    Read(super::Page),
    Present { epoch: Arc<str>, frame: Bytes },
}

/// How far a client has got.
#[derive(Debug)]
pub enum Progress {
    /// It has all that there is.
    Live,
    /// It is to have another turn, and will.
    Again,
    /// It has not taken all that it was given.
    Blocked,
    /// It goes on when something comes, for which it may have a need.
    Waiting(Option<Need>),
    /// It has all that it was to have before its end.
    Ended,
}

/// What was written, by coding.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    pub messages: [[u64; Type::ALL.len()]; Coding::ALL.len()],
    pub replies: [u64; Coding::ALL.len()],
    pub bytes: [u64; Coding::ALL.len()],
    /// States left out for clients that were behind, and runs of the stream that were lost to one.
    pub conflated: u64,
    pub gaps: u64,
}

struct Feed {
    membership: Membership,
    state: State,
    past: Past,
    messages: u64,
    bytes: u64,
}

enum State {
    /// A member of its class.
    Live,
    Behind(Box<Behind>),
}

impl Feeds {
    /// Nobody, who sees what is published from now on.
    pub fn new(hub: Arc<Hub>, voice: Voice, policy: SlowClient) -> Self {
        let (epoch, head) = hub.position();
        Self {
            bounds: hub.news(head).bounds,
            hub,
            voice,
            policy,
            classes: Classes::default(),
            feeds: Vec::new(),
            head,
            epoch,
            due: VecDeque::new(),
            ahead: Vec::new(),
            is_urgent: false,
            sent: Sent::default(),
        }
    }

    /// Takes in a client with the default filter; its turn comes.
    pub fn join(&mut self, client: u32, membership: Membership, coding: Coding, welcome: Welcome) {
        self.pull();
        let key = Arc::new(Key { filter: Filter::default(), coding });
        let mut queue = Queue::default();
        let (cursor, epoch, place) = match welcome {
            Welcome::New { replies, cursor, epoch } => {
                replies.iter().for_each(|reply| queue.push_reply(reply));
                (cursor, epoch, None)
            }
            Welcome::Back(place) => (Cursor::new(self.head + 1), self.epoch.clone(), Some(place)),
        };
        let mut past = Past::new(cursor.next());
        let mut behind = self.behind(key, cursor);
        (behind.queue, behind.epoch) = (queue, epoch);
        if let Some(place) = place {
            behind.resume(&place, &mut past);
        }
        let state = State::Behind(Box::new(behind));
        let feed = Feed { membership, state, past, messages: 0, bytes: 0 };
        if self.feeds.len() <= client as usize {
            self.feeds.resize_with(client as usize + 1, || None);
        }
        self.feeds[client as usize] = Some(feed);
        self.wake(client);
    }

    /// Lets a client go.
    pub fn leave(&mut self, client: u32) {
        if let Some(feed) = self.feeds.get_mut(client as usize).and_then(Option::take)
            && matches!(feed.state, State::Live)
        {
            self.classes.leave(client, &self.hub.deflater);
        }
    }

    /// Gives a client its turn, if it is there.
    pub fn wake(&mut self, client: u32) {
        match self.feed_mut(client).map(|feed| &mut feed.state) {
            Some(State::Behind(behind)) if behind.is_due => {}
            Some(State::Behind(behind)) => {
                behind.is_due = true;
                self.due.push_back(client);
            }
            Some(State::Live) => self.due.push_back(client),
            None => {}
        }
    }

    /// Whether it is somebody's turn, apart from the pass.
    pub fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// How a client is spoken to.
    pub fn coding(&self, client: u32) -> Option<Coding> {
        Some(match &self.feed(client)?.state {
            State::Live => self.classes.key(client).coding,
            State::Behind(behind) => behind.key.coding,
        })
    }

    /// Whose turn it is, apart from the pass.
    pub fn next_due(&mut self) -> Option<u32> {
        loop {
            let client = self.due.pop_front()?;
            match self.feed_mut(client).map(|feed| &mut feed.state) {
                Some(State::Behind(behind)) => behind.is_due = false,
                Some(State::Live) => {}
                None => continue,
            }
            return Some(client);
        }
    }

    /// Whether a client is to be heard: what it says may have to wait until it has what it is owed.
    pub fn is_heard(&self, client: u32) -> bool {
        match self.feed(client).map(|feed| &feed.state) {
            Some(State::Behind(behind)) => {
                behind.change.is_none() && behind.queue.len() < QUEUE_BYTES
            }
            Some(State::Live) => true,
            None => false,
        }
    }

    /// Whether it is known what a client was sent on its connection.
    pub fn remembers(&self, client: u32) -> bool {
        self.feed(client).is_some_and(|feed| feed.past.runs().is_some())
    }

    /// Has another filter take force, once all that was published until now is on its way.
    pub fn change(&mut self, client: u32, filter: Option<Filter>, since: Option<Place>) {
        // What was published before is owed by the filter before.
        self.pull();
        let subscribes = filter.is_some();
        let filter = filter.unwrap_or_else(Filter::nothing);
        if let Some(behind) = self.fall_behind(client) {
            behind.change = Some(Change { filter, since, subscribes });
        }
        self.wake(client);
    }

    /// The last that a client is sent is `frame`, after what is on its way already.
    pub fn part(&mut self, client: u32, frame: &[u8]) {
        if let Some(behind) = self.fall_behind(client) {
            (behind.change, behind.backfill, behind.ends) = (None, None, true);
            behind.queue.push(frame);
        }
        if let Some(feed) = self.feed_mut(client) {
            feed.membership.wants(super::TypeSet::NONE);
        }
        self.wake(client);
    }

    /// Hands in what was needed.
    pub fn answer(&mut self, client: u32, answer: Answer) {
        let Some(State::Behind(behind)) = self.feed_mut(client).map(|feed| &mut feed.state) else {
            return;
        };
        behind.waits = false;
        match answer {
            _ if behind.ends => {}
            Answer::Read(page) => self.fill(client, Some(page)),
            Answer::Present { epoch, frame } => {
                (behind.epoch, behind.presents) = (epoch, false);
                behind.queue.push_reply(&frame);
            }
        }
        self.wake(client);
    }

    /// Whether a client takes what comes from its class.
    pub fn is_live(&self, client: u32) -> bool {
        matches!(self.feed(client), Some(Feed { state: State::Live, .. }))
    }

    /// Takes what was done since the last time.
    pub fn take_sent(&mut self) -> Sent {
        std::mem::take(&mut self.sent)
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes.count()
    }

    /// Gives memory back that nobody needs any more.
    pub fn tidy(&mut self) {
        self.classes.tidy();
    }

    fn feed(&self, client: u32) -> Option<&Feed> {
        self.feeds.get(client as usize)?.as_ref()
    }

    fn feed_mut(&mut self, client: u32) -> Option<&mut Feed> {
        self.feeds.get_mut(client as usize)?.as_mut()
    }

    fn behind(&self, key: Arc<Key>, cursor: Cursor) -> Behind {
        Behind {
            key,
            queue: Queue::default(),
            cursor,
            epoch: self.epoch.clone(),
            backfill: None,
            presents: false,
            waits: false,
            change: None,
            slow: false,
            ends: false,
            is_due: false,
        }
    }

    /// Takes a client out of its class; what it was owed there is its own from then on.
    fn fall_behind(&mut self, client: u32) -> Option<&mut Behind> {
        if self.is_live(client) {
            let (key, rest) = self.classes.leave(client, &self.hub.deflater);
            let cursor = Cursor::new(rest.next.unwrap_or(self.head + 1));
            let mut behind = self.behind(key, cursor);
            behind.queue.push(&rest.bytes);
            behind.queue.count(rest.kind);
            self.feed_mut(client)?.state = State::Behind(Box::new(behind));
        }
        match &mut self.feed_mut(client)?.state {
            State::Behind(behind) => Some(behind),
            State::Live => None,
        }
    }

    /// Has a client go on by itself, from where it is: it has held up its class for long enough.
    pub fn set_apart(&mut self, client: u32) {
        self.fall_behind(client);
        self.wake(client);
    }
}

impl Behind {
    /// Has the client sent what it has missed since `place`, up to where its cursor is.
    fn resume(&mut self, place: &Place, past: &mut Past) {
        let to = self.cursor.position();
        let start = Start::after(place, &self.epoch, to);
        let (filter, given) = (self.key.filter.clone(), past.runs().unwrap_or_default());
        let backfill = Backfill::of_resumed(place.seq, start, to, filter, given);
        past.push(backfill.run());
        self.backfill = Some(backfill);
    }
}
