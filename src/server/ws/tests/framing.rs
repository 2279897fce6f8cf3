//! Sizes, masks, reserved bits, opcodes and lengths.

use super::client::{BINARY, CONTINUATION, PING, TEXT, last};
use super::{MAX_MESSAGE_SIZE, check};

#[test]
fn payloads_of_every_length_encoding() {
    for length in [61, 125, 126, 127, 128, 65_535, 65_536, MAX_MESSAGE_SIZE] {
        check(&[last(TEXT, "*".repeat(length))], &format!("text of {length}"));
        check(&[last(BINARY, vec![0xfe; length])], &format!("binary of {length}"));
    }
    check(&[last(TEXT, "")], "text \"\"");
    check(&[last(BINARY, [])], "binary []");
    check(&[last(TEXT, "one"), last(TEXT, "two")], "text \"one\", text \"two\"");
}

#[test]
fn the_masked_hello_of_the_rfc() {
    let hello = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    check(&[hello.to_vec()], "text \"Hello\"");
}

#[test]
fn unmasked_frames_are_refused() {
    let expected = "1002: a frame is not masked";
    check(&[b"\x81\x05Hello".to_vec()], expected);
    check(&[b"\x89\x00".to_vec()], expected);
    // Already when the payload is still to come.
    check(&[b"\x82\x7f".to_vec()], expected);
}

#[test]
fn reserved_bits_are_refused() {
    for bits in 1..=7u8 {
        for opcode in [CONTINUATION, TEXT, BINARY, PING] {
            check(
                &[last(TEXT, "before"), last(bits << 4 | opcode, "")],
                "text \"before\", 1002: a reserved bit is set and no extension was agreed on",
            );
        }
    }
}

#[test]
fn unknown_opcodes_are_refused() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        check(&[last(opcode, "")], "1002: an opcode is unknown");
        check(&[last(TEXT, "a"), last(opcode, "x")], "text \"a\", 1002: an opcode is unknown");
    }
}

#[test]
fn lengths_must_be_written_in_the_fewest_bytes() {
    let expected = "1002: a length is written in more bytes than it needs";
    check(&[b"\x82\xfe\x00\x7dKEY.".to_vec()], expected);
    check(&[b"\x82\xff\x00\x00\x00\x00\x00\x00\x00\x7eKEY.".to_vec()], expected);
    check(&[b"\x82\xff\x00\x00\x00\x00\x00\x00\xff\xffKEY.".to_vec()], expected);
}

#[test]
fn lengths_have_63_bits() {
    let highest = b"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00KEY.";
    check(&[highest.to_vec()], "1002: the highest bit of a length is set");
    let largest = b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffKEY.";
    check(&[largest.to_vec()], "1009: a message is larger than this server accepts");
}

#[test]
fn nothing_is_read_after_a_violation() {
    let mut decoder = super::Decoder::new(MAX_MESSAGE_SIZE);
    let stream = [last(15, ""), last(TEXT, "after")].concat();
    let mut input = &stream[..];
    assert!(decoder.decode(&mut input).is_err());
    assert_eq!(decoder.decode(&mut input), Ok(None));
    assert!(input.is_empty());
}
