//! Durations by the million: counted in buckets of some three percent.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A power of two is divided into so many buckets.
const PER_OCTAVE_BITS: u32 = 5;
const BUCKETS: usize = 60 << PER_OCTAVE_BITS;

/// How many durations there were of each size, in nanoseconds.
#[derive(Clone)]
pub struct Histogram(Vec<u64>);

impl Default for Histogram {
    fn default() -> Self {
        Self(vec![0; BUCKETS])
    }
}

impl Histogram {
    pub fn record(&mut self, nanos: u64) {
        self.0[bucket(nanos).min(BUCKETS - 1)] += 1;
    }

    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(count, more)| *count += more);
    }

    /// The duration that this share of them does not exceed; `None` if there were none.
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        let total: u64 = self.0.iter().sum();
        let rank = ((total as f64 * percent / 100.0).ceil() as u64).max(1);
        let mut below = 0;
        let found = self.0.iter().position(|count| {
            below += count;
            below >= rank
        });
        found.filter(|_| total > 0).map(|bucket| Duration::from_nanos(upper_bound(bucket)))
    }
}

fn bucket(nanos: u64) -> usize {
    let shift = nanos.max(1).ilog2().saturating_sub(PER_OCTAVE_BITS);
    let octave = (u64::from(shift)) << PER_OCTAVE_BITS;
    (octave + (nanos >> shift)) as usize
}

/// The largest number of nanoseconds that falls into a bucket.
fn upper_bound(bucket: usize) -> u64 {
    let per_octave = 1 << PER_OCTAVE_BITS;
    let shift = (bucket >> PER_OCTAVE_BITS).saturating_sub(1);
    let first = (bucket - (shift << PER_OCTAVE_BITS)).min(2 * per_octave - 1) as u64;
    ((first + 1) << shift) - 1
}

/// One line of text: what is there, as `bucket:count` with commas, or `-`.
impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present = self.0.iter().enumerate().filter(|(_, count)| **count > 0);
        let texts: Vec<_> = present.map(|(bucket, count)| format!("{bucket}:{count}")).collect();
        f.write_str(if texts.is_empty() { "-" } else { "" })?;
        f.write_str(&texts.join(","))
    }
}

impl FromStr for Histogram {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut histogram = Self::default();
        for part in text.split(',').filter(|part| *part != "-") {
            let (bucket, count) =
                part.split_once(':').ok_or_else(|| anyhow::anyhow!("no bucket: {part:?}"))?;
            let bucket: usize = bucket.parse()?;
            *histogram.0.get_mut(bucket).ok_or_else(|| anyhow::anyhow!("no bucket {bucket}"))? +=
                count.parse::<u64>()?;
        }
        Ok(histogram)
    }
}
