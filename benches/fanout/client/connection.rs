//! One connection of a client, from the socket to its last frame.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{bail, ensure};
use rustix::fd::{AsFd, BorrowedFd};
use tokio_rustls::rustls::ClientConfig;

use super::super::message::{self, MARK};
use super::frames::{self, CLOSE, PING, PONG, TEXT};
use super::socket::Socket;
use super::tally::{Arrival, Tally};

/// Connections from one address of 127.0.0.0/8: far below what a server allows, or ports suffice for.
const PER_ADDRESS: usize = 250;

/// A client. What is kept of a message that was cut by a read is all that it holds.
pub struct Connection {
    socket: Socket,
    index: usize,
    state: State,
    cut: Vec<u8>,
    /// The number of the last message.
    last: Option<u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Handshake { deflate: bool, greetings: u32 },
    Greeted { left: u32 },
    Ready,
}

impl Connection {
    /// Connects and sends the handshake.
    pub fn open(
        server: SocketAddr,
        tls: Option<&Arc<ClientConfig>>,
        index: usize,
        deflate: bool,
        greetings: u32,
    ) -> anyhow::Result<Self> {
        let mut socket = Socket::connect(server, own_address(index), tls)?;
        let extension = "Sec-WebSocket-Extensions: permessage-deflate; \
                         server_no_context_takeover; client_no_context_takeover\r\n";
        let extension = if deflate { extension } else { "" };
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {extension}\r\n"
        );
        socket.send(request.as_bytes())?;
        let state = State::Handshake { deflate, greetings };
        Ok(Self { socket, index, state, cut: Vec::new(), last: None })
    }

    pub fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// Reads once, and counts what that has brought.
    pub fn read(
        &mut self,
        buffer: &mut [u8],
        tasks: usize,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let kept = self.cut.len();
        buffer[..kept].copy_from_slice(&self.cut);
        let count = match self.socket.read(&mut buffer[kept..]) {
            Ok(0) => bail!("the server has closed it"),
            Ok(count) => count,
            Err(error) if is_of_the_moment(error.kind()) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let now = message::now_nanos();
        let mut bytes = &buffer[..kept + count];
        if let State::Handshake { deflate, greetings } = self.state {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                return self.keep(bytes);
            };
            let (head, rest) = bytes.split_at(end + 4);
            self.upgraded(head, deflate, greetings, tasks)?;
            bytes = rest;
        }
        while let Some(frame) = frames::first(bytes)? {
            match frame.opcode {
                TEXT => self.take(&frame, now, tally),
                PING => self.send(PONG, frame.payload)?,
                CLOSE => bail!("the server closes it: {:?}", frame.payload),
                other => bail!("a frame with opcode {other}"),
            }
            bytes = &bytes[frame.bytes..];
        }
        self.keep(bytes)
    }

    fn keep(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        if bytes.is_empty() && self.cut.is_empty() {
            return Ok(());
        }
        self.cut = bytes.to_vec();
        Ok(())
    }

    fn upgraded(
        &mut self,
        head: &[u8],
        deflate: bool,
        greetings: u32,
        tasks: usize,
    ) -> anyhow::Result<()> {
        let head = String::from_utf8_lossy(head);
        let first = head.lines().next().unwrap_or_default();
        ensure!(first.starts_with("HTTP/1.1 101 "), "the server answers {first:?}");
        let is_agreed = head.to_lowercase().contains("permessage-deflate");
        ensure!(!deflate || is_agreed, "the server does not compress");
        let mut left = greetings;
        if tasks > 0 {
            self.send(TEXT, super::subscription(self.index, tasks).as_bytes())?;
            left += 1;
        }
        self.state = if left == 0 { State::Ready } else { State::Greeted { left } };
        Ok(())
    }

    fn take(&mut self, frame: &frames::Frame<'_>, now: u64, tally: &mut Tally) {
        match self.state {
            State::Greeted { left: 1 } => self.state = State::Ready,
            State::Greeted { left } => self.state = State::Greeted { left: left - 1 },
            _ => {
                let mark = if frame.is_compressed { None } else { mark(frame.payload) };
                let arrival = Arrival { bytes: frame.bytes, mark, before: self.last, now };
                tally.record(&arrival);
                self.last = mark.map(|(_, number)| number).or(self.last);
            }
        }
    }

    fn send(&mut self, opcode: u8, payload: &[u8]) -> anyhow::Result<()> {
        self.socket.send(&frames::masked(opcode, payload))
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn is_of_the_moment(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Where a client connects from.
fn own_address(index: usize) -> IpAddr {
    let number = index / PER_ADDRESS;
    Ipv4Addr::new(127, 1, (number / 250) as u8, (number % 250 + 1) as u8).into()
}

/// When a message was published, and its number.
fn mark(payload: &[u8]) -> Option<(u64, u64)> {
    let begin = payload.iter().position(|byte| *byte == MARK)? + 1;
    let mut numbers = payload[begin..].split(|byte| !byte.is_ascii_digit()).map(|digits| {
        digits.iter().fold(0u64, |number, digit| number * 10 + u64::from(digit - b'0'))
    });
    numbers.next().zip(numbers.next())
}
