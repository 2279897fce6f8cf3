//! Borrowed strings: from Rust's to the header's, and carefully back.

use std::fmt;
use std::ptr;

use crate::Str;

/// Why a borrowed string is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// NULL with a length.
    Null {
        /// Bytes that NULL is said to have.
        len: usize,
    },
    /// Longer than it may be.
    TooLong {
        /// Bytes.
        len: usize,
        /// Bytes at the most.
        limit: usize,
    },
    /// Not UTF-8.
    NotUtf8 {
        /// Bytes from the beginning that are.
        valid_up_to: usize,
    },
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextFault::Null { len } => write!(f, "NULL with a length of {len}"),
            TextFault::TooLong { len, limit } => write!(f, "{len} bytes; {limit} at the most"),
            TextFault::NotUtf8 { valid_up_to } => write!(f, "not UTF-8 at byte {valid_up_to}"),
        }
    }
}

impl std::error::Error for TextFault {}

impl Str {
    /// The empty string.
    pub const EMPTY: Self = Self { ptr: ptr::null(), len: 0 };

    /// Borrows `text`. The lifetime is not kept: the caller hands it on for one call only, or `text`
    /// is static.
    pub const fn new(text: &str) -> Self {
        Self { ptr: text.as_ptr().cast(), len: text.len() }
    }

    /// Borrows bytes, for the one string that may not be UTF-8, [`Root::path`](crate::Root::path).
    pub const fn from_bytes(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr().cast(), len: bytes.len() }
    }

    /// The bytes.
    ///
    /// # Safety
    /// If `ptr` is not NULL and `len` not over `limit`, `len` bytes can be read there and do not
    /// change for `'a`.
    ///
    /// # Errors
    /// NULL with a length; longer than `limit` bytes.
    pub unsafe fn bytes<'a>(self, limit: usize) -> Result<&'a [u8], TextFault> {
        let Self { ptr, len } = self;
        if len > limit {
            return Err(TextFault::TooLong { len, limit });
        }
        match (ptr.is_null(), len) {
            (_, 0) => Ok(&[]),
            (true, len) => Err(TextFault::Null { len }),
            // SAFETY: not NULL, within the limit; the rest is the caller's word.
            (false, len) => Ok(unsafe { std::slice::from_raw_parts(ptr.cast(), len) }),
        }
    }

    /// The text.
    ///
    /// # Safety
    /// As for [`Str::bytes`].
    ///
    /// # Errors
    /// As for [`Str::bytes`]; not UTF-8.
    pub unsafe fn text<'a>(self, limit: usize) -> Result<&'a str, TextFault> {
        // SAFETY: the same contract.
        let bytes = unsafe { self.bytes(limit) }?;
        std::str::from_utf8(bytes)
            .map_err(|error| TextFault::NotUtf8 { valid_up_to: error.valid_up_to() })
    }

    /// The text, cut to `limit` bytes and with what is not UTF-8 replaced: for log lines, which are
    /// better maimed than lost.
    ///
    /// # Safety
    /// If `ptr` is not NULL, `len` bytes can be read there, or `limit` if that is less, and do not
    /// change during the call.
    pub unsafe fn lossy(self, limit: usize) -> String {
        let cut = Self { ptr: self.ptr, len: self.len.min(limit) };
        // SAFETY: the caller's word, for no more bytes than that.
        let bytes = unsafe { cut.bytes(limit) }.unwrap_or_default();
        let mut text = String::from_utf8_lossy(bytes);
        // A character that the limit went through is no fault of the plugin's.
        if self.len > limit
            && text.ends_with(char::REPLACEMENT_CHARACTER)
            && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
        {
            text.to_mut().pop();
        }
        text.into_owned()
    }
}
