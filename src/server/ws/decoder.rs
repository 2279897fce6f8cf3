//! From a client's bytes, in whatever pieces they come, to its messages.

use super::close::{self, CloseCode};
use super::header::{Header, HeaderReader};
use super::mask::Mask;
use super::message::{Limits, Message};
use crate::hub::Opcode;

/// What a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Text(String),
    Binary(Vec<u8>),
    /// To be answered by [`super::frame::pong`] with the same payload, of at most 125 bytes.
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// To be answered by [`super::frame::close_reply`] with the same code, unless this side closed
    /// first. What comes after it is discarded.
    Close {
        code: Option<u16>,
        reason: String,
    },
}

/// How a client broke the protocol, to be told in a close frame before the connection is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Violation {
    /// [`CloseCode::ProtocolError`], [`CloseCode::InvalidPayload`], [`CloseCode::MessageTooBig`] or
    /// [`CloseCode::UnsupportedData`].
    pub code: CloseCode,
    /// A clause for people, shorter than the 123 bytes that a close frame has room for.
    pub reason: &'static str,
}

impl Violation {
    pub(super) const fn protocol(reason: &'static str) -> Self {
        Self { code: CloseCode::ProtocolError, reason }
    }

    pub(super) const fn not_utf8(reason: &'static str) -> Self {
        Self { code: CloseCode::InvalidPayload, reason }
    }

    pub(super) const fn unsupported(reason: &'static str) -> Self {
        Self { code: CloseCode::UnsupportedData, reason }
    }

    pub(super) const fn not_deflate(reason: &'static str) -> Self {
        Self { code: CloseCode::InvalidPayload, reason }
    }

    pub(super) const fn too_big(reason: &'static str) -> Self {
        Self { code: CloseCode::MessageTooBig, reason }
    }
}

/// Reads the frames of one client (RFC 6455 sections 5 and 8.1). Between messages it holds no
/// memory beyond itself, and within one never more than its limit and a control frame.
///
/// Pings, pongs and empty messages are events like others: how many are too many is for the caller
/// to count.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    header: HeaderReader,
    /// The frame whose payload is arriving.
    frame: Option<Frame>,
    /// The message that this frame, or one after it, ends.
    message: Option<Message>,
    /// The payload of a control frame, which may come between the fragments of a message.
    control: Vec<u8>,
    ended: bool,
}

#[derive(Debug)]
struct Frame {
    fin: bool,
    opcode: Opcode,
    mask: Mask,
    remaining: u64,
}

impl Decoder {
    /// A decoder that refuses a message of more than `max_message_size` bytes, all its fragments
    /// together, when a header announces it.
    pub fn new(max_message_size: usize) -> Self {
        Self {
            limits: Limits::new(max_message_size),
            header: HeaderReader::default(),
            frame: None,
            message: None,
            control: Vec::new(),
            ended: false,
        }
    }

    /// The same decoder, for a client with whom permessage-deflate was agreed on (RFC 7692). A
    /// compressed message is held as it arrives, and inflated when it is whole: then it may take
    /// up its limit twice.
    #[must_use]
    pub fn with_deflate(mut self, agreed: bool) -> Self {
        self.header.deflate = agreed;
        self
    }

    /// Takes from the front of `input` as much as makes one event; `None` once all of it is taken
    /// and the next event needs more. To be called until then:
    ///
    /// ```
    /// # use gz_monitor::server::ws::{Decoder, Event, Violation};
    /// # fn main() -> Result<(), Violation> {
    /// let mut decoder = Decoder::new(64 << 10);
    /// let mut input: &[u8] = b"\x89\x80KEY.\x81\x82\0\0\0\0hi";
    /// assert_eq!(decoder.decode(&mut input)?, Some(Event::Ping(vec![])));
    /// assert_eq!(decoder.decode(&mut input)?, Some(Event::Text("hi".into())));
    /// assert_eq!(decoder.decode(&mut input)?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The first breach of the protocol. After it, and after [`Event::Close`], everything is
    /// discarded (sections 5.5.1 and 7.1.7).
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Violation> {
        if self.ended {
            *input = &[];
            return Ok(None);
        }
        let result = self.advance(input);
        if matches!(result, Ok(Some(Event::Close { .. })) | Err(_)) {
            self.ended = true;
            (self.frame, self.message, self.control) = (None, None, Vec::new());
        }
        result
    }

    /// Bytes of memory held for what has not arrived in full.
    pub fn buffered(&self) -> usize {
        self.control.capacity() + self.message.as_ref().map_or(0, Message::capacity)
    }

    /// Whether it is between two messages, where another decoder would do as well.
    pub fn is_idle(&self) -> bool {
        let is_begun = self.header.is_begun() || self.frame.is_some() || self.message.is_some();
        !is_begun && !self.ended
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Violation> {
        loop {
            if self.frame.is_none() {
                let Some(header) = self.header.read(input)? else {
                    return Ok(None);
                };
                self.frame = Some(self.begin(header)?);
            }
            let Some(frame) = self.take_payload(input)? else {
                return Ok(None);
            };
            if let Some(event) = self.end(&frame)? {
                return Ok(Some(event));
            }
        }
    }

    /// Checks what a header says against what came before it.
    fn begin(&mut self, header: Header) -> Result<Frame, Violation> {
        let Header { fin, opcode, compressed, mask, length } = header;
        match (opcode, &self.message) {
            (Opcode::Continuation, None) => {
                return Err(Violation::protocol("a continuation frame continues no message"));
            }
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(Violation::protocol("a message begins before the last one has ended"));
            }
            (Opcode::Text | Opcode::Binary, None) => {
                self.message = Some(Message::new(opcode == Opcode::Text, compressed));
            }
            _ => {}
        }
        match self.message.as_mut().filter(|_| !opcode.is_control()) {
            Some(message) => message.admit(length, self.limits)?,
            None => self.control.reserve_exact(length as usize),
        }
        Ok(Frame { fin, opcode, mask, remaining: length })
    }

    /// Takes payload from `input`; gives the frame once it is whole.
    fn take_payload(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Violation> {
        let Some(mut frame) = self.frame.take() else {
            return Ok(None);
        };
        let taken = usize::try_from(frame.remaining).unwrap_or(usize::MAX).min(input.len());
        let (bytes, rest) = input.split_at(taken);
        *input = rest;
        frame.remaining -= taken as u64;
        match self.message.as_mut().filter(|_| !frame.opcode.is_control()) {
            Some(message) => {
                let last = frame.fin && frame.remaining == 0;
                message.push(bytes, &mut frame.mask, last, self.limits)?;
            }
            None => {
                let start = self.control.len();
                self.control.extend_from_slice(bytes);
                frame.mask.apply(&mut self.control[start..]);
            }
        }
        if frame.remaining > 0 {
            self.frame = Some(frame);
            return Ok(None);
        }
        Ok(Some(frame))
    }

    /// What a whole frame means; `None` if more of its message is to come.
    fn end(&mut self, frame: &Frame) -> Result<Option<Event>, Violation> {
        let event = match frame.opcode {
            Opcode::Ping => Event::Ping(std::mem::take(&mut self.control)),
            Opcode::Pong => Event::Pong(std::mem::take(&mut self.control)),
            Opcode::Close => {
                let (code, reason) = close::parse(&self.control)?;
                Event::Close { code, reason: reason.to_owned() }
            }
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                match self.message.take_if(|_| frame.fin) {
                    Some(message) => message.finish(self.limits)?,
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(event))
    }
}
