//! Bytes of a hostile client, against what the decoder promises.
//!
//! Whatever they are and however they are cut, it says the same of them, holds no more memory than
//! its limit and a control frame, and does not panic. To run it from the root of the project, without
//! a sanitizer, for which the code would have to be unsafe:
//! `cargo fuzz run --dev --sanitizer none --fuzz-dir tests/fuzz inbound`.

#![no_main]

use gz_monitor::server::ws::{Decoder, Event, Violation};
use libfuzzer_sys::fuzz_target;

const MAX_MESSAGE_SIZE: usize = 512;
const MAX_CONTROL_PAYLOAD: usize = 125;

fuzz_target!(|input: &[u8]| {
    // The first byte says how large the pieces are.
    let Some((size, stream)) = input.split_first() else {
        return;
    };
    let pieces = stream.chunks(usize::from(*size).max(1));
    assert_eq!(decode([stream].into_iter()), decode(pieces));
});

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Event>, Option<Violation>) {
    let mut decoder = Decoder::new(MAX_MESSAGE_SIZE);
    let mut events = Vec::new();
    for mut piece in pieces {
        loop {
            let result = decoder.decode(&mut piece);
            assert!(decoder.buffered() <= MAX_MESSAGE_SIZE + MAX_CONTROL_PAYLOAD);
            match result {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(violation) => return (events, Some(violation)),
            }
        }
        assert!(piece.is_empty());
    }
    (events, None)
}
