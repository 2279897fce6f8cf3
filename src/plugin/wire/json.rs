//! A record as a JSON object.

use std::borrow::Cow;
use std::fmt;

use gz_monitor_sdk::{Kind, Level};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Unexpected, Visitor};

use crate::sample::Reason;

use super::{Ending, Malformed, Record, Sample, kind_by_name, of_micros};

/// Every field that any record may have; which must be there, `type` decides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    #[serde(borrow, rename = "type")]
    record: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    labels: Labels<'a>,
    value: Option<Number>,
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    /// Milliseconds since 1970-01-01 UTC, as in Prometheus text.
    timestamp: Option<f64>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    level: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    count: Option<u64>,
}

pub(super) fn read(line: &str) -> Result<Record<'_>, Malformed> {
    let fields: Fields<'_> =
        serde_json::from_str(line).map_err(|error| Malformed(error.to_string()))?;
    match fields.record.as_deref() {
        None | Some("sample") => sample(fields).map(Record::Sample),
        Some("end") => ending(fields).map(Record::End),
        Some("refused") => {
            let reason = fields.reason.as_deref().and_then(Reason::of);
            Ok(Record::Refused {
                reason: reason.unwrap_or(Reason::Invalid),
                count: fields.count.unwrap_or(1),
                message: fields.message.unwrap_or_default(),
            })
        }
        Some("log") => {
            let level = match fields.level.as_deref() {
                Some("error") => Level::Error,
                Some("warn") => Level::Warn,
                Some("debug") => Level::Debug,
                _ => Level::Info,
            };
            Ok(Record::Log(level, fields.message.unwrap_or_default()))
        }
        Some(other) => Err(Malformed(format!(
            "unknown type {other:?}; there are sample, end, refused and log"
        ))),
    }
}

fn sample(fields: Fields<'_>) -> Result<Sample<'_>, Malformed> {
    let missing = |field: &str| Malformed(format!("a sample needs {field:?}"));
    let name = fields.name.ok_or_else(|| missing("name"))?;
    let Number(value) = fields.value.ok_or_else(|| missing("value"))?;
    let kind = match fields.kind.as_deref() {
        None => kind_by_name(&name),
        Some("gauge") => Kind::Gauge,
        Some("counter") => Kind::Counter,
        Some(other) => {
            return Err(Malformed(format!("unknown kind {other:?}; there are gauge and counter")));
        }
    };
    let unix_ns = fields.timestamp.map(|milliseconds| of_micros(milliseconds * 1e3));
    Ok(Sample { name, labels: fields.labels.0, value, kind, unix_ns })
}

fn ending(fields: Fields<'_>) -> Result<Ending, Malformed> {
    let message = fields.message.unwrap_or_default().into_owned();
    match fields.status.as_deref() {
        None | Some("ok") => Ok(Ending::Ok),
        Some("no_data") => Ok(Ending::NoData(message)),
        Some("absent") => Ok(Ending::Absent(message)),
        Some("config") => Ok(Ending::Config(message)),
        Some("unavailable" | "internal") => Ok(Ending::Failed(message)),
        Some("restart") => Ok(Ending::Restart),
        Some("panic") => Ok(Ending::Poisoned(message)),
        Some(other) => Err(Malformed(format!(
            "unknown status {other:?}; there are ok, no_data, absent, config, unavailable, internal \
             and panic"
        ))),
    }
}

/// Labels without a map: they are few, and looked at once.
#[derive(Default)]
struct Labels<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Labels<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Labels<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Text(name), Text(value))) = map.next_entry()? {
                    pairs.push((name, value));
                }
                Ok(Labels(pairs))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

/// Borrowed where it has no escapes; serde's own `Cow` never borrows inside of a map.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A number, or as a string what JSON has no number for.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"NaN\", \"+Inf\" or \"-Inf\"")
            }

            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                match text {
                    "NaN" => Ok(Number(f64::NAN)),
                    "+Inf" => Ok(Number(f64::INFINITY)),
                    "-Inf" => Ok(Number(f64::NEG_INFINITY)),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(Any).map_err(D::Error::custom)
    }
}
