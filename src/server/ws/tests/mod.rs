//! The decoder against RFC 6455, frame by frame, with a client that can break every rule.

mod client;
mod control;
mod deflate;
mod differential;
mod extension;
mod fragments;
mod framing;
mod handshake;
mod properties;

use super::{Decoder, Event, Violation};

/// Above all messages of the tables, and small enough to be exceeded.
const MAX_MESSAGE_SIZE: usize = 70_000;

/// Everything that a decoder says of a stream that comes in these pieces.
fn decode<'a>(
    decoder: &mut Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Event>, Option<Violation>) {
    let mut events = Vec::new();
    for mut piece in pieces {
        loop {
            match decoder.decode(&mut piece) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(violation) => return (events, Some(violation)),
            }
        }
        assert!(piece.is_empty(), "a decoder that wants more has taken all");
    }
    (events, None)
}

/// The events of `stream`, in words, and what was wrong with it; the same in one piece and in
/// pieces of one byte.
fn check(stream: &[Vec<u8>], expected: &str) {
    check_with(|| Decoder::new(MAX_MESSAGE_SIZE), stream, expected);
}

/// The same, by another decoder.
fn check_with(make: impl Fn() -> Decoder, stream: &[Vec<u8>], expected: &str) {
    let stream = stream.concat();
    for size in [stream.len().max(1), 1] {
        let mut decoder = make();
        let (events, violation) = decode(&mut decoder, stream.chunks(size));
        let mut said: Vec<String> = events.iter().map(in_words).collect();
        said.extend(violation.map(|v| format!("{}: {v}", u16::from(v.code))));
        assert_eq!(
            said.join(", "),
            expected,
            "in pieces of {size}: {:x?}",
            &stream[..stream.len().min(40)]
        );
    }
}

fn in_words(event: &Event) -> String {
    let bytes = |what: &str, payload: &[u8]| match payload.len() {
        0..=8 => format!("{what} {payload:x?}"),
        length => format!("{what} of {length}"),
    };
    match event {
        Event::Text(text) if text.len() <= 60 => format!("text {text:?}"),
        Event::Text(text) => format!("text of {}", text.len()),
        Event::Binary(payload) => bytes("binary", payload),
        Event::Ping(payload) => bytes("ping", payload),
        Event::Pong(payload) => bytes("pong", payload),
        Event::Close { code, reason } => format!("close {code:?} {reason:?}"),
    }
}
