//! What a child says on its standard output: one record a line, as JSON or as Prometheus text.
//!
//! Pure: bytes in, records out. `docs/plugins.md` describes the protocol for those who write a child.

mod json;
mod lines;
mod text;

pub use lines::{Lines, Overflow};

use std::borrow::Cow;
use std::collections::HashMap;

use gz_monitor_sdk::{Kind, Level};

use crate::sample::Reason;

/// Types that one child may declare; more are passed over.
const TYPES_MAX: usize = 10_000;
/// Bytes of a name whose type is remembered.
const TYPE_NAME_MAX: usize = 1_024;

/// What one line says.
#[derive(Debug, PartialEq)]
pub enum Record<'a> {
    Sample(Sample<'a>),
    /// Samples that the child itself has refused, and why the first of them.
    Refused {
        reason: Reason,
        count: u64,
        message: Cow<'a, str>,
    },
    /// The end of a collection, and how it went.
    End(Ending),
    /// A line for the log.
    Log(Level, Cow<'a, str>),
    /// A comment, a declaration, nothing.
    Nothing,
}

/// A sample as the child wrote it.
#[derive(Debug, PartialEq)]
pub struct Sample<'a> {
    pub name: Cow<'a, str>,
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub value: f64,
    pub kind: Kind,
    /// Nanoseconds since 1970-01-01 UTC, if it says when it was read. What is beyond counts as the
    /// end of time.
    pub unix_ns: Option<i64>,
}

/// How a collection ended, in the child's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Ok,
    /// There was nothing to report, which is no failure.
    NoData(String),
    /// There is nothing to measure on this machine.
    Absent(String),
    /// It cannot work before its configuration changes.
    Config(String),
    /// It failed, and may work later.
    Failed(String),
    /// Of a new configuration: it must be started anew with it.
    Restart,
    /// It broke, and must be started anew.
    Poisoned(String),
}

/// Why a line is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub(super) String);

impl Malformed {
    /// It is well formed, but belongs to no collection.
    pub(crate) fn after_end() -> Self {
        Self("it follows the end of a collection".to_owned())
    }
}

/// Reads lines of one child, and remembers the types that it declares.
#[derive(Debug, Default)]
pub struct Reader {
    types: HashMap<String, Kind>,
}

impl Reader {
    /// Reads one line, without its end.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, Malformed> {
        let line = str::from_utf8(line).map_err(|_| Malformed("it is not UTF-8".to_owned()))?;
        let line = line.trim_ascii();
        match line.as_bytes().first() {
            None => Ok(Record::Nothing),
            Some(b'{') => json::read(line),
            Some(b'#') => {
                self.declare(line);
                Ok(Record::Nothing)
            }
            Some(_) => text::read(line, &self.types).map(Record::Sample),
        }
    }

    /// `# TYPE name kind`; any other comment is one.
    fn declare(&mut self, line: &str) {
        let mut words = line[1..].split_ascii_whitespace();
        let (Some("TYPE"), Some(name), Some(kind)) = (words.next(), words.next(), words.next())
        else {
            return;
        };
        // The parts of histograms and summaries are totals; they bear the family's name and more.
        let (own, parts): (_, &[&str]) = match kind {
            "counter" => (Kind::Counter, &[]),
            "histogram" => (Kind::Gauge, &["_bucket", "_count", "_sum"]),
            "summary" => (Kind::Gauge, &["_count", "_sum"]),
            _ => (Kind::Gauge, &[]),
        };
        self.remember(name.to_owned(), own);
        for part in parts {
            self.remember(format!("{name}{part}"), Kind::Counter);
        }
    }

    fn remember(&mut self, name: String, kind: Kind) {
        if name.len() > TYPE_NAME_MAX {
            return;
        }
        if let Some(known) = self.types.get_mut(&name) {
            *known = kind;
        } else if self.types.len() < TYPES_MAX {
            self.types.insert(name, kind);
        }
    }
}

/// The kind of a metric of which nothing else is known: the suffix is a promise.
fn kind_by_name(name: &str) -> Kind {
    if name.ends_with("_total") { Kind::Counter } else { Kind::Gauge }
}

/// A time in nanoseconds: a present one with a fraction is exact to the microsecond and no further.
fn of_micros(microseconds: f64) -> i64 {
    (microseconds.round() as i64).saturating_mul(1_000)
}

#[cfg(test)]
mod tests;
