//! The decoder beside tungstenite's, on the same frames.

use std::io::{self, Cursor, Read, Write};

use proptest::prelude::*;
use proptest::sample::select;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::client::frame;
use super::decode;
use crate::server::ws::{CloseCode, Decoder, Event};

const MAX_MESSAGE_SIZE: usize = 300;

/// A socket that has received all it ever will; answers are dropped.
struct Received(Cursor<Vec<u8>>);

impl Read for Received {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Received {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What tungstenite reads, up to the close frame, and the close code of what it objects to.
fn tungstenite(stream: &[u8]) -> (Vec<Event>, Option<CloseCode>) {
    let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE_SIZE));
    let received = Received(Cursor::new(stream.to_vec()));
    let mut socket = WebSocket::from_raw_socket(received, Role::Server, Some(config));
    let mut events = Vec::new();
    loop {
        events.push(match socket.read() {
            Ok(Message::Text(text)) => Event::Text(text.to_string()),
            Ok(Message::Binary(payload)) => Event::Binary(payload.to_vec()),
            Ok(Message::Ping(payload)) => Event::Ping(payload.to_vec()),
            Ok(Message::Pong(payload)) => Event::Pong(payload.to_vec()),
            Ok(Message::Close(close)) => {
                let code = close.as_ref().map(|close| close.code.into());
                let reason = close.map(|close| close.reason.to_string()).unwrap_or_default();
                events.push(Event::Close { code, reason });
                return (events, None);
            }
            Ok(Message::Frame(_)) => unreachable!("never read"),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                return (events, None);
            }
            Err(Error::Protocol(_)) => return (events, Some(CloseCode::ProtocolError)),
            Err(Error::Utf8(_)) => return (events, Some(CloseCode::InvalidPayload)),
            Err(Error::Capacity(_)) => return (events, Some(CloseCode::MessageTooBig)),
            Err(error) => panic!("{error}"),
        });
    }
}

/// Whole frames. Left out is where tungstenite is laxer than the RFC (lengths in too many bytes) or
/// answers a bad close code by itself.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let text = || "\\PC{0,60}".prop_map(String::into_bytes);
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..=most);
    let part = select(&[0x00u8, 0x80, 0x80, 0x01, 0x81, 0x81]);
    let close = (select(&[1000u16, 1001, 1011, 3000, 4999]), bytes(4))
        .prop_map(|(code, reason)| [&code.to_be_bytes()[..], &reason].concat());
    let frame_parts = prop_oneof![
        16 => (part, text()),
        2 => (select(&[0x00u8, 0x80, 0x01, 0x81]), bytes(6)),
        4 => (select(&[0x02u8, 0x82]), bytes(MAX_MESSAGE_SIZE / 2)),
        4 => (select(&[0x89u8, 0x8a]), bytes(125)),
        1 => (Just(0x88u8), close),
        1 => (Just(0x88u8), bytes(1)),
        1 => (select(&[0xc1u8, 0xa2, 0x91, 0x83, 0x8b, 0x8f, 0x09, 0x0a, 0x08]), Just(vec![])),
        1 => (Just(0x89u8), Just(vec![0; 126])),
        1 => (Just(0x82u8), Just(vec![0; MAX_MESSAGE_SIZE + 1])),
    ];
    let frames = (frame_parts, any::<[u8; 4]>(), prop::bool::weighted(0.02));
    let frames = frames.prop_map(|((first, payload), key, unmasked)| {
        let mut frame = frame(first, &payload, key);
        if unmasked {
            frame[1] &= 0x7f;
        }
        frame
    });
    prop::collection::vec(frames, 0..8).prop_map(|frames| frames.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_read_the_same(stream in frames()) {
        let (events, violation) = decode(&mut Decoder::new(MAX_MESSAGE_SIZE), [&stream[..]]);
        prop_assert_eq!((events, violation.map(|v| v.code)), tungstenite(&stream));
    }
}
