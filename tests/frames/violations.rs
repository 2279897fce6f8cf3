//! Frames that are not in order: each closes the connection with the code that says why.

use crate::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PING_MESSAGE, PONG, TEXT, connect, frame, is_served,
    quiet,
};

const LIMIT: usize = 64 << 10;

/// A header that announces `length` bytes in 8 bytes, with no byte of them.
fn header(first: u8, length: u64) -> Vec<u8> {
    [&[first, 0xff][..], &length.to_be_bytes(), &[1, 2, 3, 4]].concat()
}

fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, payload.len() as u8], payload].concat()
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// Sends `bytes` as a new client and asserts the code that it is closed with.
async fn check(cases: impl IntoIterator<Item = (String, Vec<u8>)>, code: u16) {
    let daemon = quiet("").await;
    let mut bystander = connect(&daemon).await;
    for (what, bytes) in cases {
        let mut raw = connect(&daemon).await;
        raw.send(&bytes).await;
        let payload = raw.next_of(FIN | CLOSE).await;
        let (got, reason) = payload.split_first_chunk().unwrap_or_else(|| panic!("{what}"));
        assert_eq!(u16::from_be_bytes(*got), code, "{what}");
        assert!(!reason.is_empty() && str::from_utf8(reason).is_ok(), "{what}");
        assert_eq!(raw.next().await, None, "{what}: the connection ends");
    }
    is_served(&mut bystander).await;
}

#[tokio::test]
async fn frames_that_break_the_protocol_are_1002() {
    let mut cases = vec![
        ("an unmasked text".to_owned(), unmasked(FIN | TEXT, PING_MESSAGE)),
        ("an unmasked ping".to_owned(), unmasked(FIN | PING, b"")),
        ("an unmasked close".to_owned(), unmasked(FIN | CLOSE, &[3, 232])),
        ("the start of an unmasked frame".to_owned(), vec![FIN | TEXT, 15]),
    ];
    for bit in [0x40, 0x20, 0x10] {
        cases.push((format!("reserved bit {bit:#x}"), frame(FIN | bit | TEXT, PING_MESSAGE)));
        cases.push((format!("{bit:#x} of a ping"), frame(FIN | bit | PING, b"")));
    }
    for opcode in [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf] {
        cases.push((format!("opcode {opcode:#x}"), frame(FIN | opcode, b"")));
    }
    for opcode in [CLOSE, PING, PONG] {
        cases.push((format!("a fragment of {opcode:#x}"), frame(opcode, b"")));
        cases.push((format!("126 bytes of {opcode:#x}"), vec![FIN | opcode, 0xfe, 0, 126]));
    }
    let lengths = [
        ("126 for 125 bytes", vec![FIN | TEXT, 0xfe, 0, 125, 1, 2, 3, 4]),
        ("127 for 65535 bytes", header(FIN | TEXT, 0xffff)),
        ("2^63 bytes", header(FIN | TEXT, 1 << 63)),
    ];
    cases.extend(lengths.map(|(what, bytes)| (what.to_owned(), bytes)));
    check(cases, 1002).await;
}

#[tokio::test]
async fn fragments_in_the_wrong_order_are_1002() {
    let start = frame(TEXT, b"{");
    let cases = [
        ("a continuation of nothing", frame(FIN | CONTINUATION, b"")),
        ("a fragment that continues nothing", frame(CONTINUATION, b"x")),
        ("a text within a text", [start.clone(), frame(FIN | TEXT, b"{}")].concat()),
        ("a binary within a text", [start, frame(BINARY, b"{}")].concat()),
        (
            "a continuation after the end",
            [frame(FIN | PING, b""), frame(FIN | CONTINUATION, b"")].concat(),
        ),
    ];
    check(cases.map(|(what, bytes)| (what.to_owned(), bytes)), 1002).await;
}

#[tokio::test]
async fn close_frames_that_must_not_be_are_1002() {
    let codes = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX];
    let cases = codes.map(|code| (format!("code {code}"), close(code, b"")));
    let half = ("half a code".to_owned(), frame(FIN | CLOSE, &[3]));
    check(cases.into_iter().chain([half]), 1002).await;
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_1007() {
    let mut cases = vec![("a reason".to_owned(), close(1000, &[0xff]))];
    let texts: [&[u8]; 6] = [
        &[0xff],
        &[0xc0, 0x80],
        &[0xed, 0xa0, 0x80],
        &[0xf4, 0x90, 0x80, 0x80],
        b"{\"type\":\"p\x80ng\"}",
        // Cut within a character.
        &[0xe2, 0x82],
    ];
    for text in texts {
        cases.push((format!("{text:x?}"), frame(FIN | TEXT, text)));
        let fragments = [frame(TEXT, b""), frame(FIN | CONTINUATION, text)].concat();
        cases.push((format!("{text:x?} as a fragment"), fragments));
    }
    check(cases, 1007).await;
}

#[tokio::test]
async fn bad_text_is_refused_as_it_arrives() {
    let announced = [&[FIN | TEXT, 0xfe, 0x10, 0][..], &[0, 0, 0, 0], b"{\"type\":\xff"].concat();
    let cases = [
        ("in a fragment, with more to come", frame(TEXT, b"{\xff")),
        ("in a frame of which most is to come", announced),
        (
            "across fragments, with more to come",
            [frame(TEXT, &[0xe2]), frame(CONTINUATION, &[0x28])].concat(),
        ),
    ];
    check(cases.map(|(what, bytes)| (what.to_owned(), bytes)), 1007).await;
}

#[tokio::test]
async fn binary_is_1003() {
    let cases = [
        ("a frame", frame(FIN | BINARY, PING_MESSAGE)),
        ("an empty frame", frame(FIN | BINARY, b"")),
        ("fragments", [frame(BINARY, b"{"), frame(FIN | CONTINUATION, b"}")].concat()),
    ];
    check(cases.map(|(what, bytes)| (what.to_owned(), bytes)), 1003).await;
}

#[tokio::test]
async fn what_is_too_large_is_1009_before_it_has_come() {
    let halves = [frame_of(TEXT, LIMIT / 2), frame_of(CONTINUATION, LIMIT / 2)].concat();
    let cases = [
        ("a byte too many, by the header alone", header(FIN | TEXT, LIMIT as u64 + 1)),
        ("the largest there is", header(FIN | TEXT, (1 << 63) - 1)),
        ("a binary", header(FIN | BINARY, LIMIT as u64 + 1)),
        ("fragments together", [halves, frame(CONTINUATION, b"x")].concat()),
        ("too many fragments", [frame(TEXT, b""), frame(CONTINUATION, b"").repeat(1024)].concat()),
    ];
    check(cases.map(|(what, bytes)| (what.to_owned(), bytes)), 1009).await;
}

/// A masked frame of `length` spaces, between 126 and 65,535.
fn frame_of(first: u8, length: usize) -> Vec<u8> {
    let length = u16::try_from(length).expect("a frame of two bytes of length");
    let head = [&[first, 0xfe][..], &length.to_be_bytes(), &[0; 4]].concat();
    [head, vec![b' '; usize::from(length)]].concat()
}

#[tokio::test]
async fn nothing_is_done_after_a_violation() {
    let daemon = quiet("").await;
    let mut raw = connect(&daemon).await;
    let bytes = [
        frame(FIN | TEXT, PING_MESSAGE),
        frame(FIN | 0x3, b""),
        frame(FIN | TEXT, PING_MESSAGE),
        frame(FIN | PING, b""),
    ];
    raw.send(&bytes.concat()).await;
    // What came before is answered, what comes after is not.
    let (first, _) = raw.next().await.expect("an answer");
    assert_eq!(first, FIN | TEXT);
    let (first, payload) = raw.next().await.expect("a close frame");
    assert_eq!((first, &payload[..2]), (FIN | CLOSE, &1002u16.to_be_bytes()[..]));
    assert_eq!(raw.next().await, None);
}
