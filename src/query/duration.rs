//! Durations as Prometheus writes them. The parser of expressions has one of its own, which panics at
//! numbers that are out of its range, and takes a part that is too large for nothing.

use std::time::Duration;

use super::Error;
use super::place::{self, Token};

/// Milliseconds per unit, largest first.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
/// Seconds that a number as a duration may be: some thirty thousand years.
const SECONDS_MAX: f64 = 1e12;
/// Digits that one part of a duration may have: what fits the parser's.
const DIGITS_MAX: usize = 9;

/// A duration with units, each at most once and the largest first ("1h30m"); `None` if it is none, or
/// too long to be held.
pub fn duration(text: &str) -> Option<Duration> {
    let (mut units, mut rest, mut total) = (UNITS.iter(), text, 0u64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let (_, milliseconds) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*milliseconds)?)?;
        rest = tail;
    }
    (!text.is_empty()).then(|| Duration::from_millis(total))
}

/// Refuses an expression with a duration that the parser cannot hold.
pub(super) fn check(text: &str, tokens: &[Token<'_>]) -> Result<(), Error> {
    let mut is_within = false;
    for (index, token) in tokens.iter().enumerate() {
        let before = |steps: usize| index.checked_sub(steps).map_or("", |at| tokens[at].text);
        let is_offset = |word: &str| word.eq_ignore_ascii_case("offset");
        is_within = token.text == "[" || (is_within && token.text != "]");
        let begins = is_within
            || is_offset(before(1))
            || (matches!(before(1), "+" | "-") && is_offset(before(2)));
        // A range and a step are one word: 5m:1m.
        let mut start = token.start;
        for part in token.text.split(':') {
            let is_bad = is_too_long(part) || (begins && is_no_time(&text[start..]));
            if is_bad && !matches!(token.text.as_bytes()[0], b'"' | b'\'' | b'`') {
                return Err(place::error(text, start, "this is no time that there could be"));
            }
            start += part.len() + 1;
        }
    }
    Ok(())
}

/// Whether it is a number with a unit that is too large.
fn is_too_long(part: &str) -> bool {
    let is_duration = part.starts_with(|c: char| c.is_ascii_digit())
        && part.ends_with(['y', 'w', 'd', 'h', 'm', 's'])
        && !part.starts_with("0x");
    let mut numbers = part.split(|c: char| !c.is_ascii_digit());
    is_duration && numbers.any(|digits| digits.len() > DIGITS_MAX)
}

/// Whether what begins here is a number, and no length of time.
fn is_no_time(rest: &str) -> bool {
    let is_of_number = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let mut end = rest.find(|c| !is_of_number(c)).unwrap_or(rest.len());
    // The sign of an exponent is none of a term.
    if rest[..end].ends_with(['e', 'E']) && rest[end..].starts_with(['+', '-']) {
        let tail = &rest[end + 1..];
        end += 1 + tail.find(|c| !is_of_number(c)).unwrap_or(tail.len());
    }
    let number = rest[..end].parse::<f64>();
    number.is_ok_and(|seconds| !(0.0..=SECONDS_MAX).contains(&seconds))
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Query};
    use super::*;

    #[test]
    fn units_are_added_up() {
        let check = |text: &str, expected: Option<u64>| {
            let millis = duration(text).map(|it| it.as_millis() as u64);
            assert_eq!(millis, expected, "{text}");
        };
        check("1h30m", Some(5_400_000));
        check("1y2w3d4h5m6s7ms", Some(33_019_506_007));
        check("0s", Some(0));
        for bad in ["", "5", "m", "5x", "30m1h", "1s1s", "-5s", "1.5h", "1e3s", " 5s"] {
            check(bad, None);
        }
        check("99999999999999999999s", None);
        check("18446744073709551615y", None);
        check("18446744073709551615ms1s", None);
    }

    #[test]
    fn times_that_the_parser_does_not_survive_are_refused() {
        let parse = |text: &str| Query::parse(text, &Config::default()).map(drop);
        for text in [
            "a[1e30]",
            "a[1e+30]",
            "a[ 1e400 ]",
            "a[5m:1e30]",
            "a[5m: 1e30]",
            "a[1e30:1m]",
            "a offset 1e30",
            "a OFFSET -1e30",
            "a offset NaN",
            "a offset - Inf",
            "a[99999999999y1s]",
            "a offset 12345678901s",
            "a + 99999999999y",
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains("no time"), "{text}: {error}");
        }
        for text in [
            "a[300]",
            "a[5m:30]",
            "a[1e3]",
            "a offset -1e3",
            "a{l=\"99999999999y\"}[5m]",
            "1e30 * rate(a[5m])",
            "a[999999999y]",
        ] {
            assert_eq!(parse(text), Ok(()), "{text}");
        }
    }
}
