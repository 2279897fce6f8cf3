//! Pings, pongs and the closing handshake.

use super::check;
use super::client::{CLOSE, PING, PONG, TEXT, close, last, part};

#[test]
fn pings_and_pongs_bear_up_to_125_bytes() {
    check(&[last(PING, ""), last(PONG, "")], "ping [], pong []");
    check(&[last(PING, [0, 0xff, 0xfe])], "ping [0, ff, fe]");
    check(&[last(PING, [7; 125]), last(PONG, [7; 125])], "ping of 125, pong of 125");
    let expected = "1002: a control frame has more than 125 bytes";
    check(&[last(PING, [0; 126])], expected);
    check(&[last(PONG, [0; 70_001])], expected);
    check(&[close(1000, [b'x'; 124])], expected);
}

#[test]
fn control_frames_are_never_fragmented() {
    for opcode in [CLOSE, PING, PONG] {
        check(&[part(opcode, "")], "1002: a control frame is fragmented");
    }
}

#[test]
fn close_frames_bear_a_code_and_a_reason_or_nothing() {
    check(&[last(CLOSE, "")], "close None \"\"");
    check(&[last(CLOSE, [3])], "1002: the payload of a close frame is one byte");
    check(&[close(1000, "")], "close Some(1000) \"\"");
    check(&[close(1001, "späť")], "close Some(1001) \"späť\"");
    let longest = "x".repeat(123);
    check(&[close(1000, &longest)], &format!("close Some(1000) {longest:?}"));
    check(&[close(1000, b"\xce\xba\xe1")], "1007: the reason of a close frame is not UTF-8");
    check(&[close(1000, b"\xed\xa0\x80")], "1007: the reason of a close frame is not UTF-8");
}

#[test]
fn close_codes_are_those_that_may_travel() {
    let good = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
    for code in good.into_iter().chain([3000, 3999, 4000, 4999]) {
        check(&[close(code, "")], &format!("close Some({code}) \"\""));
    }
    let bad = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
    for code in bad {
        check(&[close(code, "")], "1002: a close frame bears a code that must not be sent");
    }
}

#[test]
fn nothing_is_read_after_a_close() {
    let after = [last(TEXT, "after"), last(PING, ""), last(15, "nonsense"), close(1000, "again")];
    for frame in after {
        check(&[close(1000, "bye"), frame], "close Some(1000) \"bye\"");
    }
    check(&[part(TEXT, "unfinished"), last(CLOSE, "")], "close None \"\"");
}
