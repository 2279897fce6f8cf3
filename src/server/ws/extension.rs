//! `Sec-WebSocket-Extensions`: what of it can be agreed on (RFC 6455 section 9, RFC 7692 section 7).

use super::list::{Broken, Lexer};

/// permessage-deflate, as it is agreed on: each message is compressed by itself, in both directions,
/// so that one compressed frame suits every client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deflate {
    /// The client asked how large the server's window is.
    names_window: bool,
}

impl Deflate {
    /// What the server answers.
    pub fn answer(self) -> &'static str {
        if self.names_window {
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15"
        } else {
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        }
    }
}

/// The first offer in these lines of the header that the server can keep to.
///
/// # Errors
/// The lines are no list of extensions; such a handshake is to fail (RFC 6455 section 9.1).
pub(super) fn agree<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Option<Deflate>, Broken> {
    let mut agreed = None;
    for line in lines {
        let mut lexer = Lexer::new(line);
        while lexer.next_member() {
            let name = lexer.token()?;
            let mut offer = Offer::default();
            while lexer.takes(b';') {
                let parameter = lexer.token()?;
                let value = if lexer.takes(b'=') { Some(lexer.token_or_quoted()?) } else { None };
                offer.add(parameter, value.as_deref());
            }
            lexer.end_member()?;
            if agreed.is_none() && name == "permessage-deflate" {
                agreed = offer.deflate();
            }
        }
    }
    Ok(agreed)
}

/// The parameters of one offer of permessage-deflate (RFC 7692 section 7.1).
#[derive(Debug, Default)]
struct Offer {
    seen: [bool; PARAMETERS.len()],
    declined: bool,
}

const PARAMETERS: [&str; 4] = [
    "server_no_context_takeover",
    "client_no_context_takeover",
    "server_max_window_bits",
    "client_max_window_bits",
];

impl Offer {
    fn add(&mut self, name: &str, value: Option<&str>) {
        let Some(index) = PARAMETERS.iter().position(|known| *known == name) else {
            self.declined = true;
            return;
        };
        let is_right = match index {
            0 | 1 => value.is_none(),
            // All clients share what is compressed with the largest window; there is no other one.
            2 => value == Some("15"),
            // A hint; whatever window the client uses, it is within the largest.
            _ => value.is_none_or(is_window_bits),
        };
        self.declined |= self.seen[index] || !is_right;
        self.seen[index] = true;
    }

    fn deflate(&self) -> Option<Deflate> {
        (!self.declined).then_some(Deflate { names_window: self.seen[2] })
    }
}

/// 8 to 15, without leading zeros (section 7.1.2).
fn is_window_bits(value: &str) -> bool {
    matches!(value, "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15")
}
