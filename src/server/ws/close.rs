//! Status codes of a closing connection, and the payload of the frame that bears one.

use super::Violation;

/// Why this server closes a connection: the codes it uses, of RFC 6455 section 7.4.1 and the
/// registry of close codes at IANA (1013).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The purpose of the connection is fulfilled.
    Normal = 1000,
    /// The server is going down.
    GoingAway = 1001,
    /// The client broke the protocol.
    ProtocolError = 1002,
    /// The client sent a kind of data that is not accepted.
    UnsupportedData = 1003,
    /// A text is not UTF-8.
    InvalidPayload = 1007,
    /// The client broke a rule of this server, such as a rate limit.
    PolicyViolation = 1008,
    /// A message is larger than this server accepts.
    MessageTooBig = 1009,
    /// The server met a fault of its own.
    InternalError = 1011,
    /// The server is overloaded; the client may come back later.
    TryAgainLater = 1013,
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code as u16
    }
}

/// Whether a close frame may bear `code` (RFC 6455 section 7.4.2): 1004 to 1006 and 1015 never
/// travel, 1016 to 2999 are not assigned, 3000 to 4999 belong to applications.
fn may_travel(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Reads the payload of a close frame: nothing, or a code and a reason in UTF-8 (section 5.5.1).
pub(super) fn parse(payload: &[u8]) -> Result<(Option<u16>, &str), Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        let broken = Violation::protocol("the payload of a close frame is one byte");
        return if payload.is_empty() { Ok((None, "")) } else { Err(broken) };
    };
    let code = u16::from_be_bytes(*code);
    if !may_travel(code) {
        return Err(Violation::protocol("a close frame bears a code that must not be sent"));
    }
    let reason = str::from_utf8(reason)
        .map_err(|_| Violation::not_utf8("the reason of a close frame is not UTF-8"))?;
    Ok((Some(code), reason))
}
