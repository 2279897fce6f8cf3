//! Cuts a child's output into lines, whatever pieces it comes in, within a bound.

/// Collects bytes until a line is whole. Longer lines than it may hold are passed over whole.
#[derive(Debug)]
pub struct Lines {
    pending: Vec<u8>,
    limit: usize,
    /// The present line is too long: it is dropped up to its end.
    skipping: bool,
}

/// A line was longer than allowed, and is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow;

impl Lines {
    /// Lines of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { pending: Vec::new(), limit, skipping: false }
    }

    /// Takes bytes, and hands every line that they complete to `take`, without its end.
    pub fn push(&mut self, mut bytes: &[u8], mut take: impl FnMut(Result<&[u8], Overflow>)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            if self.skipping {
                self.skipping = false;
            } else if self.pending.len() + line.len() > self.limit {
                take(Err(Overflow));
            } else if self.pending.is_empty() {
                take(Ok(line));
            } else {
                self.pending.extend_from_slice(line);
                take(Ok(&self.pending));
            }
            self.pending.clear();
            bytes = rest;
        }
        if self.skipping {
            return;
        }
        if self.pending.len() + bytes.len() > self.limit {
            self.pending = Vec::new();
            self.skipping = true;
            take(Err(Overflow));
        } else {
            self.pending.extend_from_slice(bytes);
        }
    }

    /// The last line, if it was not ended; at the end of the output.
    pub fn finish(&mut self) -> Vec<u8> {
        self.skipping = false;
        std::mem::take(&mut self.pending)
    }
}
