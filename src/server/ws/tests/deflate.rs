//! Compressed messages of a client: the examples of RFC 7692, broken ones, and ones that explode.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, FlushCompress};
use proptest::prelude::*;

use super::client::{BINARY, CONTINUATION, PING, TEXT, frame, last, part};
use super::{MAX_MESSAGE_SIZE, check_with, decode};
use crate::server::ws::inflate::{inflate, wire_size};
use crate::server::ws::{Decoder, Event, Violation};

/// RSV1.
const COMPRESSED: u8 = 0x40;

fn check(stream: &[Vec<u8>], expected: &str) {
    check_with(|| Decoder::new(MAX_MESSAGE_SIZE).with_deflate(true), stream, expected);
}

/// `payload` as a sender of the RFC compresses it.
fn deflate(payload: &[u8]) -> Vec<u8> {
    let mut compress = flate2::Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(2 * payload.len() + 64);
    compress.compress_vec(payload, &mut out, FlushCompress::Sync).expect("compressed");
    assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
    out.truncate(out.len() - 4);
    out
}

fn compressed(opcode: u8, payload: &[u8]) -> Vec<u8> {
    last(COMPRESSED | opcode, payload)
}

#[test]
fn the_examples_of_the_rfc() {
    let hello = "text \"Hello\"";
    let one_block = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    check(&[compressed(TEXT, one_block)], hello);
    check(&[part(COMPRESSED | TEXT, &one_block[..3]), last(CONTINUATION, &one_block[3..])], hello);
    check(&[compressed(TEXT, b"\x00\x05\x00\xfa\xffHello\x00")], hello);
    check(&[compressed(TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00")], hello);
    check(&[compressed(TEXT, b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")], hello);
    check(&[compressed(TEXT, b"\x00")], "text \"\"");
    check(&[compressed(BINARY, b"\x00")], "binary []");
}

#[test]
fn messages_are_compressed_or_not_each_by_itself() {
    let hello = deflate(b"Hello");
    check(
        &[
            last(TEXT, "plain"),
            compressed(TEXT, &hello),
            last(BINARY, [1]),
            compressed(BINARY, &hello),
        ],
        "text \"plain\", text \"Hello\", binary [1], binary [48, 65, 6c, 6c, 6f]",
    );
    // Without context takeover nothing of the message before is there to refer to.
    check(
        &[
            compressed(TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00"),
            compressed(TEXT, b"\xf2\x00\x11\x00\x00"),
        ],
        "text \"Hello\", 1007: a compressed message cannot be inflated",
    );
}

#[test]
fn control_frames_come_between_and_are_never_compressed() {
    let hello = deflate(b"Hello");
    check(
        &[
            part(COMPRESSED | TEXT, &hello[..2]),
            last(PING, "?"),
            part(CONTINUATION, ""),
            last(CONTINUATION, &hello[2..]),
        ],
        "ping [3f], text \"Hello\"",
    );
    let broken = "1002: a frame that does not begin a message says that it is compressed";
    check(&[compressed(PING, b"")], broken);
    check(&[part(COMPRESSED | TEXT, &hello[..2]), compressed(CONTINUATION, &hello[2..])], broken);
    check(&[part(TEXT, "a"), compressed(CONTINUATION, b"b")], broken);
    for bits in [1u8, 2, 3, 5, 6, 7] {
        let reserved = "1002: a reserved bit is set and no extension was agreed on";
        check(&[last(bits << 4 | TEXT, "")], reserved);
    }
}

#[test]
fn what_is_no_deflate_is_refused() {
    let broken = "1007: a compressed message cannot be inflated";
    let whole = deflate(b"Hello, hello, hello, hello");
    check(&[compressed(TEXT, b"")], broken);
    check(&[compressed(TEXT, b"\x07")], broken);
    check(&[compressed(TEXT, b"Hello")], broken);
    for end in 1..whole.len() - 1 {
        check(&[compressed(TEXT, &whole[..end])], broken);
    }
    // A last block, and nothing where the next one is to begin.
    check(&[compressed(TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00")], broken);
    check(&[compressed(TEXT, &deflate(b"\xff"))], "1007: a text message is not UTF-8");
}

#[test]
fn the_limit_is_on_what_comes_out() {
    let too_big = "1009: a message is larger than this server accepts";
    let whole = vec![b'x'; MAX_MESSAGE_SIZE];
    check(&[compressed(TEXT, &deflate(&whole))], "text of 70000");
    check(&[compressed(TEXT, &deflate(&[&whole[..], b"x"].concat()))], too_big);
    // Noise does not get smaller: it has room all the same.
    let noise: Vec<u8> = (0..MAX_MESSAGE_SIZE).map(|_| fastrand::u8(..)).collect();
    let grown = deflate(&noise);
    assert!(grown.len() > MAX_MESSAGE_SIZE);
    check(&[compressed(BINARY, &grown)], "binary of 70000");
    // By the header that announces it.
    let mut header = compressed(BINARY, &vec![0; wire_size(MAX_MESSAGE_SIZE) + 1]);
    header.truncate(14);
    check(&[header], too_big);
}

#[test]
fn a_bomb_is_defused_at_the_limit() {
    let (bomb, limit) = (deflate(&vec![0; 16 << 20]), 16 << 10);
    assert!(bomb.len() < 2 * limit, "{}", bomb.len());
    let too_big = Err(Violation::too_big("a message is larger than this server accepts"));
    assert_eq!(inflate(&bomb, limit), too_big);
    assert_eq!(inflate(&bomb[..1 << 10], limit), too_big);
    // Blocks without content cost time only, and no more than their bytes.
    let empty = [0, 0, 0, 0xff, 0xff].repeat(10_000);
    assert_eq!(inflate(&[&empty[..], &[0]].concat(), limit), Ok(Vec::new()));
}

#[test]
fn messages_of_many_streams_are_whole() {
    let stream = |text: &[u8]| {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("written");
        encoder.finish().expect("finished")
    };
    let payload = [stream(b"one, "), stream(b""), stream(b"two"), vec![0]].concat();
    check(&[compressed(TEXT, &payload)], "text \"one, two\"");
}

proptest! {
    #[test]
    fn what_was_deflated_is_inflated(payload: Vec<u8>, more in 0..3usize) {
        let limit = payload.len() + more;
        let deflated = deflate(&payload);
        prop_assert_eq!(inflate(&deflated, limit), Ok(payload.clone()));
        prop_assert!(deflated.len() <= wire_size(limit));
        if !payload.is_empty() {
            prop_assert!(inflate(&deflated, payload.len() - 1).is_err());
        }
    }

    /// Whatever the bytes are and however they come, the same is said of them, and memory is bounded.
    #[test]
    fn any_bytes_are_inflated_or_refused(
        payload in prop::collection::vec(any::<u8>(), 0..300),
        size in 1..60usize,
    ) {
        let stream = frame(0x80 | COMPRESSED | BINARY, &payload, [1, 2, 3, 4]);
        let make = || Decoder::new(500).with_deflate(true);
        let (mut whole, mut cut) = (make(), make());
        let said = decode(&mut whole, [&stream[..]]);
        prop_assert_eq!(&said, &decode(&mut cut, stream.chunks(size)));
        prop_assert!(whole.buffered() <= wire_size(500));
        for event in said.0 {
            prop_assert!(matches!(event, Event::Binary(payload) if payload.len() <= 500));
        }
    }
}
