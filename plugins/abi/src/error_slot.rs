//! The host's slot for the text of a plugin's error: written by a plugin, read by a host.

use std::borrow::Cow;

use crate::{ERROR_TEXT_MAX, Error};

impl Default for Error {
    fn default() -> Self {
        Self { struct_size: size_of::<Self>() as u32, len: 0, message: [0; ERROR_TEXT_MAX] }
    }
}

impl Error {
    /// Puts `text` into the slot at `slot`, cut between two characters if it is too long. Without a
    /// slot, or with one that is too short, nothing happens.
    ///
    /// # Safety
    /// `slot` is NULL, or points to a slot as the header describes it that nobody else uses during
    /// the call.
    pub unsafe fn write(slot: *mut Error, text: &str) {
        if slot.is_null() || !slot.is_aligned() {
            return;
        }
        // SAFETY: not NULL; every slot begins with its size.
        let size = unsafe { (&raw const (*slot).struct_size).read() };
        if (size as usize) < size_of::<Error>() {
            return;
        }
        // SAFETY: the slot says that it is whole, and nobody else uses it.
        let slot = unsafe { &mut *slot };
        let text = &text[..text.floor_char_boundary(ERROR_TEXT_MAX)];
        slot.message[..text.len()].copy_from_slice(text.as_bytes());
        slot.len = text.len() as u32;
    }

    /// What a plugin has written. A length past the slot's is taken for the slot's, and what is not
    /// UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        let len = (self.len as usize).min(ERROR_TEXT_MAX);
        String::from_utf8_lossy(&self.message[..len])
    }
}
