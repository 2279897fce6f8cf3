//! Numbers in as few whole bytes as their change takes.

/// An integer that is mostly near zero: zigzag, then LEB128.
pub(super) fn write_integer(bytes: &mut Vec<u8>, integer: i64) {
    let mut rest = (integer.wrapping_shl(1) ^ (integer >> 63)) as u64;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

/// `None` where the bytes end too soon.
pub(super) fn read_integer(bytes: &mut &[u8]) -> Option<i64> {
    let (mut zigzag, mut shift) = (0u64, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        zigzag |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
        }
    }
}

/// Zero for no change; else the bytes to leave out at the top in the high half, and how many follow
/// in the low one.
pub(super) fn write_change(bytes: &mut Vec<u8>, change: u64) {
    if change == 0 {
        bytes.push(0);
        return;
    }
    let (top, bottom) = (change.leading_zeros() / 8, change.trailing_zeros() / 8);
    let length = 8 - top - bottom;
    bytes.push((top << 4 | length) as u8);
    let change = (change >> (bottom * 8)).to_le_bytes();
    bytes.extend_from_slice(&change[..length as usize]);
}

/// `None` where the bytes end too soon, or cannot have been written so.
pub(super) fn read_change(bytes: &mut &[u8]) -> Option<u64> {
    let (&head, rest) = bytes.split_first()?;
    let (top, length) = (u32::from(head >> 4), usize::from(head & 0xf));
    let (own, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    let mut change = [0; 8];
    change.get_mut(..length)?.copy_from_slice(own);
    if length == 0 {
        return Some(0);
    }
    let bottom = 8u32.checked_sub(top)?.checked_sub(length as u32)?;
    Some(u64::from_le_bytes(change) << (bottom * 8))
}

/// What the next sample of a series is told by.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    pub(super) at: i64,
    distance: i64,
    bits: u64,
}

impl Before {
    /// What follows a sample at this time that was told otherwise.
    pub(super) fn starting(at: i64) -> Self {
        Self { at, distance: 0, bits: 0 }
    }

    /// Writes the change of the distance to the sample before.
    pub(super) fn write_time(&mut self, bytes: &mut Vec<u8>, at: i64) {
        let distance = at.wrapping_sub(self.at);
        write_integer(bytes, distance.wrapping_sub(self.distance));
        (self.at, self.distance) = (at, distance);
    }

    /// Writes the bits that differ from those of the value before.
    pub(super) fn write_value(&mut self, bytes: &mut Vec<u8>, value: f64) {
        write_change(bytes, value.to_bits() ^ self.bits);
        self.bits = value.to_bits();
    }

    pub(super) fn read_time(&mut self, bytes: &mut &[u8]) -> Option<i64> {
        self.distance = self.distance.wrapping_add(read_integer(bytes)?);
        self.at = self.at.wrapping_add(self.distance);
        Some(self.at)
    }

    pub(super) fn read_value(&mut self, bytes: &mut &[u8]) -> Option<f64> {
        self.bits ^= read_change(bytes)?;
        Some(f64::from_bits(self.bits))
    }
}
