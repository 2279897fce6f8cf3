//! One client's connection: what it says is answered, and what is due to it is sent.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::time::{sleep_until, timeout};

use super::frame::{self, Opcode};
use super::inbound::Inbound;
use super::outgoing::Outgoing;
use super::rate::TokenBucket;
use super::{CloseCode, Decoder, Event, Violation};
use crate::api::{self, GapData, Pong, Reply, Subscribed};
use crate::hub::{Client, Cursor, Filter, Gap, Peer};
use crate::server::socket::{self, ReadHalf, Stream, WriteHalf};
use crate::server::{App, WebSocketConfig};

/// Enough for any ordinary message in one read, and on the task's stack frame no burden.
const READ_BYTES: usize = 2048;
/// After our close frame, the client has this long for its own (RFC 6455 section 7.1.1).
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// One client's connection.
pub(super) struct Session {
    app: App,
    config: WebSocketConfig,
    client: Arc<Client>,
    filter: Filter,
    cursor: Cursor,
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
    pub(super) async fn run(stream: Stream, early: Vec<u8>, app: App, peer: Peer) {
        let (mut reader, writer) = socket::split(stream);
        let hub = app.pipeline.hub.clone();
        let membership = hub.clients.join(peer, hub.position().1, app.pipeline.clock.now());
        let mut session = Self::begin(app, membership.client.clone(), writer);
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

    /// The first thing a client gets is the state of the whole, and then what comes after it.
    fn begin(app: App, client: Arc<Client>, writer: WriteHalf) -> Self {
        let (config, now) = (app.websocket(), Instant::now());
        let hub = &app.pipeline.hub;
        let (initial, cursor) = app.pipeline.read_and_follow(|state, now| {
            let (epoch, seq) = hub.position();
            Reply::InitialState(Box::new(state.initial_state(&epoch, seq, now))).encode(now)
        });
        let mut session = Self {
            client,
            filter: Filter::default(),
            cursor,
            outgoing: Outgoing::new(writer),
            rate: TokenBucket::new(config.max_message_rate * 2, Duration::from_secs(2), now),
            errors: TokenBucket::new(config.max_errors_per_minute, Duration::from_secs(60), now),
            heard: now,
            pinged: None,
            app,
            config,
        };
        session.outgoing.push(Opcode::Text, initial.as_bytes());
        session
    }

    async fn serve(&mut self, reader: &mut ReadHalf, early: Vec<u8>) -> Result<Infallible, End> {
        let mut decoder = Decoder::new(*self.config.max_message_size as usize);
        let mut changed = self.app.pipeline.hub.changed();
        let app = self.app.clone();
        self.receive(&mut decoder, &early).await?;
        drop(early);
        loop {
            // Before the look at the log: what is published after it wakes us.
            changed.mark_unchanged();
            self.gather();
            let mut buffer = [0; READ_BYTES];
            if !self.outgoing.is_empty() {
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
    fn gather(&mut self) -> bool {
        let hub = self.app.pipeline.hub.clone();
        let due = self.cursor.take(&hub, &self.filter);
        self.client.position.store(self.cursor.position(), Ordering::Relaxed);
        hub.clients.conflated.fetch_add(due.conflated, Ordering::Relaxed);
        if let Some(Gap { from, to }) = due.gap {
            hub.clients.gaps.fetch_add(1, Ordering::Relaxed);
            self.reply(&Reply::Gap(GapData { from, to, reason: "retention" }));
        }
        for text in &due.messages {
            self.outgoing.push(Opcode::Text, text);
        }
        due.complete
    }

    fn reply(&mut self, reply: &Reply) {
        let text = reply.encode(self.app.pipeline.clock.now());
        self.outgoing.push(Opcode::Text, text.as_bytes());
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
                Event::Text(text) => self.act(&text).await?,
                Event::Binary(_) => {
                    return Err(End::Close(CloseCode::UnsupportedData, "only text is understood"));
                }
                Event::Ping(payload) => self.outgoing.push(Opcode::Pong, &payload),
                Event::Pong(_) => {}
                Event::Close { code, .. } => return Err(End::Closed(code)),
            }
        }
        Ok(())
    }

    async fn act(&mut self, text: &str) -> Step {
        match Inbound::parse(text) {
            Ok(Inbound::Ping) => {
                let client_id = self.client.id.clone();
                self.reply(&Reply::Pong(Pong { client_id }));
            }
            Ok(Inbound::Subscribe(filter)) => {
                let applied = api::Filter::from(filter.clone());
                self.set_filter(filter).await?;
                self.reply(&Reply::Subscribed(Subscribed { filter: applied }));
            }
            Ok(Inbound::Unsubscribe) => {
                self.set_filter(Filter::nothing()).await?;
                self.reply(&Reply::Unsubscribed {});
            }
            Err(error) => {
                self.reply(&Reply::Error(error));
                if !self.errors.take(Instant::now()) {
                    let reason = "too many invalid messages";
                    return Err(End::Close(CloseCode::PolicyViolation, reason));
                }
            }
        }
        Ok(())
    }

    /// What was published until now is still owed by the filter that was in force.
    async fn set_filter(&mut self, filter: Filter) -> Step {
        while !self.gather() {
            self.flush().await?;
        }
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
        self.outgoing.push(Opcode::Ping, &[]);
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
        self.outgoing.push_frame(&close);
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
