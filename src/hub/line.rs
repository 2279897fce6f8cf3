//! The number line of the stream: what it is called, and how far it may be used.

use std::fmt;
use std::str::FromStr;

use super::{Gap, Reason};

const EPOCH_BYTES_MAX: usize = 64;

/// A number line, as it is when the stream begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub epoch: String,
    /// The last number that was given before.
    pub last: u64,
    /// No number above this one may be given under this name: whoever continues the line later
    /// knows of no more.
    pub limit: u64,
}

impl Line {
    /// A line that nobody will continue, so that all its numbers may be used.
    pub fn anew(last: u64) -> Self {
        Self { epoch: fresh_epoch(), last, limit: u64::MAX }
    }
}

/// A name that no other line has.
pub(super) fn fresh_epoch() -> String {
    format!("{:016x}", fastrand::u64(..))
}

/// A place in the stream, as a client says it: "EPOCH:SEQ".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub epoch: String,
    /// The number of the last message that it includes.
    pub seq: u64,
}

/// A text that is no place in a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("since: {0:?} is no place in the stream: write EPOCH:SEQ, such as \"17a8f2c1d4b3e960:45\"")]
pub struct NoPlace(String);

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let is_name = |name: &str| {
            (1..=EPOCH_BYTES_MAX).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let parsed = text.split_once(':').and_then(|(epoch, seq)| {
            // Not what `parse` takes besides: "+45".
            let digits = seq.bytes().all(|byte| byte.is_ascii_digit());
            let seq = seq.parse().ok().filter(|_| digits)?;
            is_name(epoch).then(|| Self { epoch: epoch.to_owned(), seq })
        });
        // What a stranger wrote is not repeated at any length.
        parsed.ok_or_else(|| NoPlace(text.chars().take(2 * EPOCH_BYTES_MAX).collect()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)
    }
}

/// Where a client that comes back is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The number of the first message that it may have missed.
    pub from: u64,
    /// What it cannot have, because its place is in another number line.
    pub gap: Option<Gap>,
}

impl Start {
    /// Behind `place`, in the line called `epoch` in which `head` was the last number published.
    pub fn after(place: &Place, epoch: &str, head: u64) -> Self {
        if place.epoch == epoch && place.seq <= head {
            return Self { from: place.seq + 1, gap: None };
        }
        // A number that was never given is of another line, too: that of a newer database. What
        // came before this line counts as its number 0.
        Self { from: head + 1, gap: Some(Gap { from: 0, to: head, reason: Reason::Epoch }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_name_and_a_number() {
        let check = |text: &str, expected: Option<(&str, u64)>| {
            let place = text.parse::<Place>().ok();
            let expected = expected.map(|(epoch, seq)| Place { epoch: epoch.to_owned(), seq });
            assert_eq!(place, expected, "{text}");
        };
        check("17a8:45", Some(("17a8", 45)));
        check("E:0", Some(("E", 0)));
        check("e:18446744073709551615", Some(("e", u64::MAX)));
        for text in ["", ":", "e", "e:", ":1", "e:-1", "e:+1", "e:1.5", "e:1:2", " e:1", "é:1"] {
            check(text, None);
        }
        check("e:18446744073709551616", None);
        check(&format!("{}:1", "e".repeat(65)), None);
    }

    #[test]
    fn a_place_is_good_in_its_own_line_up_to_what_was_published() {
        let check = |epoch: &str, seq, expected: (u64, Option<(u64, u64)>)| {
            let place = Place { epoch: epoch.to_owned(), seq };
            let Start { from, gap } = Start::after(&place, "e", 10);
            assert_eq!((from, gap.map(|gap| (gap.from, gap.to))), expected, "{place}");
        };
        check("e", 0, (1, None));
        check("e", 7, (8, None));
        check("e", 10, (11, None));
        check("e", 11, (11, Some((0, 10))));
        check("f", 7, (11, Some((0, 10))));
        let place = Place { epoch: "f".to_owned(), seq: 7 };
        let gap = Some(Gap { from: 0, to: 0, reason: Reason::Epoch });
        assert_eq!(Start::after(&place, "e", 0), Start { from: 1, gap });
    }
}
