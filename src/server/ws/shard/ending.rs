//! How far clients have got, and how they leave: in order, too slow, silent or lost.

use super::inbox::Letter;
use super::thread::{Shard, TIDY_MS};
use super::vitals::Laggards;
use crate::hub::{Answer, Need, Progress, SlowClient};
use crate::server::ws::{CloseCode, Violation, frame, reply};

/// After our close frame, the client has this long for its own (RFC 6455 section 7.1.1).
const CLOSE_TIMEOUT_MS: u64 = 2_000;
/// A client that has taken nothing for this long is slow. Before, it may just not have had its turn:
/// a burst fills every connection for a moment.
const GRACE_MS: u64 = 100;
/// How often it is looked whether a client that takes nothing is too far behind.
const JUDGE_MS: u64 = 250;

/// How a client leaves.
#[derive(Debug)]
pub(super) enum End {
    /// The client is gone, or was never alive.
    Lost,
    /// The client closed; its code is to be returned.
    Closed(Option<u16>),
    /// We close.
    Close(CloseCode, &'static str),
}

impl End {
    /// The code that describes it (RFC 6455 section 7.4.1); 1005 and 1006 never travel.
    fn code(&self) -> u16 {
        match self {
            End::Lost => 1006,
            End::Closed(code) => code.unwrap_or(1005),
            End::Close(code, _) => (*code).into(),
        }
    }
}

impl From<Violation> for End {
    fn from(violation: Violation) -> Self {
        End::Close(violation.code, violation.reason)
    }
}

impl Shard {
    /// Sees to a client that has had its turn.
    pub(super) fn settle(&mut self, id: u32, progress: Progress) {
        if self.clients[id as usize].flags.failed {
            return self.lose(id);
        }
        let is_publishing = self.clients[id as usize].flags.publishing;
        match progress {
            // Who waits for an answer is to have it.
            Progress::Live if self.inbox.is_closing() && !is_publishing => {
                return self.end(id, End::Close(CloseCode::GoingAway, "the daemon is stopping"));
            }
            Progress::Live | Progress::Again | Progress::Waiting(None) => {}
            Progress::Waiting(Some(need)) => self.fetch(id, need),
            Progress::Blocked => self.judge(id),
            Progress::Ended => self.hang_up(id),
        }
        let Some(client) = self.clients.get(id as usize) else { return };
        if client.unread.is_some() || client.flags.readable {
            self.receive(id);
        }
    }

    /// Has somebody who may wait get what a client needs.
    fn fetch(&self, id: u32, need: Need) {
        let (inbox, pipeline) = (self.inbox.clone(), self.pipeline.clone());
        let (history, number) = (self.history.clone(), self.clients[id as usize].number);
        self.runtime.spawn(async move {
            let answer = match need {
                Need::Read(ask) => Answer::Read(history.read(ask).await),
                Need::Present { epoch, seq, coding } => {
                    let frame = reply::present(&pipeline, &epoch, seq, coding).await;
                    Answer::Present { epoch, frame }
                }
            };
            // The shard may have ended meanwhile.
            let _ = inbox.send(Letter::Answer { client: id, number, answer }).await;
        });
    }

    /// A client has not taken all that it was given.
    fn judge(&mut self, id: u32) {
        let client = &self.clients[id as usize];
        let since = self.now - client.stalled_at.min(self.now);
        let is_slow = client.ends_at.is_none() && since >= GRACE_MS && self.feeds.is_late(id);
        match self.config.slow_client {
            SlowClient::Disconnect if is_slow => {
                self.vitals.disconnected_slow();
                return self.end(id, End::Close(CloseCode::TryAgainLater, "too slow"));
            }
            SlowClient::Disconnect => self.arm(id, self.now + JUDGE_MS),
            SlowClient::Conflate | SlowClient::Drop if is_slow && self.feeds.is_live(id) => {
                self.feeds.set_apart(id);
            }
            SlowClient::Conflate | SlowClient::Drop => {}
        }
        let limit = self.config.write_timeout.as_millis() as u64;
        self.arm(id, self.clients[id as usize].stalled_at + limit);
    }

    /// Has somebody look after a client at this time, or before.
    pub(super) fn arm(&mut self, id: u32, at: u64) {
        let client = &mut self.clients[id as usize];
        if at < client.timer {
            client.timer = at;
            self.timers.push(at, id, client.number);
        }
    }

    /// Looks after those whose time has come.
    pub(super) fn look_after(&mut self) {
        while let Some((at, id, number)) = self.timers.pop(self.now) {
            let Some(client) = self.clients.get_mut(id as usize) else { continue };
            if client.number == number && client.timer == at {
                client.timer = u64::MAX;
                self.check(id);
            }
        }
        if self.tidy_at.is_some_and(|at| at <= self.now) {
            self.tidy_at = None;
            self.feeds.tidy();
            self.report();
            self.survey();
        }
    }

    fn check(&mut self, id: u32) {
        let (now, is_heard) = (self.now, self.is_heard(id));
        let client = &mut self.clients[id as usize];
        let after = |at: u64, span: std::time::Duration| at + span.as_millis() as u64;
        if let Some(ends_at) = client.ends_at {
            return if now >= ends_at { self.remove(id) } else { self.arm(id, ends_at) };
        }
        if client.flags.blocked {
            let limit = after(client.stalled_at, *self.config.write_timeout);
            return if now >= limit { self.lose(id) } else { self.judge(id) };
        }
        if !is_heard {
            // Its answer would not be heard either.
            return self.arm(id, after(now, *self.config.ping_interval));
        }
        match client.pinged_at.map(|at| after(at, *self.config.pong_timeout)) {
            Some(limit) if now >= limit => return self.lose(id),
            Some(limit) => return self.arm(id, limit),
            None => {}
        }
        let limit = after(client.heard_at, *self.config.ping_interval);
        if now < limit {
            return self.arm(id, limit);
        }
        client.pinged_at = Some(now);
        self.send(id, &frame::ping(&[]), false);
        self.arm(id, after(now, *self.config.pong_timeout));
    }

    /// The client of this number is not wanted any more.
    pub(super) fn send_away(&mut self, id: u32) {
        self.end(id, End::Close(CloseCode::PolicyViolation, "closed by an administrator"));
    }

    /// What the client went on by has ended.
    pub(super) fn dismiss(&mut self, id: u32) {
        let reason = "the token or the session has ended";
        self.end(id, End::Close(CloseCode::PolicyViolation, reason));
    }

    /// The client is gone.
    pub(super) fn lose(&mut self, id: u32) {
        self.end(id, End::Lost);
    }

    /// Says farewell, and leaves the client a moment to say the same.
    pub(super) fn end(&mut self, id: u32, end: End) {
        let Some(client) = self.clients.get_mut(id as usize) else { return };
        if client.ends_at.is_none() {
            tracing::debug!(client = client.number, peer = %client.peer, ?end, "client leaves");
            self.pipeline.hub.clients.left(end.code());
        }
        let close = match end {
            End::Lost => return self.remove(id),
            _ if client.ends_at.is_some() => return,
            End::Closed(code) => frame::close_reply(code),
            End::Close(code, reason) => frame::close(code, reason),
        };
        let ends_at = self.now + CLOSE_TIMEOUT_MS;
        client.ends_at = Some(ends_at);
        (client.unread, client.decoder) = (None, None);
        self.feeds.part(id, &close);
        self.arm(id, ends_at);
    }

    /// The client has had everything: now it may hang up.
    fn hang_up(&mut self, id: u32) {
        let client = &mut self.clients[id as usize];
        if client.flags.parted {
            return;
        }
        if client.flags.silent || client.transport.shutdown().is_err() {
            return self.remove(id);
        }
        client.flags.parted = true;
    }

    /// Looks how far behind those are that take nothing.
    fn survey(&mut self) {
        let stalled = self.clients.iter().filter(|(_, client)| client.flags.blocked);
        let laggards = stalled.fold(Laggards::default(), |all, (id, _)| {
            let lag = self.feeds.lag(id as u32);
            let (messages, bytes) = (all.messages.max(lag.messages), all.bytes.max(lag.bytes));
            Laggards { clients: all.clients + 1, messages, bytes }
        });
        self.vitals.stalled(self.index, laggards);
        if laggards.clients > 0 {
            self.tidy_at = Some(self.now + TIDY_MS);
        }
    }

    pub(super) fn remove(&mut self, id: u32) {
        if self.clients.contains(id as usize) {
            // Closing the socket takes it out of the poll.
            self.clients.remove(id as usize);
            self.feeds.leave(id);
            self.vitals.connected(self.index, -1);
        }
    }
}
