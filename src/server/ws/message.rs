//! A data message that is put together from its fragments, within its limits.

use super::inflate::{inflate, wire_size};
use super::mask::Mask;
use super::utf8::whole_characters;
use super::{Event, Violation};

/// What a message may cost, whoever sends it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of payload.
    pub size: usize,
    /// Frames.
    pub fragments: usize,
}

impl Limits {
    /// A message of `size` bytes may come in fragments of 64 bytes, and a small one in 1,024: so a
    /// client cannot keep a message open for ever with empty fragments.
    pub fn new(size: usize) -> Self {
        Self { size, fragments: (size / 64).max(1_024) }
    }
}

/// The message that is arriving.
#[derive(Debug)]
pub(super) struct Message {
    is_text: bool,
    compressed: bool,
    /// What has arrived of it.
    payload: Vec<u8>,
    /// Bytes at the start of a text that are known to be whole characters.
    checked: usize,
    fragments: usize,
}

impl Message {
    pub fn new(is_text: bool, compressed: bool) -> Self {
        Self { is_text, compressed, payload: Vec::new(), checked: 0, fragments: 0 }
    }

    /// Lets in one more frame of `length` bytes, of which none has arrived, or refuses it.
    pub fn admit(&mut self, length: u64, limits: Limits) -> Result<(), Violation> {
        let room = (self.wire_size(limits) - self.payload.len()) as u64;
        if length > room {
            return Err(Violation::too_big("a message is larger than this server accepts"));
        }
        self.fragments += 1;
        if self.fragments > limits.fragments {
            return Err(Violation::too_big(
                "a message has more fragments than this server accepts",
            ));
        }
        Ok(())
    }

    /// Adds bytes of a frame that was admitted. `last` are those that end the message: they are
    /// checked by [`Message::finish`].
    pub fn push(
        &mut self,
        bytes: &[u8],
        mask: &mut Mask,
        last: bool,
        limits: Limits,
    ) -> Result<(), Violation> {
        let start = self.payload.len();
        self.reserve(bytes.len(), limits);
        self.payload.extend_from_slice(bytes);
        mask.apply(&mut self.payload[start..]);
        if self.is_text && !self.compressed && !last {
            self.checked = whole_characters(&self.payload, self.checked)
                .map_err(|_| Violation::not_utf8("a text message is not UTF-8"))?;
        }
        Ok(())
    }

    /// The whole message.
    pub fn finish(self, limits: Limits) -> Result<Event, Violation> {
        let payload = match self.compressed {
            true => inflate(&self.payload, limits.size)?,
            false => self.payload,
        };
        if !self.is_text {
            return Ok(Event::Binary(payload));
        }
        let text = String::from_utf8(payload);
        text.map(Event::Text).map_err(|_| Violation::not_utf8("a text message is not UTF-8"))
    }

    /// Bytes of memory held.
    pub fn capacity(&self) -> usize {
        self.payload.capacity()
    }

    /// How many bytes of it may arrive.
    fn wire_size(&self, limits: Limits) -> usize {
        if self.compressed { wire_size(limits.size) } else { limits.size }
    }

    /// Makes room for what has arrived, not for what a header promises: many clients could promise
    /// much. Grows by doubling, and never beyond the limit.
    fn reserve(&mut self, more: usize, limits: Limits) {
        let needed = self.payload.len() + more;
        if needed > self.payload.capacity() {
            let wanted = (2 * self.payload.capacity()).min(self.wire_size(limits)).max(needed);
            self.payload.reserve_exact(wanted - self.payload.len());
        }
    }
}
