//! Shards over real sockets of every kind, with a hub and nothing else of the daemon.

mod pieces;
mod publish;
mod tls;

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::either::Either;

use super::{Arrival, Transport};
use crate::clock::Clock;
use crate::hub::{self, Client, Coding, Draft, Hub, Membership, Peer, Subject};
use crate::pipeline::{Envelope, Handle, Kept, Limits};
use crate::scheduler::Controls;
use crate::server::auth::Caller;
use crate::server::ws::reply::welcome;
use crate::server::{self, App, Past, WebSocketConfig};

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Clients that are served, and a hub to publish into.
struct Served {
    app: App,
    hub: Arc<Hub>,
}

impl Served {
    fn new() -> Self {
        Self::with(hub::Config::default(), WebSocketConfig::default())
    }

    fn with(config: hub::Config, websocket: WebSocketConfig) -> Self {
        Self::start(config, websocket).0
    }

    /// Besides, what is said to the pipeline.
    fn start(config: hub::Config, websocket: WebSocketConfig) -> (Self, mpsc::Receiver<Envelope>) {
        let hub = Arc::new(Hub::new("e".to_owned(), &config));
        let (limits, kept) = (Limits::default(), Kept::default());
        let (handle, inputs) = Handle::new(&limits, kept, 1, hub.clone(), Clock::start());
        let (requests, _) = server::reload_requests();
        let (http, query) = (server::Config::default(), crate::query::Config::default());
        let app = App::new(
            handle,
            Controls::default(),
            requests,
            Past::default(),
            http,
            websocket,
            query,
        );
        (Self { app: app.expect("threads"), hub }, inputs)
    }

    /// Publishes the update of a task, of so many bytes.
    fn publish(&self, bytes: usize) -> u64 {
        let data = format!("\"{}\"", "x".repeat(bytes));
        let draft = Draft { subject: Subject::TaskUpdate("t".into()), data };
        let messages = self.hub.number(vec![draft], self.app.pipeline.clock.now());
        let seq = messages[0].seq;
        self.hub.publish(messages);
        seq
    }

    /// Has a connection served that is upgraded already.
    async fn serve(&self, transport: Transport, early: &[u8]) {
        let permit = self.app.admit(Peer::Local, &self.app.config()).expect("a place");
        let coding = Coding::default();
        let arrival = Arrival {
            transport,
            early: early.to_vec(),
            membership: Membership::begin(&self.hub, coding),
            permit: Arc::new(permit),
            peer: Peer::Local,
            rights: Caller::anybody().rights().expect("everything"),
            grant: 0,
            connected_at: self.app.pipeline.clock.now().wall,
            coding,
            welcome: welcome(&self.app.pipeline, None, coding).await,
        };
        self.app.shards.admit(arrival).await;
    }

    /// Waits until it is so with the clients that are connected.
    async fn until(&self, what: &str, is_so: impl Fn(&[Client]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(&self.app.shards.list().await) {
            assert!(Instant::now() < deadline, "not {what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // The clients hold the daemon's parts, which hold the threads.
        self.app.cut();
    }
}

/// Both ends of a connection, the server's first.
fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let client = TcpStream::connect(address).expect("a connection");
    let (server, _) = listener.accept().expect("a connection");
    client.set_read_timeout(Some(PATIENCE)).expect("a limit");
    (server, client)
}

fn stream(stream: TcpStream) -> tokio::net::TcpStream {
    stream.set_nonblocking(true).expect("not to wait");
    tokio::net::TcpStream::from_std(stream).expect("a socket")
}

fn plain(socket: TcpStream) -> Transport {
    Transport::new(Either::Left(Either::Left(stream(socket)))).expect("a socket")
}

/// Reads whole frames out of bytes that come in any pieces.
#[derive(Default)]
struct Frames(Vec<u8>);

impl Frames {
    /// The next frame: its first byte and its payload.
    fn next(&mut self, mut read: impl FnMut(&mut [u8]) -> usize, piece: usize) -> (u8, Vec<u8>) {
        loop {
            if let Some((first, head, length)) = self.head()
                && self.0.len() >= head + length
            {
                let payload = self.0[head..head + length].to_vec();
                self.0.drain(..head + length);
                return (first, payload);
            }
            let mut buffer = vec![0; piece];
            let count = read(&mut buffer);
            assert!(count > 0, "the connection has ended");
            self.0.extend_from_slice(&buffer[..count]);
        }
    }

    fn head(&self) -> Option<(u8, usize, usize)> {
        let bytes = &self.0;
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let extended = |count: usize| {
            let length = bytes.get(2..2 + count)?;
            Some(length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        };
        match second {
            126 => Some((first, 4, extended(2)?)),
            127 => Some((first, 10, extended(8)?)),
            length => Some((first, 2, usize::from(length))),
        }
    }
}

/// A masked frame of at most 125 bytes.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [7, 0, 9, 1];
    let bytes = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
    [first, 0x80 | payload.len() as u8].into_iter().chain(key).chain(bytes).collect()
}

fn json((first, payload): (u8, Vec<u8>)) -> Value {
    assert_eq!(first, 0x81, "a text");
    serde_json::from_slice(&payload).expect("JSON")
}
