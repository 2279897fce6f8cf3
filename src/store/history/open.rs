//! The samples of a series that are still being added to: differences, in whole bytes.
//!
//! Of a sample there is the change of the distance to the sample before it (milliseconds, zigzag,
//! LEB128: one byte while ticks come within 64 ms), and the bits of its value that differ from those
//! of the value before: a byte that says which of the eight bytes follow, and these.

use super::Point;
use super::bits::Before;

/// Samples in the order of their times.
#[derive(Debug, Clone, Default)]
pub struct Open {
    bytes: Vec<u8>,
    first: i64,
    count: usize,
    /// What the next sample is told by.
    before: Before,
}

/// How far somebody has read in the samples that are still being added to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReadSoFar {
    count: usize,
    offset: usize,
    before: Before,
}

impl Open {
    pub(super) fn push(&mut self, Point { at, value }: Point) {
        if self.count == 0 {
            self.first = at;
            self.before = Before::starting(at);
        } else {
            self.before.write_time(&mut self.bytes, at);
        }
        self.before.write_value(&mut self.bytes, value);
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
        self.before.at
    }

    /// How many bytes they come to.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What it takes on the heap.
    pub(super) fn size(&self) -> usize {
        self.bytes.capacity()
    }

    /// All of them.
    pub(super) fn points(&self) -> Vec<Point> {
        let mut points = Vec::with_capacity(self.count);
        self.read_on(&mut ReadSoFar::default(), |point| points.push(point));
        points
    }

    /// Those that were added since the last time.
    pub(super) fn read_on(&self, so_far: &mut ReadSoFar, mut take: impl FnMut(Point)) {
        let ReadSoFar { count, offset, mut before } = *so_far;
        let mut bytes = self.bytes.get(offset..).unwrap_or_default();
        for index in count..self.count {
            if index == 0 {
                before = Before::starting(self.first);
            } else if before.read_time(&mut bytes).is_none() {
                break;
            }
            let Some(value) = before.read_value(&mut bytes) else { break };
            take(Point { at: before.at, value });
        }
        let offset = self.bytes.len() - bytes.len();
        *so_far = ReadSoFar { count: self.count, offset, before };
    }

    /// Starts anew, with the memory that it has.
    pub(super) fn clear(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        *self = Self { bytes, ..Self::default() };
    }
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
    fn who_has_read_gets_what_came_since() {
        let (mut open, mut so_far) = (Open::default(), ReadSoFar::default());
        let mut read = Vec::new();
        for i in 0..30i64 {
            open.push(Point { at: 1_000 + i * i, value: i as f64 / 3.0 });
            if i % 7 == 0 {
                open.read_on(&mut so_far, |point| read.push(point));
            }
        }
        open.read_on(&mut so_far, |point| read.push(point));
        assert_eq!(bits(&read), bits(&open.points()));
        open.read_on(&mut so_far, |point| panic!("{point:?} comes twice"));
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
