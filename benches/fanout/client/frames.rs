//! Frames of a server, taken apart where they lie.

use anyhow::bail;

/// A frame that is there as a whole.
pub struct Frame<'a> {
    pub opcode: u8,
    /// Whether RSV1 says so.
    pub is_compressed: bool,
    pub payload: &'a [u8],
    /// Of the whole frame.
    pub bytes: usize,
}

pub const TEXT: u8 = 0x1;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xa;

/// The frame that `bytes` begin with; `None` if it is not all there.
pub fn first(bytes: &[u8]) -> anyhow::Result<Option<Frame<'_>>> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    if second & 0x80 != 0 || first & 0x80 == 0 {
        bail!("a frame of the server is masked, or a fragment");
    }
    let (length, header) = match (second, rest) {
        (126, &[a, b, ..]) => (usize::from(u16::from_be_bytes([a, b])), 4),
        (127, &[a, b, c, d, e, f, g, h, ..]) => {
            (u64::from_be_bytes([a, b, c, d, e, f, g, h]) as usize, 10)
        }
        (126 | 127, _) => return Ok(None),
        (length, _) => (usize::from(length), 2),
    };
    let Some(payload) = bytes.get(header..header + length) else { return Ok(None) };
    let (opcode, is_compressed) = (first & 0xf, first & 0x40 != 0);
    Ok(Some(Frame { opcode, is_compressed, payload, bytes: header + length }))
}

/// A frame of a client, with a mask that changes nothing, as long as it is short.
pub fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(length @ 0..126) => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend((payload.len() as u16).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}
