//! A client's side of the wire: masked frames, legal or not.

pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// The last or only frame of a message, or a control frame.
pub fn last(opcode: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(0x80 | opcode, payload.as_ref(), [0x37, 0xfa, 0x21, 0x3d])
}

/// A frame of a message that goes on.
pub fn part(opcode: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(opcode, payload.as_ref(), [0x01, 0x00, 0xff, 0x80])
}

/// A close frame with a code and a reason.
pub fn close(code: u16, reason: impl AsRef<[u8]>) -> Vec<u8> {
    last(CLOSE, [&code.to_be_bytes(), reason.as_ref()].concat())
}

/// A masked frame whose first byte is `first`.
pub fn frame(first: u8, payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ ..=125 => frame.push(0x80 | short as u8),
        medium @ ..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((medium as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}
