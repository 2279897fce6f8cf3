//! Compression of messages, each by itself, so that one compressed frame suits every client.

use flate2::{Compress, FlushCompress};
use parking_lot::Mutex;

/// What ends a flush, and is left out of a message (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// What is compressed, and how hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    /// From 1, which is fast, to 9, which is thorough.
    pub level: u32,
    /// Payloads of fewer bytes are left as they are.
    pub least: usize,
}

impl Default for Compression {
    fn default() -> Self {
        Self { level: 6, least: 200 }
    }
}

/// Compresses one message at a time; whoever needs a second one meanwhile waits some microseconds.
#[derive(Debug, Default)]
pub struct Deflater(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    settings: Compression,
    /// A quarter of a megabyte, so it is made when it is first needed.
    compress: Option<Compress>,
}

impl Deflater {
    /// Adopts new settings.
    pub fn configure(&self, settings: Compression) {
        let mut state = self.0.lock();
        if state.settings != settings {
            *state = State { settings, compress: None };
        }
    }

    /// `payload` as permessage-deflate has it; `None` if it is too small, or does not get smaller.
    pub(super) fn deflate(&self, payload: &[u8]) -> Option<Vec<u8>> {
        let mut state = self.0.lock();
        let State { settings, compress } = &mut *state;
        if payload.len() < settings.least {
            return None;
        }
        let level = flate2::Compression::new(settings.level);
        let compress = compress.get_or_insert_with(|| Compress::new(level, false));
        // No context takeover: nothing of the message before is of use to the next one's reader.
        compress.reset();
        // What does not fit here is not worth it.
        let mut out = Vec::with_capacity(payload.len() + TAIL.len());
        compress.compress_vec(payload, &mut out, FlushCompress::Sync).ok()?;
        let is_whole = out.len() < out.capacity() && compress.total_in() == payload.len() as u64;
        let length =
            out.len().checked_sub(TAIL.len()).filter(|_| is_whole && out.ends_with(&TAIL))?;
        out.truncate(length);
        out.shrink_to_fit();
        (length < payload.len()).then_some(out)
    }
}
