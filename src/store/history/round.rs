//! Samples of many series that came since the round before, as one string of bytes.
//!
//! Each is told by the sample of its series before it, in this round or in an earlier one, so that
//! rounds are read in their order from one that begins anew. Of a series there are its number (the
//! difference to that of the series before it), how many samples follow, and these as in `open`.

use std::collections::HashMap;

use super::bits::{Before, read_integer, write_integer};
use super::{Damaged, Point};

const VERSION: u8 = 1;
/// The second byte of a round that depends on none before it.
const ANEW: u8 = 1;

/// A round that is being written.
#[derive(Debug)]
pub struct Round {
    bytes: Vec<u8>,
    series: u32,
    points: usize,
    newest: i64,
}

/// What the next sample of a series is told by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told(Before);

impl Round {
    /// An empty round. For one that begins anew every series is [`Told::default`].
    pub fn new(begins_anew: bool) -> Self {
        let bytes = vec![VERSION, if begins_anew { ANEW } else { 0 }];
        Self { bytes, series: 0, points: 0, newest: i64::MIN }
    }

    /// Adds samples of one series.
    pub fn add(&mut self, series: u32, told: &mut Told, points: &[Point]) {
        write_integer(&mut self.bytes, i64::from(series) - i64::from(self.series));
        write_integer(&mut self.bytes, points.len() as i64);
        for point in points {
            told.0.write_time(&mut self.bytes, point.at);
            told.0.write_value(&mut self.bytes, point.value);
            self.newest = self.newest.max(point.at);
        }
        (self.series, self.points) = (series, self.points + points.len());
    }

    /// How many samples are in it.
    pub fn points(&self) -> usize {
        self.points
    }

    /// The time of the newest one.
    pub fn newest(&self) -> i64 {
        self.newest
    }

    /// All of it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads rounds in their order.
#[derive(Debug, Default)]
pub struct RoundReader {
    told: HashMap<u32, Before>,
    has_begun: bool,
}

impl RoundReader {
    /// Hands over the samples of one round, by the numbers of their series. What comes before a round
    /// that begins anew cannot be read and is passed over.
    ///
    /// # Errors
    /// If the bytes are no round. What was handed over before is sound.
    pub fn read(&mut self, bytes: &[u8], mut take: impl FnMut(u32, Point)) -> Result<(), Damaged> {
        let [VERSION, kind, rest @ ..] = bytes else { return Err(Damaged) };
        if *kind == ANEW {
            self.told.clear();
            self.has_begun = true;
        }
        if !self.has_begun {
            return Ok(());
        }
        let (mut rest, mut series) = (rest, 0u32);
        while !rest.is_empty() {
            let number = read_integer(&mut rest).ok_or(Damaged)?;
            series = u32::try_from(i64::from(series).wrapping_add(number)).map_err(|_| Damaged)?;
            let told = self.told.entry(series).or_default();
            for _ in 0..read_integer(&mut rest).ok_or(Damaged)? {
                let at = told.read_time(&mut rest).ok_or(Damaged)?;
                let value = told.read_value(&mut rest).ok_or(Damaged)?;
                take(series, Point { at, value });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rounds_come_back_to_the_bit(
            rounds in prop::collection::vec(
                (any::<bool>(), prop::collection::vec(
                    (0u32..9, prop::collection::vec((any::<i64>(), any::<u64>()), 0..4)), 0..6)),
                1..8),
        ) {
            let (mut told, mut reader) = (HashMap::new(), RoundReader::default());
            for (index, (anew, series)) in rounds.into_iter().enumerate() {
                let anew = anew || index == 0;
                if anew {
                    told.clear();
                }
                let mut round = Round::new(anew);
                let mut expected = Vec::new();
                for (number, samples) in series {
                    let points: Vec<Point> = samples.into_iter()
                        .map(|(at, bits)| Point { at, value: f64::from_bits(bits) }).collect();
                    round.add(number, told.entry(number).or_default(), &points);
                    expected.extend(points.iter().map(|p| (number, p.at, p.value.to_bits())));
                }
                let mut read = Vec::new();
                reader.read(round.as_bytes(), |series, point| {
                    read.push((series, point.at, point.value.to_bits()));
                }).unwrap();
                prop_assert_eq!(read, expected);
            }
        }

        #[test]
        fn other_bytes_are_an_error_or_other_numbers_and_never_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut round = vec![VERSION, ANEW];
            round.extend(bytes);
            let _ = RoundReader::default().read(&round, |_, _| {});
        }
    }

    #[test]
    fn what_depends_on_a_round_that_is_gone_is_passed_over() {
        let (mut told, mut reader) = (Told::default(), RoundReader::default());
        let mut first = Round::new(true);
        first.add(7, &mut told, &[Point { at: 5_000, value: 1.0 }]);
        let mut second = Round::new(false);
        second.add(7, &mut told, &[Point { at: 10_000, value: 2.0 }]);
        reader.read(second.as_bytes(), |_, _| panic!("it cannot be known")).unwrap();
        let mut read = Vec::new();
        for round in [&first, &second] {
            reader.read(round.as_bytes(), |_, point| read.push(point.at)).unwrap();
        }
        assert_eq!(read, [5_000, 10_000]);
        assert_eq!((second.points(), second.newest()), (1, 10_000));
    }

    #[test]
    fn a_quiet_series_takes_few_bytes_a_round() {
        let mut told = vec![Told::default(); 100];
        let mut bytes = 0;
        for i in 0..60 {
            let mut round = Round::new(i == 0);
            for (number, told) in told.iter_mut().enumerate() {
                round.add(number as u32, told, &[Point { at: i * 5_000 + i % 7, value: 0.1 }]);
            }
            bytes = round.as_bytes().len();
        }
        assert!(bytes < 420, "{bytes} bytes for 100 samples");
    }
}
