//! A client's compressed message, inflated within a bound (RFC 7692 section 7.2.2).

use flate2::{Decompress, FlushDecompress, Status};

use super::Violation;

/// What a sender leaves out at the end of each message, and behind it an empty last block. That one
/// can only be read where a block begins: so a message that stops within a block is found out.
const TAIL: [u8; 9] = [0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff];

/// Room for the first bytes of a message; it doubles with what comes.
const FIRST_ROOM: usize = 512;

const BROKEN: Violation = Violation::not_deflate("a compressed message cannot be inflated");

/// How many bytes a message of `size` bytes may have while it is compressed: deflate adds a little
/// to what it cannot shrink.
pub(super) fn wire_size(size: usize) -> usize {
    size + size / 64 + 64
}

/// The message that `payload` is, of at most `limit` bytes. Of one that would be larger, a single
/// byte more is produced.
pub(super) fn inflate(payload: &[u8], limit: usize) -> Result<Vec<u8>, Violation> {
    let mut inflater = Inflater { decompress: Decompress::new(false), out: Vec::new(), limit };
    inflater.feed(payload)?;
    if !inflater.feed(&TAIL)? {
        return Err(BROKEN);
    }
    Ok(inflater.out)
}

struct Inflater {
    decompress: Decompress,
    out: Vec<u8>,
    limit: usize,
}

impl Inflater {
    /// Inflates all of `input`; whether a stream of blocks ended with it.
    fn feed(&mut self, mut input: &[u8]) -> Result<bool, Violation> {
        loop {
            self.make_room();
            let (taken, made) = (self.decompress.total_in(), self.out.len());
            let flush = FlushDecompress::None;
            let status = self.decompress.decompress_vec(input, &mut self.out, flush);
            let status = status.map_err(|_| BROKEN)?;
            let taken = (self.decompress.total_in() - taken) as usize;
            input = &input[taken..];
            if self.out.len() > self.limit {
                return Err(Violation::too_big("a message is larger than this server accepts"));
            }
            if status == Status::StreamEnd {
                // A last block need not be the last of the message (section 7.2.3.4).
                self.decompress.reset(false);
                if input.is_empty() {
                    return Ok(true);
                }
            } else if input.is_empty() && self.out.len() < self.out.capacity() {
                return Ok(false);
            } else if taken == 0 && self.out.len() == made {
                return Err(BROKEN);
            }
        }
    }

    /// Never beyond the limit and the byte that shows that it is passed.
    fn make_room(&mut self) {
        let (length, most) = (self.out.len(), self.limit + 1);
        if length == self.out.capacity() {
            let wanted = (2 * length).clamp(FIRST_ROOM.min(most), most);
            self.out.reserve_exact(wanted - length);
        }
    }
}
