//! Bytes of a broken program, against what the reader of its output promises.
//!
//! Whatever they are and however they are cut, they mean the same, no line is longer than allowed, and
//! nothing panics. To run it from the root of the project, without a sanitizer, for which the code would
//! have to be unsafe: `cargo fuzz run --dev --sanitizer none --fuzz-dir tests/fuzz wire`.

#![no_main]

use gz_monitor::plugin::wire::{Lines, Reader};
use libfuzzer_sys::fuzz_target;

const MAX_LINE: usize = 128;

fuzz_target!(|input: &[u8]| {
    // The first byte says how large the pieces are.
    let Some((size, stream)) = input.split_first() else {
        return;
    };
    let pieces = stream.chunks(usize::from(*size).max(1));
    assert_eq!(read([stream].into_iter()), read(pieces));
});

/// What the lines mean, in words, because no NaN is equal to another.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let (mut lines, mut reader, mut records) =
        (Lines::new(MAX_LINE), Reader::default(), Vec::new());
    for piece in pieces {
        lines.push(piece, |line| {
            assert!(line.is_ok_and(|line| line.len() <= MAX_LINE) || line.is_err());
            records.push(match line {
                Ok(line) => format!("{:?}", reader.read(line)),
                Err(overflow) => format!("{overflow:?}"),
            });
        });
    }
    let rest = lines.finish();
    assert!(rest.len() <= MAX_LINE);
    records.push(format!("{:?}", reader.read(&rest)));
    records
}
