//! A sealed run of one series' samples: a byte string that says all of itself.
//!
//! ```text
//! offset  bytes  what
//!      0      1  the version of this form, 1
//!      1      4  how many samples, u32, little-endian as all that follows
//!      5      8  time of the first sample, i64, milliseconds since 1970
//!     13      8  time of the last one
//!     21      4  length of the times, u32
//!     25         the times as i64, then the values as f64, each a standalone pco file
//! ```

use std::sync::Arc;

use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};

use super::Point;

const VERSION: u8 = 1;
const HEADER: usize = 25;

/// Sealed samples, in the order of their times. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk(Arc<[u8]>);

/// The bytes are no chunk, or a damaged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no chunk of samples, or a damaged one")]
pub struct Damaged;

impl Chunk {
    /// Seals samples, of which there is at least one.
    pub fn seal(points: &[Point]) -> Self {
        let times: Vec<i64> = points.iter().map(|point| point.at).collect();
        let values: Vec<f64> = points.iter().map(|point| point.value).collect();
        let config = ChunkConfig::default();
        // It fails for configurations that are out of range; the default one is not.
        let packed = "the default configuration is valid";
        let times_packed = simple_compress(&times, &config).expect(packed);
        let values_packed = simple_compress(&values, &config).expect(packed);
        let bounds = [times[0], times[times.len() - 1]];
        let mut bytes = Vec::with_capacity(HEADER + times_packed.len() + values_packed.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&(points.len() as u32).to_le_bytes());
        bounds.iter().for_each(|bound| bytes.extend_from_slice(&bound.to_le_bytes()));
        bytes.extend_from_slice(&(times_packed.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&times_packed);
        bytes.extend_from_slice(&values_packed);
        Self(bytes.into())
    }

    /// A chunk of bytes that [`Self::as_bytes`] gave, perhaps to a disk.
    ///
    /// # Errors
    /// If its head cannot be one. What follows the head is judged by [`Self::points`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Damaged> {
        if bytes.len() < HEADER || bytes[0] != VERSION {
            return Err(Damaged);
        }
        let chunk = Self(bytes.into());
        let fits = chunk.times_length() <= bytes.len() - HEADER;
        let ordered = chunk.first() <= chunk.last() && chunk.count() > 0;
        if fits && ordered { Ok(chunk) } else { Err(Damaged) }
    }

    /// All of it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many samples it holds.
    pub fn count(&self) -> usize {
        u32::from_le_bytes(self.field(1)) as usize
    }

    /// When the first one was read, in milliseconds since 1970.
    pub fn first(&self) -> i64 {
        i64::from_le_bytes(self.field(5))
    }

    /// When the last one was read.
    pub fn last(&self) -> i64 {
        i64::from_le_bytes(self.field(13))
    }

    /// Its samples.
    ///
    /// # Errors
    /// If the bytes are not those of a chunk.
    pub fn points(&self) -> Result<Vec<Point>, Damaged> {
        let (times, values) = self.0[HEADER..].split_at(self.times_length());
        let times: Vec<i64> = simple_decompress(times).map_err(|_| Damaged)?;
        let values: Vec<f64> = simple_decompress(values).map_err(|_| Damaged)?;
        if times.len() != self.count() || values.len() != times.len() {
            return Err(Damaged);
        }
        Ok(times.into_iter().zip(values).map(|(at, value)| Point { at, value }).collect())
    }

    fn times_length(&self) -> usize {
        u32::from_le_bytes(self.field(21)) as usize
    }

    fn field<const N: usize>(&self, from: usize) -> [u8; N] {
        let mut field = [0; N];
        field.copy_from_slice(&self.0[from..from + N]);
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_sealed_comes_back_to_the_bit(
            start in -1_000_000_000_000i64..4_000_000_000_000,
            steps in prop::collection::vec((1i64..100_000, any::<u64>()), 1..300),
        ) {
            let mut at = start;
            let points: Vec<Point> = steps.into_iter().map(|(step, bits)| {
                at += step;
                Point { at, value: f64::from_bits(bits) }
            }).collect();
            let chunk = Chunk::seal(&points);
            let again = Chunk::from_bytes(chunk.as_bytes()).unwrap();
            prop_assert_eq!(again.count(), points.len());
            prop_assert_eq!((again.first(), again.last()), (points[0].at, at));
            let bits = |points: &[Point]| -> Vec<(i64, u64)> {
                points.iter().map(|point| (point.at, point.value.to_bits())).collect()
            };
            prop_assert_eq!(bits(&again.points().unwrap()), bits(&points));
        }

        #[test]
        fn damage_is_an_error_or_other_numbers_and_never_a_panic(
            at in 0usize..200, byte: u8, length in 0usize..200,
        ) {
            let points: Vec<Point> =
                (0..100).map(|i| Point { at: i * 5_000, value: (i * i) as f64 }).collect();
            let mut bytes = Chunk::seal(&points).as_bytes().to_vec();
            if let Some(one) = bytes.get_mut(at) {
                *one = byte;
            }
            // The count is no reason to reserve memory.
            let _ = Chunk::from_bytes(&bytes).and_then(|chunk| chunk.points());
            bytes.truncate(length);
            let _ = Chunk::from_bytes(&bytes).and_then(|chunk| chunk.points());
        }
    }

    #[test]
    fn a_quiet_series_takes_next_to_nothing() {
        let points: Vec<Point> =
            (0..240).map(|i| Point { at: i * 5_000, value: 8_123_456_789.0 }).collect();
        let bytes = Chunk::seal(&points).as_bytes().len();
        assert!(bytes < 120, "{bytes} bytes for 240 samples");
    }
}
