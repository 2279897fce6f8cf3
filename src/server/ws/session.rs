//! One client's connection: what it says is answered, and what is due to it is sent.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::time::{sleep_until, timeout};

use super::backfill::{Backfill, Given, Send};
use super::frame;
use super::inbound::{Inbound, fault};
use super::outgoing::Outgoing;
use super::rate::TokenBucket;
use super::{CloseCode, Decoder, Event, Violation};
use crate::api::{self, ErrorCode, ErrorData, Pong, Reply, Subscribed};
use crate::hub::{self, Client, Coding, Cursor, Filter, Message, Peer, Place};
use crate::server::socket::{self, ReadHalf, Stream, WriteHalf};
use crate::server::{App, WebSocketConfig, history};

/// Enough for any ordinary message in one read, and on the task's stack frame no burden.
const READ_BYTES: usize = 2048;
/// After our close frame, the client has this long for its own (RFC 6455 section 7.1.1).
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Runs of the stream, each with the filter that was in force, that are remembered so that nothing is
/// sent twice to who resumes.
const GIVEN_MAX: usize = 16;

/// What a client asks for with its handshake: where it wants to go on, if it says so in words that
/// can be understood.
pub(super) type Since = Option<Result<Place, ErrorData>>;

/// One client's connection.
pub(super) struct Session {
    app: App,
    config: WebSocketConfig,
    client: Arc<Client>,
    filter: Filter,
    cursor: Cursor,
    /// The name of the number line that the client knows.
    epoch: Arc<str>,
    /// The number of the first message that was due by `filter`.
    filter_from: u64,
    /// What was due by the filters before it; `None` if they were too many to remember.
    given: Option<Vec<Given>>,
    /// What comes before all that is in the log.
    backfill: Option<Backfill>,
    outgoing: Outgoing,
    rate: TokenBucket,
    errors: TokenBucket,
    heard: Instant,
    pinged: Option<Instant>,
}

/// How a session ends.
#[derive(Debug)]
enum End {
    /// The client is gone, or was never alive.
    Lost,
    /// The client closed; its code is to be returned.
    Closed(Option<u16>),
    /// We close.
    Close(CloseCode, &'static str),
}

type Step = Result<(), End>;

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

impl Session {
    /// Serves a client from the handshake to its end. `early` is what it sent with its handshake.
    pub(super) async fn run(
        stream: Stream,
        early: Vec<u8>,
        app: App,
        peer: Peer,
        coding: Coding,
        since: Since,
    ) {
        let (mut reader, writer) = socket::split(stream);
        let (hub, now) = (app.pipeline.hub.clone(), app.pipeline.clock.now());
        let membership = hub.clients.join(peer, coding, hub.position().1, now);
        let mut session = Self::begin(app, membership.client.clone(), writer, since).await;
        let client_id = &*membership.client.id;
        tracing::debug!(client_id, %peer, "client connected");
        let end = match session.serve(&mut reader, early).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        tracing::debug!(client_id, %peer, ?end, "client leaves");
        hub.clients.left(end.code());
        // Whoever does not take the farewell in time is gone already.
        let _ = timeout(CLOSE_TIMEOUT, session.part(end, &mut reader)).await;
    }

    /// The first thing a client gets is the state of the whole, and then what comes after it; one
    /// that comes back gets first what it has missed.
    async fn begin(app: App, client: Arc<Client>, writer: WriteHalf, since: Since) -> Self {
        let (config, now) = (app.websocket(), Instant::now());
        let (initial, cursor) = match &since {
            Some(Ok(_)) => (None, app.pipeline.hub.cursor_at_head()),
            None | Some(Err(_)) => {
                let (initial, cursor, step) = app.pipeline.read_and_follow(|state, now| {
                    let line = app.pipeline.hub.line();
                    let initial = state.initial_state(&line.epoch, line.last, now);
                    Reply::InitialState(Box::new(initial)).encode(now)
                });
                // What it is shown is not to be taken back by a crash.
                app.pipeline.until_settled(step).await;
                (Some(initial), cursor)
            }
        };
        let mut session = Self {
            client,
            filter: Filter::default(),
            cursor,
            epoch: app.pipeline.hub.position().0,
            filter_from: cursor.position() + 1,
            given: Some(Vec::new()),
            backfill: None,
            outgoing: Outgoing::new(writer),
            rate: TokenBucket::new(config.max_message_rate * 2, Duration::from_secs(2), now),
            errors: TokenBucket::new(config.max_errors_per_minute, Duration::from_secs(60), now),
            heard: now,
            pinged: None,
            app,
            config,
        };
        match since {
            Some(Ok(place)) => {
                session.resume(&place, Vec::new());
                session.remember_resumed();
            }
            Some(Err(error)) => session.reply(&Reply::Error(error)),
            None => {}
        }
        if let Some(initial) = initial {
            session.push_reply(&initial);
        }
        session
    }

    /// Has the client sent what it has missed since `place`, up to where its cursor is.
    fn resume(&mut self, place: &Place, given: Vec<Given>) {
        let (epoch, _) = self.app.pipeline.hub.position();
        let to = self.cursor.position();
        let start = history::Start::after(place, &epoch, to);
        let filter = self.filter.clone();
        self.epoch = epoch;
        self.backfill = Some(Backfill::of_resumed(place.seq, start, to, filter, given));
    }

    /// The state of the whole, for a client that goes on from where its cursor is. It may show what
    /// comes after that.
    async fn present(&mut self) {
        let (epoch, seq) = (self.app.pipeline.hub.position().0, self.cursor.position());
        let initial = self.app.pipeline.read_settled(|state, now| {
            Reply::InitialState(Box::new(state.initial_state(&epoch, seq, now))).encode(now)
        });
        let initial = initial.await;
        self.epoch = epoch;
        self.push_reply(&initial);
    }

    async fn serve(&mut self, reader: &mut ReadHalf, early: Vec<u8>) -> Result<Infallible, End> {
        let decoder = Decoder::new(*self.config.max_message_size as usize);
        let mut decoder = decoder.with_deflate(self.client.coding.deflate);
        let mut changed = self.app.pipeline.hub.changed();
        let app = self.app.clone();
        self.receive(&mut decoder, &early).await?;
        drop(early);
        loop {
            // Before the look at the log: what is published after it wakes us.
            changed.mark_unchanged();
            let is_all = self.gather().await;
            let mut buffer = [0; READ_BYTES];
            if !self.outgoing.is_empty() || !is_all {
                self.flush().await?;
                // A client that is far behind is heard all the same.
                match socket::try_read(reader, &mut buffer) {
                    Ok(0) => return Err(End::Lost),
                    Ok(count) => self.receive(&mut decoder, &buffer[..count]).await?,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return Err(End::Lost),
                }
                continue;
            }
            tokio::select! {
                read = reader.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => return Err(End::Lost),
                    Ok(count) => self.receive(&mut decoder, &buffer[..count]).await?,
                },
                _ = changed.changed() => {}
                () = app.closed() => {
                    return Err(End::Close(CloseCode::GoingAway, "the daemon is stopping"));
                }
                () = sleep_until(self.patience().into()) => self.check_alive()?,
            }
        }
    }

    /// Moves what is due from the log to what is to be written; says whether that was all.
    async fn gather(&mut self) -> bool {
        if let Some(backfill) = self.backfill.take() {
            self.fill(backfill).await;
            return false;
        }
        let hub = self.app.pipeline.hub.clone();
        let due = self.cursor.take(&hub, &self.filter);
        self.client.position.store(self.cursor.position(), Ordering::Relaxed);
        hub.clients.conflated.fetch_add(due.conflated, Ordering::Relaxed);
        due.messages.iter().for_each(|message| self.push(message));
        self.backfill = due.older.map(|older| Backfill::of_slow(older, self.filter.clone()));
        if due.complete && due.epoch != self.epoch {
            // The line has got another name, and the client is to know it.
            self.present().await;
        }
        due.complete
    }

    async fn fill(&mut self, mut backfill: Backfill) {
        let (sends, is_last) = backfill.take(&self.app).await;
        for send in sends {
            match send {
                Send::Message(message) => self.push(&message),
                Send::Reply(reply) => {
                    let is_gap = matches!(reply, Reply::Gap(_));
                    let gaps = &self.app.pipeline.hub.clients.gaps;
                    gaps.fetch_add(u64::from(is_gap), Ordering::Relaxed);
                    self.reply(&reply);
                }
            }
        }
        match (is_last, backfill.is_resume()) {
            (false, _) => self.backfill = Some(backfill),
            (true, true) => self.present().await,
            (true, false) => {}
        }
    }

    fn reply(&mut self, reply: &Reply) {
        let text = reply.encode(self.app.pipeline.clock.now());
        self.push_reply(&text);
    }

    fn push(&mut self, message: &Message) {
        let deflater = &self.app.pipeline.hub.deflater;
        self.outgoing.push(&message.frame(self.client.coding, deflater));
    }

    fn push_reply(&mut self, json: &str) {
        let deflater = &self.app.pipeline.hub.deflater;
        self.outgoing.push(&hub::finish(json.as_bytes(), self.client.coding, deflater));
    }

    async fn flush(&mut self) -> Step {
        let sent = self.outgoing.flush(*self.config.write_timeout).await.map_err(|_| End::Lost)?;
        self.app.pipeline.hub.clients.sent(&self.client, sent.messages, sent.bytes);
        Ok(())
    }

    /// Takes bytes of the client, and does what its messages ask.
    async fn receive(&mut self, decoder: &mut Decoder, mut bytes: &[u8]) -> Step {
        (self.heard, self.pinged) = (Instant::now(), None);
        while let Some(event) = decoder.decode(&mut bytes)? {
            if !self.rate.take(self.heard) {
                return Err(End::Close(CloseCode::PolicyViolation, "too many messages"));
            }
            match event {
                Event::Text(_) | Event::Binary(_) => {
                    let said = Inbound::read(event, self.client.coding.encoding)?;
                    self.act(said).await?;
                }
                Event::Ping(payload) => self.outgoing.push_control(&frame::pong(&payload)),
                Event::Pong(_) => {}
                Event::Close { code, .. } => return Err(End::Closed(code)),
            }
        }
        Ok(())
    }

    async fn act(&mut self, said: Result<Inbound, ErrorData>) -> Step {
        match said {
            Ok(Inbound::Ping) => {
                let client_id = self.client.id.clone();
                self.reply(&Reply::Pong(Pong { client_id }));
            }
            Ok(Inbound::Subscribe(filter, since)) => {
                let since = match (since, self.given.is_some()) {
                    (Some(_), false) => {
                        let text = "since: too many filters were in force on this connection to know what it was sent; resume on a new one";
                        return self.refuse(fault(ErrorCode::InvalidSince, text));
                    }
                    (since, _) => since,
                };
                let applied = api::Filter::from(filter.clone());
                self.set_filter(filter).await?;
                self.reply(&Reply::Subscribed(Subscribed { filter: applied }));
                if let Some(place) = since {
                    let given = self.given.clone().unwrap_or_default();
                    self.resume(&place, given);
                    self.remember_resumed();
                }
            }
            Ok(Inbound::Unsubscribe) => {
                self.set_filter(Filter::nothing()).await?;
                self.reply(&Reply::Unsubscribed {});
            }
            Err(error) => self.refuse(error)?,
        }
        Ok(())
    }

    fn refuse(&mut self, error: ErrorData) -> Step {
        self.reply(&Reply::Error(error));
        if self.errors.take(Instant::now()) {
            return Ok(());
        }
        Err(End::Close(CloseCode::PolicyViolation, "too many invalid messages"))
    }

    /// What is being sent again is not to be sent a third time.
    fn remember_resumed(&mut self) {
        if let (Some(given), Some(backfill)) = (&mut self.given, &self.backfill) {
            given.push(backfill.run());
        }
    }

    /// What was published until now is still owed by the filter that was in force.
    async fn set_filter(&mut self, filter: Filter) -> Step {
        while !self.gather().await {
            self.flush().await?;
        }
        let (from, to) = (self.filter_from, self.cursor.position());
        if let Some(given) = &mut self.given {
            given.push(Given { from, to, filter: self.filter.clone() });
            if given.len() > GIVEN_MAX {
                self.given = None;
            }
        }
        self.filter_from = to + 1;
        self.app.pipeline.hub.clients.set_filter(&self.client, filter.clone());
        self.filter = filter;
        Ok(())
    }

    /// Until when the client may be silent before something is done about it.
    fn patience(&self) -> Instant {
        match self.pinged {
            Some(at) => at + *self.config.pong_timeout,
            None => self.heard + *self.config.ping_interval,
        }
    }

    fn check_alive(&mut self) -> Step {
        if self.pinged.is_some() {
            return Err(End::Lost);
        }
        self.pinged = Some(Instant::now());
        self.outgoing.push_control(&frame::ping(&[]));
        Ok(())
    }

    /// Says farewell: our close frame, then the wait for the client's, so that TCP does not throw
    /// away what is still on its way (RFC 6455 section 7.1.1).
    async fn part(&mut self, end: End, reader: &mut ReadHalf) {
        let close = match end {
            End::Lost => return,
            End::Closed(code) => frame::close_reply(code),
            End::Close(code, reason) => frame::close(code, reason),
        };
        self.outgoing.push_control(&close);
        if self.flush().await.is_err() || self.outgoing.shutdown().await.is_err() {
            return;
        }
        let mut buffer = [0; READ_BYTES];
        while reader.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    }
}

impl From<Violation> for End {
    fn from(violation: Violation) -> Self {
        End::Close(violation.code, violation.reason)
    }
}
