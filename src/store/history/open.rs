//! The samples of a series that are still being added to: differences, in whole bytes.
//!
//! Of a sample there is the change of the distance to the sample before it (milliseconds, zigzag,
//! LEB128: one byte while ticks come within 64 ms), and the bits of its value that differ from those
//! of the value before: a byte that says which of the eight bytes follow, and these.

use super::Point;

/// Samples in the order of their times.
#[derive(Debug, Clone, Default)]
pub(super) struct Open {
    bytes: Vec<u8>,
    first: i64,
    count: usize,
    /// What the next sample is told by.
    last: i64,
    distance: i64,
    bits: u64,
}

impl Open {
    pub(super) fn push(&mut self, Point { at, value }: Point) {
        if self.count == 0 {
            self.first = at;
        } else {
            let distance = at.wrapping_sub(self.last);
            write_integer(&mut self.bytes, distance.wrapping_sub(self.distance));
            self.distance = distance;
        }
        write_change(&mut self.bytes, value.to_bits() ^ self.bits);
        (self.last, self.bits) = (at, value.to_bits());
        self.count += 1;
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// When the first sample was read; of none there is no time that means something.
    pub(super) fn first(&self) -> i64 {
        self.first
    }

    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// What it takes on the heap.
    pub(super) fn size(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn points(&self) -> Vec<Point> {
        let mut bytes = &self.bytes[..];
        let (mut at, mut distance, mut bits) = (self.first, 0i64, 0);
        let mut points = Vec::with_capacity(self.count);
        for index in 0..self.count {
            if index > 0 {
                distance = distance.wrapping_add(read_integer(&mut bytes));
                at = at.wrapping_add(distance);
            }
            bits ^= read_change(&mut bytes);
            points.push(Point { at, value: f64::from_bits(bits) });
        }
        points
    }

    /// Starts anew, with the memory that it has.
    pub(super) fn clear(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        *self = Self { bytes, ..Self::default() };
    }
}

fn write_integer(bytes: &mut Vec<u8>, integer: i64) {
    let mut rest = (integer.wrapping_shl(1) ^ (integer >> 63)) as u64;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn read_integer(bytes: &mut &[u8]) -> i64 {
    let (mut zigzag, mut shift) = (0u64, 0);
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        zigzag |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)
}

/// Zero for no change; else the bytes to leave out at the top in the high half, and how many follow
/// in the low one.
fn write_change(bytes: &mut Vec<u8>, change: u64) {
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

fn read_change(bytes: &mut &[u8]) -> u64 {
    let Some((&head, rest)) = bytes.split_first() else { return 0 };
    let (top, length) = (u32::from(head >> 4), usize::from(head & 0xf));
    let (own, rest) = rest.split_at(length);
    *bytes = rest;
    let mut change = [0; 8];
    change[..length].copy_from_slice(own);
    let bottom = if length == 0 { 0 } else { 8 - top - length as u32 };
    u64::from_le_bytes(change) << (bottom * 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(points: &[Point]) -> Vec<(i64, u64)> {
        points.iter().map(|point| (point.at, point.value.to_bits())).collect()
    }

    proptest! {
        #[test]
        fn what_is_added_comes_back_to_the_bit(
            samples in prop::collection::vec((any::<i64>(), any::<u64>()), 0..50),
            mild in prop::collection::vec((0i64..10_000, -1000i32..1000), 0..50),
        ) {
            let wild = samples.into_iter().map(|(at, bits)| (at, f64::from_bits(bits)));
            let mild = mild.into_iter().map(|(at, value)| (at, f64::from(value) / 8.0));
            let points: Vec<Point> =
                wild.chain(mild).map(|(at, value)| Point { at, value }).collect();
            let mut open = Open::default();
            points.iter().for_each(|point| open.push(*point));
            prop_assert_eq!(bits(&open.points()), bits(&points));
            open.clear();
            prop_assert!(open.points().is_empty());
            points.iter().for_each(|point| open.push(*point));
            prop_assert_eq!(bits(&open.points()), bits(&points));
        }
    }

    #[test]
    fn a_steady_series_takes_two_bytes_a_sample() {
        let mut open = Open::default();
        for i in 0..100 {
            open.push(Point { at: 1_700_000_000_000 + i * 5_000 + i % 7, value: 0.1 });
        }
        assert!(open.bytes.len() < 220, "{} bytes", open.bytes.len());
    }
}
