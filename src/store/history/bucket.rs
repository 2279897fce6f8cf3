//! What is kept of samples when each of them no longer is: the least, the greatest, their sum, how
//! many they were, and the last one with its time.
//!
//! A run of buckets is packed as
//!
//! ```text
//! offset  bytes  what
//!      0      1  the version of this form, 1
//!      1      1  which columns are left out because others say the same
//!      2         columns, each its length (u32, little-endian) and a standalone pco file
//! ```
//!
//! The columns are the times of the last samples (i64), twice the count, plus 1 if the series ended
//! there (u32), the last values, the least, the greatest and the sums (f64).

use pco::ChunkConfig;
use pco::data_types::Number;
use pco::standalone::{simple_compress, simple_decompress};

use super::{Damaged, Point};

const VERSION: u8 = 1;
/// The least is the last one: a counter's run downwards, or one value throughout.
const NO_LEAST: u8 = 1;
/// The greatest is the last one, as that of every counter.
const NO_GREATEST: u8 = 2;
/// The sum is what the last value gives for each sample: one value throughout.
const NO_SUM: u8 = 4;

/// The samples of one series within one span of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// When the last sample was read; if there is none, when the end was marked.
    pub at: i64,
    pub last: f64,
    pub min: f64,
    pub max: f64,
    pub sum: f64,
    /// Zero for a bucket that only says that the series has ended.
    pub count: u32,
    /// Whether the series ended after the last sample.
    pub ended: bool,
}

impl Bucket {
    fn of(point: Point) -> Self {
        let Point { at, value } = point;
        let ended = point.is_stale();
        if ended {
            return Self { at, last: 0.0, min: 0.0, max: 0.0, sum: 0.0, count: 0, ended };
        }
        Self { at, last: value, min: value, max: value, sum: value, count: 1, ended }
    }

    fn add(&mut self, point: Point) {
        if point.is_stale() {
            self.ended = true;
            return;
        }
        if self.count == 0 {
            *self = Self::of(point);
            return;
        }
        let Point { at, value } = point;
        (self.at, self.last, self.ended) = (at, value, false);
        // What is no number is left out where there is one.
        (self.min, self.max) = (self.min.min(value), self.max.max(value));
        self.sum += value;
        self.count = self.count.saturating_add(1);
    }
}

/// Puts samples into buckets that are `width` milliseconds wide and begin at multiples of it.
pub fn roll_up(points: &[Point], width: i64) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    let mut present = None;
    for point in points {
        let place = point.at.div_euclid(width);
        match buckets.last_mut() {
            Some(bucket) if present == Some(place) => bucket.add(*point),
            // An end that comes a little later is said where the series ended.
            Some(bucket) if point.is_stale() => bucket.ended = true,
            _ => {
                buckets.push(Bucket::of(*point));
                present = Some(place);
            }
        }
    }
    buckets
}

/// Packs buckets, of which there is at least one.
pub fn pack(buckets: &[Bucket]) -> Vec<u8> {
    let same = |one: fn(&Bucket) -> f64, other: fn(&Bucket) -> f64| {
        buckets.iter().all(|bucket| one(bucket).to_bits() == other(bucket).to_bits())
    };
    let mut left_out = 0;
    if same(|b| b.min, |b| b.last) {
        left_out |= NO_LEAST;
    }
    if same(|b| b.max, |b| b.last) {
        left_out |= NO_GREATEST;
    }
    if same(|b| b.sum, |b| b.last * f64::from(b.count)) {
        left_out |= NO_SUM;
    }
    let mut bytes = vec![VERSION, left_out];
    add_column(&mut bytes, buckets, |bucket| bucket.at);
    add_column(&mut bytes, buckets, |bucket| bucket.count << 1 | u32::from(bucket.ended));
    add_column(&mut bytes, buckets, |bucket| bucket.last);
    let rest: [Column; 3] = [(NO_LEAST, |b| b.min), (NO_GREATEST, |b| b.max), (NO_SUM, |b| b.sum)];
    for (flag, value) in rest {
        if left_out & flag == 0 {
            add_column(&mut bytes, buckets, value);
        }
    }
    bytes
}

/// A column that may be left out: the flag that says so, and what is in it.
type Column = (u8, fn(&Bucket) -> f64);

/// The buckets that [`pack`] packed.
///
/// # Errors
/// If the bytes are no such thing.
pub fn unpack(bytes: &[u8]) -> Result<Vec<Bucket>, Damaged> {
    let [VERSION, left_out, rest @ ..] = bytes else { return Err(Damaged) };
    let mut rest = rest;
    let times: Vec<i64> = column(&mut rest)?;
    let counts: Vec<u32> = column(&mut rest)?;
    let last: Vec<f64> = column(&mut rest)?;
    let mut optional = |flag: u8| match left_out & flag {
        0 => column::<f64>(&mut rest).map(Some),
        _ => Ok(None),
    };
    let (min, max, sum) = (optional(NO_LEAST)?, optional(NO_GREATEST)?, optional(NO_SUM)?);
    let count = times.len();
    let fits = |column: &Option<Vec<f64>>| column.as_ref().is_none_or(|it| it.len() == count);
    if counts.len() != count || last.len() != count || ![&min, &max, &sum].into_iter().all(fits) {
        return Err(Damaged);
    }
    let buckets = (0..count).map(|index| {
        let (last, count) = (last[index], counts[index] >> 1);
        let or = |column: &Option<Vec<f64>>, other| column.as_ref().map_or(other, |it| it[index]);
        Bucket {
            at: times[index],
            last,
            min: or(&min, last),
            max: or(&max, last),
            sum: or(&sum, last * f64::from(count)),
            count,
            ended: counts[index] & 1 == 1,
        }
    });
    Ok(buckets.collect())
}

fn add_column<T: Number>(bytes: &mut Vec<u8>, buckets: &[Bucket], value: impl Fn(&Bucket) -> T) {
    let column: Vec<T> = buckets.iter().map(value).collect();
    // It fails for configurations that are out of range; the default one is not.
    let packed = simple_compress(&column, &ChunkConfig::default());
    let packed = packed.expect("the default configuration is valid");
    bytes.extend_from_slice(&(packed.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&packed);
}

fn column<T: Number>(bytes: &mut &[u8]) -> Result<Vec<T>, Damaged> {
    let (length, rest) = bytes.split_first_chunk().ok_or(Damaged)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (packed, rest) = rest.split_at_checked(length).ok_or(Damaged)?;
    *bytes = rest;
    simple_decompress(packed).map_err(|_| Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(samples: &[(i64, f64)]) -> Vec<Point> {
        samples.iter().map(|(at, value)| Point { at: *at, value: *value }).collect()
    }

    #[test]
    fn a_bucket_says_what_was_in_its_span() {
        let samples = [(1_000, 4.0), (30_000, 1.0), (59_999, 2.0), (60_000, 5.0)];
        let first =
            Bucket { at: 59_999, last: 2.0, min: 1.0, max: 4.0, sum: 7.0, count: 3, ended: false };
        let second =
            Bucket { at: 60_000, last: 5.0, min: 5.0, max: 5.0, sum: 5.0, count: 1, ended: false };
        assert_eq!(roll_up(&points(&samples), 60_000), [first, second]);
    }

    #[test]
    fn an_end_is_kept_and_undone_by_a_sample_in_the_same_span() {
        let check = |points: &[Point], expected: &[(i64, u32, bool)]| {
            let buckets = roll_up(points, 60_000);
            let seen: Vec<_> = buckets.iter().map(|b| (b.at, b.count, b.ended)).collect();
            assert_eq!(seen, expected);
        };
        let value = |at| Point { at, value: 1.0 };
        check(&[value(1_000), Point::stale(2_000)], &[(1_000, 1, true)]);
        check(&[value(1_000), Point::stale(61_000)], &[(1_000, 1, true)]);
        check(&[value(1_000), Point::stale(2_000), value(3_000)], &[(3_000, 2, false)]);
        check(&[Point::stale(2_000)], &[(2_000, 0, true)]);
        check(&[Point::stale(2_000), value(3_000)], &[(3_000, 1, false)]);
        check(
            &[value(1_000), Point::stale(61_000), value(62_000)],
            &[(1_000, 1, true), (62_000, 1, false)],
        );
    }

    #[test]
    fn a_series_of_one_value_takes_next_to_nothing() {
        let samples: Vec<_> = (0..720).map(|i| (i * 5_000, 17.25)).collect();
        let bytes = pack(&roll_up(&points(&samples), 60_000)).len();
        assert!(bytes < 160, "{bytes} bytes for 60 buckets");
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back_to_the_bit(
            rows in prop::collection::vec(
                (any::<i64>(), any::<[u64; 4]>(), 0u32..1 << 30, any::<bool>()), 1..80),
            alike: bool,
        ) {
            let buckets: Vec<Bucket> = rows.into_iter().map(|(at, bits, count, ended)| {
                let [last, min, max, sum] = bits.map(f64::from_bits);
                if alike {
                    let sum = last * f64::from(count);
                    return Bucket { at, last, min: last, max: last, sum, count, ended };
                }
                Bucket { at, last, min, max, sum, count, ended }
            }).collect();
            let again = unpack(&pack(&buckets)).unwrap();
            let bits = |b: &Bucket| [b.last, b.min, b.max, b.sum].map(f64::to_bits);
            prop_assert_eq!(again.len(), buckets.len());
            for (one, other) in again.iter().zip(&buckets) {
                prop_assert_eq!(bits(one), bits(other));
                prop_assert_eq!((one.at, one.count, one.ended), (other.at, other.count, other.ended));
            }
        }

        #[test]
        fn damage_is_an_error_or_other_numbers_and_never_a_panic(
            at in 0usize..300, byte: u8, length in 0usize..300,
        ) {
            let samples: Vec<_> = (0..600).map(|i| (i * 1_000, (i * i % 71) as f64)).collect();
            let mut bytes = pack(&roll_up(&points(&samples), 60_000));
            if let Some(one) = bytes.get_mut(at) {
                *one = byte;
            }
            let _ = unpack(&bytes);
            bytes.truncate(length);
            let _ = unpack(&bytes);
        }
    }
}
