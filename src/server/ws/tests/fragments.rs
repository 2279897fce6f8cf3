//! Messages in several frames: their order, their UTF-8, and what they may cost.

use super::client::{BINARY, CONTINUATION, PING, PONG, TEXT, last, part};
use super::{Decoder, Event, MAX_MESSAGE_SIZE, Violation, check, decode};
use crate::server::ws::CloseCode;

#[test]
fn fragments_become_one_message() {
    check(&[part(TEXT, "one "), last(CONTINUATION, "two")], "text \"one two\"");
    check(&[part(TEXT, ""), part(CONTINUATION, ""), last(CONTINUATION, "")], "text \"\"");
    check(&[part(BINARY, [1]), part(CONTINUATION, []), last(CONTINUATION, [2])], "binary [1, 2]");
    check(&[part(TEXT, "a"), last(CONTINUATION, "b"), last(TEXT, "c")], "text \"ab\", text \"c\"");
}

#[test]
fn control_frames_come_between_fragments() {
    check(
        &[part(TEXT, "a"), last(PING, "1"), part(CONTINUATION, "b"), last(PONG, "2")],
        "ping [31], pong [32]",
    );
    check(
        &[part(TEXT, "κ"), last(PING, [0xff]), last(CONTINUATION, "ό")],
        "ping [ff], text \"κό\"",
    );
}

#[test]
fn fragments_come_in_order() {
    let nothing = "1002: a continuation frame continues no message";
    check(&[last(CONTINUATION, "x")], nothing);
    check(&[part(CONTINUATION, "x")], nothing);
    check(&[last(TEXT, "a"), last(CONTINUATION, "x")], &format!("text \"a\", {nothing}"));
    let unfinished = "1002: a message begins before the last one has ended";
    check(&[part(TEXT, "a"), last(TEXT, "b")], unfinished);
    check(&[part(TEXT, "a"), part(BINARY, "b")], unfinished);
    check(&[part(BINARY, "a"), part(CONTINUATION, "b"), last(BINARY, "c")], unfinished);
}

#[test]
fn text_is_utf8_over_all_fragments() {
    let text = "Hello-µ@ßöäüàá-UTF-8!! κόσμε 😀";
    let fragments = text.as_bytes().chunks(1).map(|byte| part(CONTINUATION, byte));
    let mut stream: Vec<_> = fragments.collect();
    stream[0] = part(TEXT, &text[..1]);
    stream.push(last(CONTINUATION, ""));
    check(&stream, &format!("text {text:?}"));

    let expected = "1007: a text message is not UTF-8";
    check(&[last(TEXT, b"\xed\xa0\x80edited")], expected);
    check(&[part(TEXT, b"\xce\xba"), part(CONTINUATION, b"\xff")], expected);
    // A character is cut off by the end of the message.
    check(&[last(TEXT, b"\xf0\x9f\x98")], expected);
    check(&[part(TEXT, b"\xf0\x9f\x98"), last(CONTINUATION, "")], expected);
    check(&[part(TEXT, b"\xf0\x9f\x98"), last(CONTINUATION, "A")], expected);
    check(&[last(BINARY, b"\xed\xa0\x80")], "binary [ed, a0, 80]");
}

#[test]
fn text_is_refused_at_the_first_impossible_byte() {
    let frame = last(TEXT, b"\xce\xba\xf4\x90\x80\x80 and much more");
    let header = 6;
    let mut decoder = Decoder::new(MAX_MESSAGE_SIZE);
    assert_eq!(decode(&mut decoder, [&frame[..header + 3]]), (vec![], None));
    let (_, violation) = decode(&mut decoder, [&frame[header + 3..header + 4]]);
    assert_eq!(violation.map(|v| v.code), Some(CloseCode::InvalidPayload));
    assert_eq!(decoder.buffered(), 0);
}

#[test]
fn a_message_is_refused_by_the_header_that_makes_it_too_large() {
    let most = vec![b'x'; MAX_MESSAGE_SIZE];
    let expected = "1009: a message is larger than this server accepts";
    check(&[part(TEXT, &most), last(CONTINUATION, "")], "text of 70000");
    check(&[part(TEXT, &most), last(CONTINUATION, "y")[..6].to_vec()], expected);
    check(&[last(BINARY, vec![0; MAX_MESSAGE_SIZE + 1])[..14].to_vec()], expected);
    // Control frames are not part of the message.
    check(
        &[part(TEXT, &most), last(PING, "ping"), last(CONTINUATION, "")],
        "ping [70, 69, 6e, 67], text of 70000",
    );
}

#[test]
fn a_message_is_refused_by_the_fragment_that_is_one_too_many() {
    let check = |max_message_size, allowed| {
        let mut decoder = Decoder::new(max_message_size);
        let mut fragments = vec![part(TEXT, "")];
        fragments.resize(allowed, part(CONTINUATION, ""));
        let stream = fragments.concat();
        assert_eq!(decode(&mut decoder, [&stream[..]]), (vec![], None));
        let reason = "a message has more fragments than this server accepts";
        let violation = Violation { code: CloseCode::MessageTooBig, reason };
        let one_more = last(CONTINUATION, "");
        assert_eq!(decode(&mut decoder, [&one_more[..]]), (vec![], Some(violation)));
    };
    check(0, 1_024);
    check(1 << 16, 1_024);
    check(1 << 17, 2_048);
}

#[test]
fn memory_is_held_only_within_a_message() {
    let mut decoder = Decoder::new(MAX_MESSAGE_SIZE);
    let announced = last(BINARY, [0; 60_000]);
    decode(&mut decoder, [&announced[..10]]);
    assert!(decoder.buffered() <= 2, "a promise of 60,000 bytes takes no memory");
    decode(&mut decoder, [&announced[10..50_000], &announced[50_000..50_001]]);
    assert!(decoder.buffered() <= MAX_MESSAGE_SIZE, "doubling ends at the limit");
    let (events, _) = decode(&mut decoder, [&announced[50_001..]]);
    assert_eq!((events.len(), decoder.buffered()), (1, 0));

    let ping = last(PING, "x");
    decode(&mut decoder, [&part(TEXT, "a")[..], &ping[..6]]);
    assert_eq!(decoder.buffered(), 2);
    let (events, _) = decode(&mut decoder, [&ping[6..], &last(CONTINUATION, "")[..]]);
    assert_eq!(events, [Event::Ping(b"x".to_vec()), Event::Text("a".into())]);
    assert_eq!(decoder.buffered(), 0);
}
