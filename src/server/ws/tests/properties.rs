//! What holds of every stream, in whatever pieces it comes.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::client::{BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame};
use super::decode;
use crate::server::ws::{CloseCode, Decoder, Event};

const MAX_MESSAGE_SIZE: usize = 300;

/// A legal message and one of the ways in which a client can send it.
#[derive(Debug, Clone)]
struct Sent {
    event: Event,
    /// Where the payload of a data message is cut into fragments.
    cuts: Vec<Index>,
    /// A ping after each fragment but the last.
    pings: bool,
    key: [u8; 4],
}

fn sent() -> impl Strategy<Value = Sent> {
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..=most);
    let event = prop_oneof![
        4 => "\\PC{0,70}".prop_map(Event::Text),
        2 => bytes(MAX_MESSAGE_SIZE).prop_map(Event::Binary),
        1 => bytes(125).prop_map(Event::Ping),
        1 => bytes(125).prop_map(Event::Pong),
    ];
    let cuts = prop::collection::vec(any::<Index>(), 0..4);
    (event, cuts, any::<bool>(), any::<[u8; 4]>()).prop_map(|(event, cuts, pings, key)| Sent {
        event,
        cuts,
        pings,
        key,
    })
}

impl Sent {
    /// Its bytes, and the events that they are.
    fn encode(&self) -> (Vec<u8>, Vec<Event>) {
        let (opcode, payload) = match &self.event {
            Event::Text(text) => (TEXT, text.as_bytes()),
            Event::Binary(payload) => (BINARY, &payload[..]),
            Event::Ping(payload) => (PING, &payload[..]),
            Event::Pong(payload) => (PONG, &payload[..]),
            Event::Close { .. } => (CLOSE, &[][..]),
        };
        if opcode >= CLOSE {
            return (frame(0x80 | opcode, payload, self.key), vec![self.event.clone()]);
        }
        let mut cuts: Vec<_> = self.cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
        cuts.sort_unstable();
        let (mut bytes, mut events, mut start) = (Vec::new(), Vec::new(), 0);
        for (i, end) in cuts.into_iter().enumerate() {
            let opcode = if i == 0 { opcode } else { CONTINUATION };
            bytes.extend(frame(opcode, &payload[start..end], self.key));
            if self.pings {
                bytes.extend(frame(0x80 | PING, &[i as u8], self.key));
                events.push(Event::Ping(vec![i as u8]));
            }
            start = end;
        }
        let opcode = if self.cuts.is_empty() { opcode } else { CONTINUATION };
        bytes.extend(frame(0x80 | opcode, &payload[start..], self.key));
        events.push(self.event.clone());
        (bytes, events)
    }
}

/// Cuts `stream` in pieces of these sizes, over and over.
fn pieces<'a>(mut stream: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let (piece, rest) = stream.split_at(stream.len().min(*size));
        pieces.push(piece);
        stream = rest;
    }
    pieces
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..200usize, 1..6)
}

/// Frames that are right in most of their parts.
fn nearly_legal() -> impl Strategy<Value = Vec<u8>> {
    let first = select(&[0x81u8, 0x01, 0x82, 0x02, 0x80, 0x00, 0x89, 0x8a, 0x88, 0xc1, 0x83, 0x09]);
    let payload = prop_oneof![
        "\\PC{0,60}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..MAX_MESSAGE_SIZE + 9),
    ];
    let frames = (first, payload, any::<[u8; 4]>())
        .prop_map(|(first, payload, key)| frame(first, &payload, key));
    prop::collection::vec(frames, 0..8).prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn what_a_client_sends_is_what_is_decoded(
        messages in prop::collection::vec(sent(), 0..6),
        sizes in sizes(),
    ) {
        let (bytes, events): (Vec<_>, Vec<_>) = messages.iter().map(Sent::encode).unzip();
        let mut decoder = Decoder::new(MAX_MESSAGE_SIZE);
        let decoded = decode(&mut decoder, pieces(&bytes.concat(), &sizes));
        prop_assert_eq!(decoded, (events.concat(), None));
        prop_assert_eq!(decoder.buffered(), 0);
    }

    /// The same events, and the same violation or none, as in one piece.
    #[test]
    fn pieces_make_no_difference(
        stream in prop_oneof![nearly_legal(), prop::collection::vec(any::<u8>(), 0..400)],
        sizes in sizes(),
    ) {
        let whole = decode(&mut Decoder::new(MAX_MESSAGE_SIZE), [&stream[..]]);
        let cut = decode(&mut Decoder::new(MAX_MESSAGE_SIZE), pieces(&stream, &sizes));
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn memory_stays_within_the_limit(stream in nearly_legal(), sizes in sizes()) {
        let mut decoder = Decoder::new(MAX_MESSAGE_SIZE);
        for piece in pieces(&stream, &sizes) {
            let (_, violation) = decode(&mut decoder, [piece]);
            prop_assert!(decoder.buffered() <= MAX_MESSAGE_SIZE + 125);
            if let Some(violation) = violation {
                prop_assert_eq!(decoder.buffered(), 0);
                prop_assert!(violation.reason.len() <= 123);
                prop_assert!(matches!(
                    violation.code,
                    CloseCode::ProtocolError | CloseCode::InvalidPayload | CloseCode::MessageTooBig
                ));
            }
        }
    }
}
