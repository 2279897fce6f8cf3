//! The finished frames of one message, one for each coding in use.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::frame::{Header, Opcode};
use super::messagepack::pack;
use super::{Coding, Deflater, Encoding};

/// The message `json` as one frame in this coding. What MessagePack has no word for comes as JSON, in
/// a text frame.
pub fn finish(json: &[u8], coding: Coding, deflater: &Deflater) -> Bytes {
    let packed = match coding.encoding {
        Encoding::Json => None,
        Encoding::MessagePack => pack(json),
    };
    let (opcode, payload) = match &packed {
        Some(packed) => (coding.encoding.opcode(), &packed[..]),
        None => (Opcode::Text, json),
    };
    match coding.deflate.then(|| deflater.deflate(payload)).flatten() {
        Some(small) => Header::new(opcode, small.len()).compressed().before(&[&small]),
        None => Header::new(opcode, payload.len()).before(&[payload]),
    }
}

/// Counts the bytes of frames that are made beside the first one.
pub(super) type Held = Arc<AtomicUsize>;

/// The frames of one message. That of plain JSON is always there, the others are made when somebody
/// first needs them.
#[derive(Debug)]
pub(super) struct Frames {
    plain: Bytes,
    /// By [`Coding::index`], from 1.
    others: [OnceLock<Bytes>; Coding::ALL.len() - 1],
    /// Where those are counted for as long as they live.
    held: Option<Held>,
}

impl Frames {
    /// The frames of a message that is `json`, and the place of that in the first of them.
    pub(super) fn new(json: &[&[u8]], held: Option<Held>) -> (Self, Bytes) {
        let length = json.iter().map(|part| part.len()).sum();
        let header = Header::new(Opcode::Text, length);
        let plain = header.before(json);
        let text = plain.slice(header.as_bytes().len()..);
        (Self { plain, others: Default::default(), held }, text)
    }

    /// The first frame alone.
    pub(super) fn plain_alone(&self) -> Self {
        Self { plain: self.plain.clone(), others: Default::default(), held: None }
    }

    pub(super) fn get(&self, text: &[u8], coding: Coding, deflater: &Deflater) -> Bytes {
        let Some(index) = coding.index().checked_sub(1) else { return self.plain.clone() };
        let make = || {
            let frame = finish(text, coding, deflater);
            if frame == self.plain {
                // Too small to be compressed, say.
                return self.plain.clone();
            }
            if let Some(held) = &self.held {
                held.fetch_add(frame.len(), Ordering::Relaxed);
            }
            frame
        };
        self.others[index].get_or_init(make).clone()
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        let Some(held) = &self.held else { return };
        for frame in self.others.iter().filter_map(OnceLock::get) {
            if frame.as_ptr() != self.plain.as_ptr() {
                held.fetch_sub(frame.len(), Ordering::Relaxed);
            }
        }
    }
}
