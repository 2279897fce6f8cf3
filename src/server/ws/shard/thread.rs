//! The thread of a shard: waits for its sockets and for the hub, and gives everybody a turn.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Poll, Token};
use slab::Slab;
use tokio::runtime;

use super::client::{Arrival, Client};
use super::flush::Flush;
use super::inbox::{Inbox, Letter};
use super::timers::Timers;
use super::vitals::Vitals;
use crate::hub::{Feeds, Progress};
use crate::pipeline::Handle;
use crate::server::WebSocketConfig;
use crate::server::auth::AuditLog;
use crate::server::counts::Counts;
use crate::server::history::History;

/// The inbox, among the sockets.
pub(super) const WAKER: Token = Token(usize::MAX);
/// Events of sockets that are taken at once.
const EVENTS: usize = 1_024;
/// In a pass, clients between two looks at the bell, and at the sockets.
const BETWEEN_BELLS: usize = 64;
const BETWEEN_POLLS: usize = 1_000;
/// Turns of clients that go by themselves, between two looks at the sockets.
const TURNS: usize = 256;
/// Read at once of one client.
const READ_BYTES: usize = 16 << 10;
/// How often what nobody needs any more is looked for, while there may be something.
pub(super) const TIDY_MS: u64 = 1_000;

/// A shard: the sockets of its clients, and what is due to them.
pub(super) struct Shard {
    pub(super) index: usize,
    pub(super) poll: Poll,
    pub(super) inbox: Arc<Inbox>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) counts: Arc<Counts>,
    pub(super) audit: Arc<AuditLog>,
    pub(super) pipeline: Handle,
    pub(super) history: Arc<History>,
    pub(super) runtime: runtime::Handle,
    pub(super) config: WebSocketConfig,
    pub(super) clients: Slab<Client>,
    pub(super) feeds: Feeds,
    pub(super) timers: Timers,
    pub(super) flush: Flush,
    /// Clients that may have more to say.
    pub(super) talkers: Vec<u32>,
    pub(super) buffer: Vec<u8>,
    pub(super) began: Instant,
    /// Milliseconds since then.
    pub(super) now: u64,
    /// When to tidy up, if there may be something to tidy.
    pub(super) tidy_at: Option<u64>,
}

impl Shard {
    pub(super) fn new(
        index: usize,
        (poll, inbox): (Poll, Arc<Inbox>),
        (vitals, counts, audit): (Arc<Vitals>, Arc<Counts>, Arc<AuditLog>),
        (pipeline, history): (Handle, Arc<History>),
        runtime: runtime::Handle,
        config: WebSocketConfig,
    ) -> Self {
        let hub = pipeline.hub.clone();
        let voice = crate::server::ws::reply::voice(pipeline.clone());
        Self {
            index,
            poll,
            inbox,
            vitals,
            counts,
            audit,
            pipeline,
            history,
            runtime,
            feeds: Feeds::new(hub, voice, config.slow_client),
            config,
            clients: Slab::new(),
            timers: Timers::default(),
            flush: Flush::default(),
            talkers: Vec::new(),
            buffer: vec![0; READ_BYTES],
            began: Instant::now(),
            now: 0,
            tidy_at: None,
        }
    }

    /// Serves until it is cut.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        while !self.inbox.is_cut() {
            let pause = self.pause();
            if let Err(error) = self.poll.poll(&mut events, pause)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "cannot wait for the sockets of clients");
                break;
            }
            self.inbox.rise();
            self.tick();
            for event in events.iter().filter(|event| event.token() != WAKER) {
                self.notice(event);
            }
            self.look_up();
            self.give_turns();
            self.pass();
            self.look_after();
        }
        self.inbox.end();
        let ids: Vec<usize> = self.clients.iter().map(|(client, _)| client).collect();
        ids.into_iter().for_each(|client| self.remove(client as u32));
        self.report();
    }

    /// How long there is nothing to do but wait.
    fn pause(&mut self) -> Option<Duration> {
        let is_busy = self.feeds.has_due() || self.feeds.is_passing() || !self.talkers.is_empty();
        if is_busy || !self.inbox.doze() {
            return Some(Duration::ZERO);
        }
        let flush_at = self.feeds.is_due().then(|| self.flush_at());
        let next = [self.timers.first(), flush_at, self.tidy_at].into_iter().flatten().min()?;
        Some(Duration::from_millis(next.saturating_sub(self.now)))
    }

    /// When the next pass may begin: at once if something has come that is not to wait, whoever was
    /// the first to see it.
    fn flush_at(&mut self) -> u64 {
        if self.feeds.take_urgent() {
            self.flush.hurry(self.now);
        }
        self.flush.at()
    }

    pub(super) fn tick(&mut self) {
        self.now = self.began.elapsed().as_millis() as u64;
    }

    /// Something has changed with a socket.
    fn notice(&mut self, event: &Event) {
        let id = event.token().0;
        let Some(client) = self.clients.get_mut(id) else { return };
        let is_over = event.is_error() || event.is_read_closed() || event.is_write_closed();
        if (event.is_writable() || is_over) && client.flags.blocked && client.unblock(self.now) {
            self.feeds.wake(id as u32);
        }
        if self.clients[id].flags.failed {
            return self.lose(id as u32);
        }
        if event.is_readable() || is_over {
            self.clients[id].flags.readable = true;
            self.receive(id as u32);
        }
    }

    /// Looks at what others want, and at what was published.
    fn look_up(&mut self) {
        if !self.inbox.hear() {
            return;
        }
        self.feeds.pull();
        if let Some(config) = self.inbox.take_config() {
            self.configure(config);
        }
        while let Some(letter) = self.inbox.take() {
            self.read(letter);
        }
        if self.inbox.is_closing() {
            self.close();
        }
    }

    fn read(&mut self, letter: Letter) {
        match letter {
            Letter::Arrival(arrival) => self.admit(*arrival),
            Letter::Answer { client, number, answer } => {
                if self.feeds.number(client) == Some(number) {
                    self.feeds.answer(client, answer);
                }
            }
            Letter::Published { client, number, said } => {
                if self.feeds.number(client) == Some(number) {
                    self.published(client, said);
                }
            }
            // Who asked may have gone.
            Letter::List(reply) => {
                let clients = self.clients.iter().filter_map(|(id, client)| {
                    self.feeds.client(id as u32, client.peer, client.connected_at)
                });
                let _ = reply.send(clients.collect());
            }
            Letter::End(number, reply) => {
                let found = self.clients.iter().find(|(_, client)| client.number == number);
                let found = found.map(|(id, _)| id as u32);
                if let Some(client) = found {
                    self.send_away(client);
                }
                let _ = reply.send(found.is_some());
            }
            Letter::Dismiss(ended) => {
                let is_over = |(_, client): &(usize, &Client)| ended.contains(&client.grant);
                let over: Vec<usize> =
                    self.clients.iter().filter(is_over).map(|(id, _)| id).collect();
                over.into_iter().for_each(|id| self.dismiss(id as u32));
            }
            Letter::Probe(reply) => {
                let _ = reply.send(());
            }
        }
    }

    fn admit(&mut self, arrival: Arrival) {
        let entry = self.clients.vacant_entry();
        let id = entry.key() as u32;
        let (mut client, membership, coding, welcome, early) = Client::new(arrival, self.now);
        let token = Token(id as usize);
        if let Err(error) = client.transport.register(self.poll.registry(), token) {
            self.pipeline.hub.clients.left(1006);
            return tracing::warn!(%error, "cannot wait for the socket of a client");
        }
        tracing::debug!(client = client.number, peer = %client.peer, "client connected");
        client.unread = (!early.is_empty()).then(|| early.into());
        entry.insert(client);
        self.vitals.connected(self.index, 1);
        self.feeds.join(id, membership, coding, welcome);
        self.arm(id, self.now + self.config.ping_interval.as_millis() as u64);
        self.talkers.push(id);
    }

    fn configure(&mut self, config: WebSocketConfig) {
        (self.feeds.policy, self.config) = (config.slow_client, config);
        // Their times may have become shorter.
        let ids: Vec<usize> = self.clients.iter().map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.arm(id as u32, self.now));
    }

    /// Everybody goes once they have what was published.
    fn close(&mut self) {
        let ids: Vec<usize> = self.clients.iter().map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.feeds.wake(id as u32));
    }

    /// Gives turns to those who go by themselves, and hears those who may have more to say.
    fn give_turns(&mut self) {
        for client in std::mem::take(&mut self.talkers) {
            self.receive(client);
        }
        for _ in 0..TURNS {
            let Some(client) = self.feeds.next_due() else { return };
            let Some(socket) = self.clients.get_mut(client as usize) else { continue };
            let progress = self.feeds.advance(client, |bytes| socket.write(bytes, self.now));
            self.settle(client, progress);
        }
    }

    /// Gives everybody what has come to their class, as many as may be before the sockets are looked at.
    fn pass(&mut self) {
        if !self.feeds.is_passing() {
            if !self.feeds.is_due() || self.now < self.flush_at() {
                return;
            }
            self.feeds.begin_pass();
            self.flush.begin();
            self.tidy_at.get_or_insert(self.now + TIDY_MS);
        }
        for count in 1..=BETWEEN_POLLS {
            if count % BETWEEN_BELLS == 0 && self.inbox.is_rung() {
                self.tick();
                self.look_up();
            }
            let Some(id) = self.feeds.next_of_pass() else {
                self.tick();
                self.flush.end(self.now);
                return self.report();
            };
            let client = &mut self.clients[id as usize];
            let (progress, written) = self.feeds.deliver(id, |bytes| client.write(bytes, self.now));
            if let Some(written) = written.filter(|written| written.bytes > 0) {
                self.vitals.wrote(&written.counts);
            }
            match progress {
                Progress::Live if !self.inbox.is_closing() => {}
                progress => self.settle(id, progress),
            }
        }
    }

    pub(super) fn report(&mut self) {
        self.vitals.sent(&self.feeds.take_sent());
    }
}
