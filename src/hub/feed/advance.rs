//! A client's turn: what is due to it goes to whoever writes.

use std::sync::Arc;

use super::backfill::Backfill;
use super::behind::Change;
use super::{Coding, Feed, Feeds, Need, Notice, Piece, Progress, QUEUE_BYTES, Sent, State};
use crate::hub::{Key, Page, SlowClient, Written};

/// Refills of a queue in one turn: others want theirs.
const REFILLS: usize = 3;

impl Feeds {
    /// Whether a pass over the classes is going on, and whether there is reason for another.
    pub fn is_passing(&self) -> bool {
        self.classes.is_passing()
    }

    /// Whether something has come since the last pass began.
    pub fn is_due(&self) -> bool {
        self.classes.is_due()
    }

    /// Begins a pass over the classes to which something has come.
    pub fn begin_pass(&mut self) {
        self.classes.begin();
    }

    /// The next client of the pass to whom something is due.
    pub fn next_of_pass(&mut self) -> Option<u32> {
        self.classes.next_of_pass()
    }

    /// A client's turn. `write` takes as many bytes as it can.
    pub fn advance(&mut self, client: u32, mut write: impl FnMut(&[u8]) -> usize) -> Progress {
        for _ in 0..REFILLS {
            if let Some(progress) = self.step(client, &mut write) {
                return progress;
            }
        }
        self.wake(client);
        Progress::Again
    }

    /// What a client gets of its class.
    pub fn deliver(
        &mut self,
        client: u32,
        mut write: impl FnMut(&[u8]) -> usize,
    ) -> (Progress, Option<Written>) {
        let mut last = None;
        loop {
            let written = self.classes.write(client, &self.hub.deflater, &mut write);
            let Some(written) = written else { return (Progress::Live, last) };
            let coding = self.classes.key(client).coding.index();
            if let Some(Some(feed)) = self.feeds.get_mut(client as usize) {
                feed.bytes += written.bytes;
                feed.messages += u64::from(written.counts.total());
                self.sent.add(coding, &written);
            }
            last = Some(written);
            match (written.is_blocked, written.is_all) {
                (true, _) => return (Progress::Blocked, last),
                (false, true) => return (Progress::Live, last),
                (false, false) => {}
            }
        }
    }

    /// Sends a client something beside the stream: at once if it has all else, after what is on its
    /// way if not. A control frame is no message.
    pub fn reply(
        &mut self,
        client: u32,
        frame: &[u8],
        is_message: bool,
        mut write: impl FnMut(&[u8]) -> usize,
    ) {
        // What was published before goes before it.
        self.pull();
        self.catch_up(client);
        let mut taken = 0;
        if self.is_live(client) && matches!(self.deliver(client, &mut write).0, Progress::Live) {
            let coding = self.classes.key(client).coding.index();
            taken = write(frame);
            let is_all = taken == frame.len();
            if let Some(feed) = self.feed_mut(client) {
                feed.bytes += taken as u64;
                feed.messages += u64::from(is_all && is_message);
            }
            self.sent.bytes[coding] += taken as u64;
            if is_all {
                self.sent.replies[coding] += u64::from(is_message);
                return;
            }
        }
        if self.is_live(client) && taken == 0 {
            self.fall_behind(client);
            self.catch_up(client);
        }
        if let Some(behind) = self.fall_behind(client).filter(|behind| !behind.ends) {
            match is_message {
                true => behind.queue.push_reply(&frame[taken..]),
                false => behind.queue.push(&frame[taken..]),
            }
        }
        self.wake(client);
    }

    /// One step of a client's turn; `None` if there is more to do.
    fn step(&mut self, client: u32, write: &mut impl FnMut(&[u8]) -> usize) -> Option<Progress> {
        let Some(Some(feed)) = self.feeds.get_mut(client as usize) else {
            return Some(Progress::Ended);
        };
        let State::Behind(behind) = &mut feed.state else {
            return Some(self.deliver(client, write).0);
        };
        let coding = behind.key.coding;
        let (bytes, emptied) = behind.queue.flush(write);
        feed.bytes += bytes;
        self.sent.bytes[coding.index()] += bytes;
        let Some(emptied) = emptied else {
            behind.slow = true;
            return Some(Progress::Blocked);
        };
        feed.messages += u64::from(emptied.counts.total() + emptied.replies);
        self.sent.count(coding, &emptied.counts, emptied.replies);
        if behind.ends {
            return Some(Progress::Ended);
        }
        if behind.waits {
            return Some(Progress::Waiting(None));
        }
        if let Some(backfill) = &behind.backfill {
            let page = match backfill.ask() {
                None => None,
                Some(ask) => match self.hub.read(&ask) {
                    None => {
                        behind.waits = true;
                        return Some(Progress::Waiting(Some(Need::Read(ask))));
                    }
                    page => page,
                },
            };
            self.fill(client, page);
            return None;
        }
        if behind.presents {
            behind.waits = true;
            let (epoch, seq) = (self.epoch.clone(), behind.cursor.position());
            return Some(Progress::Waiting(Some(Need::Present { epoch, seq, coding })));
        }
        self.take(client)
    }

    /// Moves what the log has for a client into its queue, as far as nothing has to be waited for.
    fn catch_up(&mut self, client: u32) {
        let mut before = None;
        while let Some(State::Behind(behind)) = self.feed(client).map(|feed| &feed.state) {
            let is_held = behind.waits || behind.presents || behind.ends;
            let is_held = is_held || behind.backfill.is_some() || behind.change.is_some();
            let next = Some(behind.cursor.next());
            if is_held || next == before || behind.queue.len() >= QUEUE_BYTES {
                return;
            }
            before = next;
            if self.take(client).is_some() {
                return;
            }
        }
    }

    /// Moves what is due from the log into a client's queue.
    fn take(&mut self, client: u32) -> Option<Progress> {
        let Some(Some(feed)) = self.feeds.get_mut(client as usize) else { return None };
        let State::Behind(behind) = &mut feed.state else { return None };
        let drops = behind.slow && self.policy == SlowClient::Drop;
        // Before another filter is in force, all that was published is due, whether the classes have
        // seen it or not: what supersedes a state may not match the next one.
        let until = if behind.change.is_some() { u64::MAX } else { self.head };
        let due = behind.cursor.take(&self.hub, &behind.key.filter, until, drops);
        self.sent.conflated += due.conflated;
        if let Some(older) = due.older {
            behind.backfill = Some(Backfill::of_slow(older, behind.key.filter.clone()));
        }
        let is_more = !due.pieces.is_empty();
        self.push(client, due.pieces);
        let Some(Some(feed)) = self.feeds.get_mut(client as usize) else { return None };
        let State::Behind(behind) = &mut feed.state else { return None };
        if !due.complete {
            return None;
        }
        if *behind.epoch != *self.epoch {
            // The line has got another name, and the client is to know it.
            behind.presents = true;
            return None;
        }
        if behind.cursor.next() > self.head + 1 {
            // It was shown what is not published yet; that may take as long as a disk.
            self.ahead.push(client);
            return if is_more { None } else { Some(Progress::Waiting(None)) };
        }
        if let Some(change) = behind.change.take() {
            self.apply(client, change);
            return None;
        }
        if is_more || !behind.queue.is_empty() {
            return None;
        }
        let key = behind.key.clone();
        feed.state = State::Live;
        self.classes.join(client, &key, &self.hub.deflater);
        Some(Progress::Live)
    }

    /// What was asked for, and all that follows from it, into a client's queue.
    pub(super) fn fill(&mut self, client: u32, page: Option<Page>) {
        let Some(State::Behind(behind)) = self.feed_mut(client).map(|feed| &mut feed.state) else {
            return;
        };
        let Some(backfill) = &mut behind.backfill else { return };
        let (pieces, is_last) = backfill.take(page);
        if is_last {
            behind.presents |= backfill.is_resume();
            behind.backfill = None;
        }
        self.push(client, pieces);
    }

    fn push(&mut self, client: u32, pieces: Vec<Piece>) {
        let Some(Some(feed)) = self.feeds.get_mut(client as usize) else { return };
        let State::Behind(behind) = &mut feed.state else { return };
        let coding = behind.key.coding;
        for piece in pieces {
            let notice = match piece {
                Piece::Message(message) => {
                    let frame = message.frame(coding, &self.hub.deflater);
                    behind.queue.push_message(&frame, message.subject.kind());
                    continue;
                }
                Piece::Lost(gap) => {
                    self.sent.gaps += 1;
                    Notice::Lost(gap)
                }
                Piece::Resumed(resumed) => Notice::Resumed(resumed),
            };
            behind.queue.push_reply(&(self.voice)(&notice, coding));
        }
    }

    /// Puts another filter in force.
    fn apply(&mut self, client: u32, Change { filter, since, subscribes }: Change) {
        let Some(Some(Feed { membership, state, past, .. })) = self.feeds.get_mut(client as usize)
        else {
            return;
        };
        let State::Behind(behind) = state else { return };
        let coding = behind.key.coding;
        membership.wants(filter.types);
        past.change(behind.cursor.position(), behind.key.filter.clone());
        let notice = match subscribes {
            true => Notice::Subscribed(filter.clone()),
            false => Notice::Unsubscribed,
        };
        behind.key = Arc::new(Key { filter, coding });
        behind.queue.push_reply(&(self.voice)(&notice, coding));
        if let Some(place) = since {
            behind.resume(&place, past);
        }
    }
}

impl Sent {
    fn add(&mut self, coding: usize, written: &Written) {
        self.bytes[coding] += written.bytes;
        let counts = self.messages[coding].iter_mut().zip(written.counts.by_type);
        counts.for_each(|(sum, count)| *sum += u64::from(count));
    }

    fn count(&mut self, coding: Coding, counts: &crate::hub::Counts, replies: u32) {
        let sums = self.messages[coding.index()].iter_mut().zip(counts.by_type);
        sums.for_each(|(sum, count)| *sum += u64::from(count));
        self.replies[coding.index()] += u64::from(replies);
    }
}
