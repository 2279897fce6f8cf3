//! RFC 6455 over a real socket, frame by frame, by a client that sends whatever it is told to.

#[path = "../support/mod.rs"]
mod support;

mod closing;
mod codings;
mod connections;
mod framing;
mod handshake;
mod violations;

use serde_json::Value;
use support::{Daemon, Raw, daemon};

/// First bytes of frames: FIN, reserved bits and the opcode (section 5.2).
const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

const PING_MESSAGE: &[u8] = br#"{"type":"ping"}"#;

/// A daemon that sends nothing by itself for as long as a test lasts.
async fn quiet(more: &str) -> Daemon {
    let config = "[status]\ninterval = \"1h\"\n[collectors]\ninterval = \"1h\"\n";
    daemon().config(&format!("{config}{more}")).start().await
}

/// A client whose initial state is read.
async fn connect(daemon: &Daemon) -> Raw {
    let mut raw = daemon.raw().await;
    let initial = raw.next_of(FIN | TEXT).await;
    assert_eq!(json(&initial)["type"], "initial_state");
    raw
}

/// The next frame, which is a whole text: its JSON.
async fn message(raw: &mut Raw) -> Value {
    let (first, payload) = raw.next().await.expect("a frame");
    assert_eq!(first, FIN | TEXT, "{}", String::from_utf8_lossy(&payload));
    json(&payload)
}

/// Asserts that the client is still served.
async fn is_served(raw: &mut Raw) {
    raw.frame(FIN | TEXT, PING_MESSAGE).await;
    assert_eq!(message(raw).await["type"], "pong");
}

fn json(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).expect("a message is JSON")
}

/// A request for an upgrade that is in order.
fn handshake(daemon: &Daemon) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        daemon.address
    )
}

/// The bytes of a masked frame of at most 125 bytes.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x9a, 0x01, 0xfe, 0x5c];
    let length = u8::try_from(payload.len()).expect("a short frame");
    let masked = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
    [first, 0x80 | length].into_iter().chain(key).chain(masked).collect()
}
