//! WebSocket clients: a well-behaved one, and one that sends whatever bytes it is told to.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Daemon, PATIENCE};

/// A client that follows the protocol.
pub struct Client(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Daemon {
    /// Connects a client.
    pub async fn websocket(&self) -> Client {
        let (socket, _) =
            connect_async(format!("ws://{}/ws", self.address)).await.expect("an upgrade");
        Client(socket)
    }

    /// Connects a client that comes back.
    pub async fn resumed(&self, since: &str) -> Client {
        let url = format!("ws://{}/ws?since={since}", self.address);
        Client(connect_async(url).await.expect("an upgrade").0)
    }

    /// Connects and upgrades by hand; the answer to the handshake is read.
    pub async fn raw(&self) -> Raw {
        self.raw_with("").await.0
    }

    /// The same with more header lines, each with its end; with the head of the answer in lower case.
    pub async fn raw_with(&self, headers: &str) -> (Raw, String) {
        let mut raw = Raw(TcpStream::connect(self.address).await.expect("a connection"));
        let handshake = format!(
            "GET /ws HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n",
            self.address
        );
        raw.send(handshake.as_bytes()).await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(raw.byte().await.expect("the answer to a handshake"));
        }
        let head = String::from_utf8(head).expect("ASCII");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        // The key's answer in RFC 6455 section 1.3.
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        (raw, head.to_lowercase())
    }
}

impl Client {
    /// Sends a message.
    pub async fn send(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("sent");
    }

    /// Sends a message; false if the connection has ended.
    pub async fn try_send(&mut self, message: Value) -> bool {
        self.0.send(Message::text(message.to_string())).await.is_ok()
    }

    /// The next message of JSON; `None` when the connection is closed.
    pub async fn next(&mut self) -> Option<Value> {
        // The daemon's pings do not count: they come for as long as one waits.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = timeout_at(deadline, self.0.next()).await.expect("a message in time");
            match message? {
                Ok(Message::Text(text)) => {
                    return Some(serde_json::from_str(&text).expect("a message is JSON"));
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next message of this type; others are passed over.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("closed before a {kind}"));
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// Sends a message and waits for its answer of this type.
    pub async fn ask(&mut self, message: Value, kind: &str) -> Value {
        self.send(message).await;
        self.next_of(kind).await
    }

    /// The code of the close frame that the daemon sends next; other messages are passed over.
    pub async fn close_code(&mut self) -> Option<u16> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("an end in time")? {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

/// A connection that is upgraded, and bytes.
pub struct Raw(pub TcpStream);

impl Raw {
    pub async fn send(&mut self, bytes: &[u8]) {
        // The daemon may have closed already, which the test sees when it reads.
        let _ = self.0.write_all(bytes).await;
    }

    /// Sends a frame, masked as a client's must be. `first` is FIN, RSV and the opcode.
    pub async fn frame(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..=125 => frame.push(0x80 | length as u8),
            length @ 126..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        let key = [0x12, 0x34, 0x56, 0x78];
        frame.extend(key);
        frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        self.send(&frame).await;
    }

    /// The next byte; `None` when the connection is closed.
    pub async fn byte(&mut self) -> Option<u8> {
        timeout(PATIENCE, self.0.read_u8()).await.expect("a byte in time").ok()
    }

    /// The next frame: its first byte and its payload; `None` when the connection is closed.
    pub async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.byte().await?;
        let length = match self.byte().await? {
            126 => usize::from(self.byte().await?) << 8 | usize::from(self.byte().await?),
            127 => {
                let mut length = 0;
                for _ in 0..8 {
                    length = length << 8 | usize::from(self.byte().await?);
                }
                length
            }
            length => {
                assert!(length < 126, "a server's frame is not masked");
                usize::from(length)
            }
        };
        let mut payload = vec![0; length];
        let read = timeout(PATIENCE, self.0.read_exact(&mut payload)).await.expect("in time");
        read.ok()?;
        Some((first, payload))
    }

    /// The next frame with this first byte; others are passed over.
    pub async fn next_of(&mut self, wanted: u8) -> Vec<u8> {
        loop {
            let (first, payload) =
                self.next().await.unwrap_or_else(|| panic!("closed before {wanted:#x}"));
            if first == wanted {
                return payload;
            }
        }
    }

    /// The code of the close frame that comes next, and whether the connection ends after it.
    pub async fn close_code(&mut self) -> u16 {
        let payload = self.next_of(0x88).await;
        assert!(self.next().await.is_none(), "the connection ends after the close frame");
        payload.first_chunk().map_or(0, |code| u16::from_be_bytes(*code))
    }
}
