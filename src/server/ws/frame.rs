//! Frames that steer a connection, and plain ones, finished.

use bytes::Bytes;

use super::CloseCode;
use crate::hub::{Header, Opcode};

/// The most bytes that the payload of a control frame may have (RFC 6455 section 5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

/// A text message.
pub fn text(payload: &str) -> Bytes {
    finished(Opcode::Text, &[payload.as_bytes()])
}

/// A binary message.
pub fn binary(payload: &[u8]) -> Bytes {
    finished(Opcode::Binary, &[payload])
}

/// A ping; a payload of more than 125 bytes is cut.
pub fn ping(payload: &[u8]) -> Bytes {
    finished(Opcode::Ping, &[&payload[..payload.len().min(MAX_CONTROL_PAYLOAD)]])
}

/// The answer to a ping with this payload; more than 125 bytes, which no ping has, are cut.
pub fn pong(payload: &[u8]) -> Bytes {
    finished(Opcode::Pong, &[&payload[..payload.len().min(MAX_CONTROL_PAYLOAD)]])
}

/// The end of a connection, with a reason for people: of more than 123 bytes it keeps the
/// characters that fit.
pub fn close(code: CloseCode, reason: &str) -> Bytes {
    let room = reason.floor_char_boundary(MAX_CONTROL_PAYLOAD - 2);
    finished(Opcode::Close, &[&u16::from(code).to_be_bytes(), &reason.as_bytes()[..room]])
}

/// The answer to a close frame: its own code, if it had one (RFC 6455 section 5.5.1).
pub fn close_reply(received: Option<u16>) -> Bytes {
    match received {
        Some(code) => finished(Opcode::Close, &[&code.to_be_bytes()]),
        None => finished(Opcode::Close, &[]),
    }
}

fn finished(opcode: Opcode, payload: &[&[u8]]) -> Bytes {
    Header::new(opcode, payload.iter().map(|part| part.len()).sum()).before(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame begins with `head`, in hexadecimal, and `length` bytes follow.
    fn check(frame: &[u8], head: &str, length: usize) {
        let start: String =
            frame[..frame.len() - length].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(start, head);
    }

    #[test]
    fn lengths_are_written_in_the_fewest_bytes() {
        check(&text(""), "8100", 0);
        check(&text(&"x".repeat(125)), "817d", 125);
        check(&text(&"x".repeat(126)), "817e007e", 126);
        check(&binary(&[0; 0xffff]), "827effff", 0xffff);
        check(&binary(&[0; 0x1_0000]), "827f0000000000010000", 0x1_0000);
    }

    #[test]
    fn frames_are_header_then_payload() {
        assert_eq!(&text("Hello")[..], b"\x81\x05Hello");
        assert_eq!(&binary(&[0xff])[..], b"\x82\x01\xff");
        assert_eq!(&ping(b"?")[..], b"\x89\x01?");
        assert_eq!(&pong(b"!")[..], b"\x8a\x01!");
        assert_eq!(&close(CloseCode::GoingAway, "restart")[..], b"\x88\x09\x03\xe9restart");
        assert_eq!(&close_reply(Some(4999))[..], b"\x88\x02\x13\x87");
        assert_eq!(&close_reply(None)[..], b"\x88\x00");
    }

    #[test]
    fn control_frames_never_exceed_125_bytes() {
        check(&ping(&[0; 126]), "897d", 125);
        check(&pong(&[0; 126]), "8a7d", 125);
        // 123 bytes would end inside the 62nd é.
        check(&close(CloseCode::Normal, &"é".repeat(70)), "887c03e8", 122);
        check(&close(CloseCode::Normal, &"e".repeat(124)), "887d03e8", 123);
    }
}
