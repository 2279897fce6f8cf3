//! The header of a client's frame, read from any pieces (RFC 6455 section 5.2).

use super::Violation;
use super::frame::MAX_CONTROL_PAYLOAD;
use super::mask::Mask;
use crate::hub::Opcode;

/// A whole header, legal by itself.
#[derive(Debug)]
pub(super) struct Header {
    pub fin: bool,
    pub opcode: Opcode,
    /// RSV1: its message is compressed.
    pub compressed: bool,
    pub mask: Mask,
    /// Length of the payload in bytes, below 2^63.
    pub length: u64,
}

/// Keeps the first bytes of a header until the last has come.
#[derive(Debug, Default)]
pub(super) struct HeaderReader {
    bytes: [u8; 14],
    filled: usize,
    /// Whether compression was agreed on.
    pub deflate: bool,
}

impl HeaderReader {
    /// Takes from `input` what is missing of a header; `None` if that was not all of it. Faults in
    /// the first two bytes are reported before the rest has come.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Header>, Violation> {
        if !self.fill(2, input) {
            return Ok(None);
        }
        let [first, second, ..] = self.bytes;
        let opcode = check_start(first, second, self.deflate)?;
        let length_bytes = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if !self.fill(2 + length_bytes + 4, input) {
            return Ok(None);
        }
        self.filled = 0;
        let length = self.length(length_bytes)?;
        let key = 2 + length_bytes;
        let key = [0, 1, 2, 3].map(|i| self.bytes[key + i]);
        let (fin, compressed) = (first & 0x80 != 0, first & 0x40 != 0);
        Ok(Some(Header { fin, opcode, compressed, mask: Mask::new(key), length }))
    }

    /// Whether a part of a header is here.
    pub fn is_begun(&self) -> bool {
        self.filled > 0
    }

    /// Moves bytes from `input` until `wanted` are here; whether they are.
    fn fill(&mut self, wanted: usize, input: &mut &[u8]) -> bool {
        let taken = wanted.saturating_sub(self.filled).min(input.len());
        let (head, rest) = input.split_at(taken);
        self.bytes[self.filled..self.filled + taken].copy_from_slice(head);
        self.filled += taken;
        *input = rest;
        self.filled >= wanted
    }

    /// The length of the payload, in the shortest of the three ways to write it.
    fn length(&self, length_bytes: usize) -> Result<u64, Violation> {
        let extended = &self.bytes[2..2 + length_bytes];
        let extended = extended.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
        let (length, least) = match length_bytes {
            0 => (u64::from(self.bytes[1] & 0x7f), 0),
            2 => (extended, 126),
            _ => (extended, 1 << 16),
        };
        if length < least {
            return Err(Violation::protocol("a length is written in more bytes than it needs"));
        }
        if length > i64::MAX as u64 {
            return Err(Violation::protocol("the highest bit of a length is set"));
        }
        Ok(length)
    }
}

/// Checks what the first two bytes of a frame say for themselves.
fn check_start(first: u8, second: u8, deflate: bool) -> Result<Opcode, Violation> {
    let agreed = if deflate { 0x40 } else { 0 };
    if first & 0x70 & !agreed != 0 {
        return Err(Violation::protocol("a reserved bit is set and no extension was agreed on"));
    }
    let opcode =
        Opcode::from_bits(first & 0x0f).ok_or(Violation::protocol("an opcode is unknown"))?;
    if first & 0x40 != 0 && !matches!(opcode, Opcode::Text | Opcode::Binary) {
        return Err(Violation::protocol(
            "a frame that does not begin a message says that it is compressed",
        ));
    }
    if second & 0x80 == 0 {
        return Err(Violation::protocol("a frame is not masked"));
    }
    if opcode.is_control() && first & 0x80 == 0 {
        return Err(Violation::protocol("a control frame is fragmented"));
    }
    if opcode.is_control() && usize::from(second & 0x7f) > MAX_CONTROL_PAYLOAD {
        return Err(Violation::protocol("a control frame has more than 125 bytes"));
    }
    Ok(opcode)
}
