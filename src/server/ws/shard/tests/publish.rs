//! Messages to groups, with a disk that takes its time: each is answered when it is stored, one after
//! the other, and nobody else waits.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Frames, PATIENCE, Served, json, masked, plain, tcp};
use crate::hub;
use crate::pipeline::{self, Step};
use crate::server::WebSocketConfig;

/// A disk that stores when it is told to.
struct Disk {
    steps: mpsc::Receiver<Step>,
    handle: pipeline::Handle,
}

impl Disk {
    fn new(websocket: WebSocketConfig) -> (Served, Self) {
        let (served, inputs) = Served::start(hub::Config::default(), websocket);
        let handle = served.app.pipeline.clone();
        let (sender, steps) = mpsc::channel(9);
        tokio::spawn(pipeline::run(handle.clone(), inputs, sender));
        (served, Self { steps, handle })
    }

    /// The next step, which is not stored yet.
    async fn next(&mut self) -> Step {
        let step = timeout(PATIENCE, self.steps.recv()).await;
        step.expect("a step in time").expect("a step")
    }

    /// Has it stored; returns the numbers of its messages.
    fn store(&self, mut step: Step) -> Vec<u64> {
        let messages = std::mem::take(&mut step.messages);
        let seqs = messages.iter().map(|message| message.seq).collect();
        self.handle.hub.publish(messages);
        self.handle.settle(step.number);
        step.answer(true);
        seqs
    }
}

/// A client's end of a connection.
struct Talker {
    socket: TcpStream,
    frames: Frames,
}

impl Talker {
    async fn new(served: &Served) -> Self {
        let (server, socket) = tcp();
        served.serve(plain(server), &[]).await;
        let mut talker = Self { socket, frames: Frames::default() };
        assert_eq!(talker.next()["type"], "initial_state");
        talker
    }

    fn say(&mut self, texts: &[&str]) {
        let frames: Vec<u8> = texts.iter().flat_map(|text| masked(0x81, text.as_bytes())).collect();
        self.socket.write_all(&frames).expect("sent");
    }

    fn frame(&mut self) -> (u8, Vec<u8>) {
        self.frames.next(|buffer| self.socket.read(buffer).expect("bytes"), 4096)
    }

    fn next(&mut self) -> Value {
        json(self.frame())
    }

    fn has_nothing(&self) {
        self.socket.set_nonblocking(true).expect("not to wait");
        let read = (&self.socket).read(&mut [0; 9]).map_err(|error| error.kind());
        assert_eq!(read, Err(io::ErrorKind::WouldBlock));
        self.socket.set_nonblocking(false).expect("to wait");
    }
}

const PING: &str = r#"{"type":"ping"}"#;
const SAY: &str = r#"{"type":"publish","group":"g","data":1}"#;

#[tokio::test(flavor = "multi_thread")]
async fn one_after_the_other_and_nobody_else_waits() {
    let (shards, max_publishing) = (1, 1);
    let config = WebSocketConfig { shards, max_publishing, ..WebSocketConfig::default() };
    let (served, mut disk) = Disk::new(config);
    let (mut one, mut other) = (Talker::new(&served).await, Talker::new(&served).await);
    one.say(&[SAY, SAY, PING]);
    let step = disk.next().await;
    other.say(&[PING, SAY, PING]);
    assert_eq!(other.next()["type"], "pong");
    assert_eq!(other.next()["data"]["code"], "busy");
    assert_eq!(other.next()["type"], "pong");
    one.has_nothing();
    assert!(disk.steps.try_recv().is_err(), "one at a time");
    for step in [Some(step), None] {
        let step = match step {
            Some(step) => step,
            None => disk.next().await,
        };
        let seqs = disk.store(step);
        let published = one.next();
        assert_eq!(
            (&published["type"], &published["data"]["seq"]),
            (&"published".into(), &seqs[0].into())
        );
    }
    assert_eq!(one.next()["type"], "pong");
    other.say(&[SAY]);
    let step = disk.next().await;
    disk.store(step);
    assert_eq!(other.next()["type"], "published");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_an_answer_has_it_before_the_end() {
    let (served, mut disk) = Disk::new(WebSocketConfig { shards: 1, ..WebSocketConfig::default() });
    let mut client = Talker::new(&served).await;
    client.say(&[SAY]);
    let step = disk.next().await;
    let app = served.app.clone();
    let closing = tokio::spawn(async move { app.close().await });
    // The first answer comes while it is told to close, the second when everybody has had a turn.
    while !served.app.shards.is_closing() {
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        assert_eq!(served.app.shards.list().await.len(), 1);
    }
    client.has_nothing();
    disk.store(step);
    assert_eq!(client.next()["type"], "published");
    let (first, payload) = client.frame();
    assert_eq!((first, &payload[..2]), (0x88, &1001u16.to_be_bytes()[..]));
    drop(client);
    timeout(PATIENCE, closing).await.expect("an end in time").expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_gone_is_not_mistaken_for_who_came_after() {
    let (served, mut disk) = Disk::new(WebSocketConfig { shards: 1, ..WebSocketConfig::default() });
    let mut gone = Talker::new(&served).await;
    gone.say(&[SAY]);
    let step = disk.next().await;
    served.app.shards.send_away(1).await;
    while gone.frame().0 != 0x88 {}
    drop(gone);
    served.until("gone", <[_]>::is_empty).await;
    // Who comes is shown what is stored.
    disk.handle.settle(step.number);
    let mut next = Talker::new(&served).await;
    disk.store(step);
    next.say(&[PING]);
    assert_eq!(next.next()["type"], "pong");
    served.until("one", |clients| clients.len() == 1).await;
    next.has_nothing();
}
