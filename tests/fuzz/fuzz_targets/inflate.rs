//! Compressed messages of a hostile client: whatever the bytes, they are inflated within the limit
//! or refused, in one piece as in many.
//!
//! Run like `inbound`: `cargo fuzz run --dev --sanitizer none --fuzz-dir tests/fuzz inflate`.

#![no_main]

use gz_monitor::server::ws::{Decoder, Event, Violation};
use libfuzzer_sys::fuzz_target;

const MAX_MESSAGE_SIZE: usize = 512;
/// What deflate may add to that.
const SLACK: usize = MAX_MESSAGE_SIZE / 64 + 64;

fuzz_target!(|input: &[u8]| {
    // The first byte says how large the pieces are.
    let Some((size, payload)) = input.split_first() else {
        return;
    };
    let payload = &payload[..payload.len().min(MAX_MESSAGE_SIZE + SLACK)];
    // FIN, RSV1 and binary; a key of zeros leaves the payload as it is.
    let mut stream = vec![0xc2];
    match payload.len() {
        short @ ..=125 => stream.push(0x80 | short as u8),
        long => {
            stream.push(0x80 | 126);
            stream.extend((long as u16).to_be_bytes());
        }
    }
    stream.extend([0; 4]);
    stream.extend(payload);
    let whole = decode([&stream[..]].into_iter());
    assert_eq!(whole, decode(stream.chunks(usize::from(*size).max(1))));
    for event in whole.0 {
        assert!(matches!(event, Event::Binary(payload) if payload.len() <= MAX_MESSAGE_SIZE));
    }
});

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Event>, Option<Violation>) {
    let mut decoder = Decoder::new(MAX_MESSAGE_SIZE).with_deflate(true);
    let mut events = Vec::new();
    for mut piece in pieces {
        loop {
            let result = decoder.decode(&mut piece);
            assert!(decoder.buffered() <= MAX_MESSAGE_SIZE + SLACK);
            match result {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(violation) => return (events, Some(violation)),
            }
        }
    }
    (events, None)
}
