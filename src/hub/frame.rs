//! The frame around a message of the server (RFC 6455 section 5.2): header, then payload.

use bytes::Bytes;

/// What a frame is (RFC 6455 section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    /// The opcode of the low four bits of a frame, if the RFC defines it.
    pub fn from_bits(bits: u8) -> Option<Self> {
        use Opcode::{Binary, Close, Continuation, Ping, Pong, Text};
        [Continuation, Text, Binary, Close, Ping, Pong].into_iter().find(|code| *code as u8 == bits)
    }

    /// Whether it steers the connection and bears no data: never fragmented, at most 125 bytes.
    pub fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// FIN: the frame is the last of its message.
const LAST: u8 = 0x80;
/// RSV1: the message is compressed (RFC 7692 section 6).
const COMPRESSED: u8 = 0x40;

/// The header of an unfragmented, unmasked frame.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    bytes: [u8; 10],
    length: u8,
}

impl Header {
    /// The header of a frame with `payload` bytes, in 2, 4 or 10 bytes.
    pub fn new(opcode: Opcode, payload: usize) -> Self {
        let mut header = Self { bytes: [0; 10], length: 0 };
        header.push(&[LAST | opcode as u8]);
        match (u8::try_from(payload), u16::try_from(payload)) {
            (Ok(short @ ..=125), _) => header.push(&[short]),
            (_, Ok(medium)) => {
                header.push(&[126]);
                header.push(&medium.to_be_bytes());
            }
            _ => {
                header.push(&[127]);
                header.push(&(payload as u64).to_be_bytes());
            }
        }
        header
    }

    /// Says that the payload is compressed.
    #[must_use]
    pub fn compressed(mut self) -> Self {
        self.bytes[0] |= COMPRESSED;
        self
    }

    /// The bytes to send before the payload.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The whole frame, of a payload that comes in these parts.
    pub fn before(&self, payload: &[&[u8]]) -> Bytes {
        let length: usize = payload.iter().map(|part| part.len()).sum();
        let mut frame = Vec::with_capacity(self.as_bytes().len() + length);
        frame.extend_from_slice(self.as_bytes());
        payload.iter().for_each(|part| frame.extend_from_slice(part));
        frame.into()
    }

    fn push(&mut self, more: &[u8]) {
        let start = usize::from(self.length);
        self.bytes[start..start + more.len()].copy_from_slice(more);
        self.length += more.len() as u8;
    }
}
