//! Durations and byte sizes, as people write them: "2h30m", "150ms", "256KiB".

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Nanoseconds per unit, largest first, so that printing can walk it.
const DURATION_UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

const SIZE_UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Why a text is neither a duration nor a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}: write {example}")]
pub struct ParseError {
    text: String,
    what: &'static str,
    example: &'static str,
}

/// A length of time. Read as whole numbers with units, largest first ("1d12h", "2h30m", "1m30s",
/// "250ms", "100us"); printed so that Go's `time.ParseDuration` reads it too, without days: shortened
/// by `Display`, to the nanosecond by serde, so that a written configuration reads back the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct HumanDuration(pub Duration);

/// A number of bytes: "512", "64KiB", "8MiB", "1GB".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ByteSize(pub u64);

impl HumanDuration {
    /// `seconds` as a duration; for defaults.
    pub const fn secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Every unit that says something, days included, so that nothing is lost: "1d2h", "1s500ms".
    /// It is what a configuration holds, where `Display` is for people.
    pub fn exact(&self) -> String {
        let mut rest = self.0.as_nanos();
        if rest == 0 {
            return "0s".to_owned();
        }
        let mut text = String::new();
        for (unit, nanos) in DURATION_UNITS {
            if rest >= nanos {
                text.push_str(&format!("{}{unit}", rest / nanos));
            }
            rest %= nanos;
        }
        text
    }
}

impl ByteSize {
    /// As `Display`, which loses nothing.
    pub fn exact(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for HumanDuration {
    /// The two largest units that say something: "26h5m", "2m5s", "45s", "150ms".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_nanos();
        if total == 0 {
            return f.write_str("0s");
        }
        // Below a second one unit is enough: nobody reads "150ms20us".
        let whole_seconds = total >= 1_000_000_000;
        let mut rest = total;
        let units = DURATION_UNITS[1..].iter().skip_while(|(_, nanos)| *nanos > total);
        for (unit, nanos) in units.take(2) {
            let count = rest / nanos;
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
            rest %= nanos;
            if *unit == "s" || !whole_seconds {
                break;
            }
        }
        Ok(())
    }
}

impl FromStr for HumanDuration {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError {
            text: text.to_owned(),
            what: "duration",
            example: "a number with a unit, such as \"5s\", \"100ms\" or \"2h30m\"",
        };
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let (mut rest, mut total, mut least) = (text, 0u128, u128::MAX);
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, tail) = tail.split_at(letters);
            let nanos = DURATION_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, n)| *n);
            let (Ok(count), Some(nanos)) = (number.parse::<u64>(), nanos) else {
                return Err(error());
            };
            if nanos >= least {
                return Err(error());
            }
            total += u128::from(count) * nanos;
            (rest, least) = (tail, nanos);
        }
        let total = u64::try_from(total).ok().filter(|_| !text.is_empty());
        total.map(|nanos| Self(Duration::from_nanos(nanos))).ok_or_else(error)
    }
}

impl ByteSize {
    /// For people: one decimal of the largest binary unit that it reaches, such as "7.4 GiB".
    pub fn approximate(self) -> String {
        let reached =
            SIZE_UNITS.iter().find(|(name, size)| name.ends_with("iB") && self.0 >= *size);
        match reached {
            Some((unit, size)) => format!("{:.1} {unit}", self.0 as f64 / *size as f64),
            None => format!("{} B", self.0),
        }
    }
}

impl fmt::Display for ByteSize {
    /// The largest binary unit that divides it: "256KiB", "1500B".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = SIZE_UNITS.iter().find(|(name, size)| {
            (name.ends_with("iB") || *name == "B")
                && self.0 >= *size
                && self.0.is_multiple_of(*size)
        });
        let (unit, size) = exact.unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl FromStr for ByteSize {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let size = match unit {
            "" => Some(1),
            _ => SIZE_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size),
        };
        let bytes = number.parse::<u64>().ok().zip(size).and_then(|(n, size)| n.checked_mul(size));
        bytes.map(Self).ok_or_else(|| ParseError {
            text: text.to_owned(),
            what: "size",
            example: "bytes, such as \"64KiB\", \"8MiB\" or \"1000000\"",
        })
    }
}

/// Both types are strings to serde and to the configuration's schema.
macro_rules! as_text {
    ($type:ident, $target:ty, $pattern:literal, $example:literal) => {
        impl Deref for $type {
            type Target = $target;

            fn deref(&self) -> &$target {
                &self.0
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.exact())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "examples": [$example] })
            }
        }
    };
}

as_text!(HumanDuration, Duration, "^(0|([0-9]+(d|h|m|s|ms|us|ns))+)$", "5s");
as_text!(ByteSize, u64, "^[0-9]+(TiB|GiB|MiB|KiB|GB|MB|kB|B)?$", "64KiB");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_print_like_the_documents() {
        let check = |duration: Duration, expected: &str| {
            assert_eq!(HumanDuration(duration).to_string(), expected);
        };
        check(Duration::ZERO, "0s");
        check(Duration::from_secs(9000), "2h30m");
        check(Duration::from_millis(150), "150ms");
        check(Duration::from_secs(45), "45s");
        check(Duration::from_millis(45_900), "45s");
        check(Duration::from_secs(3600), "1h");
        check(Duration::from_secs(3605), "1h");
        check(Duration::from_secs(93_900), "26h5m");
        check(Duration::from_secs(125), "2m5s");
        check(Duration::from_micros(350), "350us");
        check(Duration::from_nanos(7), "7ns");
    }

    #[test]
    fn serde_writes_all_of_a_duration() {
        let check = |duration: Duration, expected: &str| {
            assert_eq!(serde_json::to_value(HumanDuration(duration)).unwrap(), expected);
        };
        check(Duration::ZERO, "0s");
        check(Duration::from_secs(5), "5s");
        check(Duration::from_secs(7 * 86_400), "7d");
        check(Duration::from_millis(1500), "1s500ms");
        check(Duration::from_millis(3_605_250), "1h5s250ms");
        check(Duration::from_nanos(1_002_003), "1ms2us3ns");
    }

    #[test]
    fn durations_parse() {
        let check = |text: &str, expected: Option<u64>| {
            let parsed = text.parse::<HumanDuration>().ok().map(|d| d.as_millis() as u64);
            assert_eq!(parsed, expected, "{text}");
        };
        check("2h30m", Some(9_000_000));
        check("1d", Some(86_400_000));
        check("100ms", Some(100));
        check("0", Some(0));
        for bad in ["", "5", "s", "5x", "30m2h", "5s5s", "-5s", "5 s", "99999999999999999999s"] {
            check(bad, None);
        }
    }

    #[test]
    fn sizes_parse_and_print() {
        for text in ["256KiB", "8MiB", "1500B", "1GiB"] {
            assert_eq!(text.parse::<ByteSize>().expect(text).to_string(), text);
        }
        assert_eq!("1000".parse(), Ok(ByteSize(1000)));
        assert_eq!("2MB".parse(), Ok(ByteSize(2_000_000)));
        for bad in ["", "KiB", "1.5KiB", "1XB", "99999999999TiB"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whole_minutes_survive_a_round_trip(minutes in 0u64..100_000) {
            let duration = HumanDuration::secs(minutes * 60);
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }

        #[test]
        fn what_serde_writes_it_reads_back(nanos: u64, size: u64) {
            let written = (HumanDuration(Duration::from_nanos(nanos)), ByteSize(size));
            let text = serde_json::to_string(&written).unwrap();
            prop_assert_eq!(serde_json::from_str::<(HumanDuration, ByteSize)>(&text).unwrap(), written);
        }

        #[test]
        fn sizes_survive_a_round_trip(size: u64) {
            prop_assert_eq!(ByteSize(size).to_string().parse(), Ok(ByteSize(size)));
        }

        #[test]
        fn any_text_parses_or_is_refused(text: String) {
            let _ = text.parse::<HumanDuration>();
            let _ = text.parse::<ByteSize>();
        }
    }
}
