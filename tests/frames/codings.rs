//! JSON and MessagePack, compressed and not: what is agreed on, and that all clients are told the same.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use serde_json::{Value, json};

use crate::support::{Daemon, Raw};
use crate::{BINARY, CONTINUATION, FIN, PING, PONG, TEXT, quiet};

/// RSV1.
const COMPRESSED: u8 = 0x40;

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
const MSGPACK: &str = "Sec-WebSocket-Protocol: gz-monitor.v1.msgpack, gz-monitor.v1.json\r\n";
const AGREED: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";

/// A client, and what it has agreed on.
struct Client {
    raw: Raw,
    opcode: u8,
    deflate: bool,
}

/// Connects with these headers; the answer must have agreed on all of them.
async fn connect(daemon: &Daemon, headers: &str) -> Client {
    let (raw, head) = daemon.raw_with(headers).await;
    let (is_msgpack, deflate) = (headers.contains(MSGPACK), headers.contains(DEFLATE));
    assert_eq!(
        head.contains("sec-websocket-protocol: gz-monitor.v1.msgpack\r\n"),
        is_msgpack,
        "{head}"
    );
    assert_eq!(head.contains(&format!("sec-websocket-extensions: {AGREED}")), deflate, "{head}");
    Client { raw, opcode: if is_msgpack { BINARY } else { TEXT }, deflate }
}

impl Client {
    /// The next message, and whether it was compressed.
    async fn next(&mut self) -> (Value, bool) {
        let (first, mut payload) = self.raw.next().await.expect("a frame");
        let compressed = first & COMPRESSED != 0;
        assert_eq!(first & !COMPRESSED, FIN | self.opcode, "{first:#x}");
        if compressed {
            assert!(self.deflate);
            payload = inflate(&payload);
        }
        (self.read(&payload), compressed)
    }

    fn read(&self, payload: &[u8]) -> Value {
        match self.opcode {
            TEXT => serde_json::from_slice(payload).expect("JSON"),
            _ => rmp_serde::from_slice(payload).expect("MessagePack"),
        }
    }

    fn write(&self, message: &Value) -> Vec<u8> {
        match self.opcode {
            TEXT => message.to_string().into_bytes(),
            _ => rmp_serde::to_vec(message).expect("MessagePack"),
        }
    }

    async fn send(&mut self, message: &Value) {
        let payload = self.write(message);
        self.raw.frame(FIN | self.opcode, &payload).await;
    }

    async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let (message, _) = self.next().await;
            if message["type"] == kind {
                return message;
            }
        }
    }
}

fn inflate(payload: &[u8]) -> Vec<u8> {
    let whole = [payload, &[0, 0, 0xff, 0xff]].concat();
    let mut out = Vec::with_capacity(1 << 20);
    let mut inflate = Decompress::new(false);
    inflate.decompress_vec(&whole, &mut out, FlushDecompress::None).expect("deflate");
    assert_eq!(inflate.total_in(), whole.len() as u64);
    out
}

fn deflate(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 64);
    let mut deflate = Compress::new(Compression::best(), false);
    deflate.compress_vec(payload, &mut out, FlushCompress::Sync).expect("compressed");
    out.truncate(out.len() - 4);
    out
}

#[tokio::test]
async fn every_coding_says_the_same() {
    let daemon = quiet("").await;
    let mut clients = Vec::new();
    for headers in ["", DEFLATE, MSGPACK, &format!("{MSGPACK}{DEFLATE}")] {
        let mut client = connect(&daemon, headers).await;
        let (initial, compressed) = client.next().await;
        assert_eq!(initial["type"], "initial_state");
        assert_eq!(compressed, client.deflate, "it is long enough");
        client.send(&json!({ "type": "ping" })).await;
        let (pong, compressed) = client.next().await;
        assert_eq!(pong["type"], "pong");
        assert!(!compressed, "it is too short");
        clients.push(client);
    }
    let listed = daemon.get("/api/v1/clients").await.json();
    let codings: Vec<_> = listed["clients"].as_array().expect("a list").iter().collect();
    let codings: Vec<_> =
        codings.iter().map(|client| json!([client["encoding"], client["deflate"]])).collect();
    let expected = [("json", false), ("json", true), ("msgpack", false), ("msgpack", true)]
        .map(|c| json!([c.0, c.1]));
    assert_eq!(codings, expected);
    let details = json!({
        "text": "x\u{e9}\u{1f600}\n".repeat(50), "numbers": [0, -1, 1.5, u64::MAX, i64::MIN, 1e300, 0.1],
        "nothing": null, "flags": [true, false], "empty": [{}, [], ""],
    });
    let task = json!({ "id": "t", "name": "T", "progress": 12.5, "details": details });
    assert_eq!(daemon.post("/api/v1/tasks", task).await.status, 201);
    let (first, _) = clients[0].next().await;
    assert_eq!(first["data"]["details"], details);
    for client in &mut clients[1..] {
        let (message, compressed) = client.next().await;
        assert_eq!(message, first);
        assert_eq!(compressed, client.deflate);
    }
}

#[tokio::test]
async fn what_a_client_missed_comes_in_its_coding() {
    let daemon = quiet("").await;
    let mut client = connect(&daemon, "").await;
    let (initial, _) = client.next().await;
    let place = initial["data"]["stream"].clone();
    for id in ["a", "b"] {
        daemon.post("/api/v1/tasks", json!({ "id": id, "name": "n" })).await;
    }
    let since = format!("{}:{}", place["epoch"].as_str().expect("a name"), place["seq"]);
    let mut client = connect(&daemon, &format!("{MSGPACK}{DEFLATE}")).await;
    client.next_of("initial_state").await;
    client.send(&json!({ "type": "subscribe", "since": since })).await;
    client.next_of("subscribed").await;
    for id in ["a", "b"] {
        assert_eq!(client.next_of("task_update").await["data"]["id"], id);
    }
    assert_eq!(client.next_of("resumed").await["data"]["complete"], true);
}

#[tokio::test]
async fn a_client_may_compress_or_not() {
    let daemon = quiet("").await;
    for headers in [DEFLATE, &format!("{MSGPACK}{DEFLATE}")] {
        let mut client = connect(&daemon, headers).await;
        client.next_of("initial_state").await;
        let payload = deflate(&client.write(&json!({ "type": "ping" })));
        client.raw.frame(FIN | COMPRESSED | client.opcode, &payload).await;
        client.next_of("pong").await;
        client.send(&json!({ "type": "ping" })).await;
        client.next_of("pong").await;
        client.raw.frame(COMPRESSED | client.opcode, &payload[..3]).await;
        client.raw.frame(FIN | PING, b"?").await;
        assert_eq!(client.raw.next_of(FIN | PONG).await, b"?");
        client.raw.frame(FIN | CONTINUATION, &payload[3..]).await;
        client.next_of("pong").await;
        client.raw.frame(FIN | COMPRESSED | CONTINUATION, &payload).await;
        assert_eq!(client.raw.close_code().await, 1002);
    }
}

#[tokio::test]
async fn a_bomb_is_1009_and_garbage_1007() {
    let daemon = quiet("").await;
    let bomb = deflate(&vec![b' '; 10 << 20]);
    assert!(bomb.len() < 16 << 10);
    for (payload, code) in [(&bomb[..], 1009), (b"garbage", 1007), (b"", 1007)] {
        let mut client = connect(&daemon, DEFLATE).await;
        client.next_of("initial_state").await;
        client.raw.frame(FIN | COMPRESSED | TEXT, payload).await;
        assert_eq!(client.raw.close_code().await, code);
    }
    // And one who agreed on nothing may not compress.
    let mut client = connect(&daemon, "").await;
    client.next_of("initial_state").await;
    client.raw.frame(FIN | COMPRESSED | TEXT, b"\0").await;
    assert_eq!(client.raw.close_code().await, 1002);
}

#[tokio::test]
async fn an_encoding_has_frames_of_its_own() {
    let daemon = quiet("").await;
    let mut client = connect(&daemon, MSGPACK).await;
    client.next_of("initial_state").await;
    client.raw.frame(FIN | BINARY, b"\xc1").await;
    assert_eq!(client.next_of("error").await["data"]["code"], "invalid_messagepack");
    client.raw.frame(FIN | TEXT, br#"{"type":"ping"}"#).await;
    assert_eq!(client.raw.close_code().await, 1003);
}

#[tokio::test]
async fn compression_can_be_switched_off_and_set() {
    let daemon = quiet("[websocket]\ndeflate = false\n").await;
    let (_, head) = daemon.raw_with(DEFLATE).await;
    assert!(!head.contains("sec-websocket-extensions"), "{head}");
    let daemon = quiet("[websocket]\ndeflate_level = 1\ndeflate_min_size = \"64KiB\"\n").await;
    let mut client = connect(&daemon, DEFLATE).await;
    assert!(!client.next().await.1, "it is too short");
}
