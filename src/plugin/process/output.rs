//! What a program printed, as samples, log lines and the end of a collection.

use gz_monitor_sdk::Level;

use super::stderr::StandardError;
use crate::plugin::value;
use crate::plugin::wire::{Ending, Lines, Malformed, Reader, Record, Sample};
use crate::sample::{BatchBuilder, Reason, Stamp};

/// Bytes of a line that was not understood which are shown.
const SHOWN_BYTES: usize = 200;

/// Reads the standard output of one program.
pub(super) struct Output {
    lines: Lines,
    records: Records,
}

struct Records {
    reader: Reader,
    ending: Option<Ending>,
    /// Samples that follow an `end` belong to no collection.
    ends_count: bool,
}

impl Output {
    /// With lines of at most `max_line` bytes.
    pub(super) fn new(max_line: usize) -> Self {
        let records = Records { reader: Reader::default(), ending: None, ends_count: true };
        Self { lines: Lines::new(max_line), records }
    }

    /// Of a program that prints one collection after another, what follows an `end` is the next one.
    pub(super) fn runs_on(&mut self) {
        self.records.ends_count = false;
    }

    /// Takes bytes as they come.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut BatchBuilder, log: &mut StandardError) {
        let Self { lines, records } = self;
        lines.push(bytes, |line| records.take(line.ok(), out, log));
    }

    /// The last line of a program that ended well needs no end of line; one that was cut off is no
    /// line, and is counted.
    pub(super) fn finish(&mut self, well: bool, out: &mut BatchBuilder, log: &mut StandardError) {
        let rest = self.lines.finish();
        if !rest.is_empty() {
            self.records.take(well.then_some(&rest[..]), out, log);
        }
    }

    /// Whether there was an `end` since it was last taken.
    pub(super) fn has_ended(&self) -> bool {
        self.records.ending.is_some()
    }

    /// How the collection ended, if the program said so.
    pub(super) fn take_ending(&mut self) -> Option<Ending> {
        self.records.ending.take()
    }

    /// What comes now belongs to no collection, until the ending is taken.
    pub(super) fn end(&mut self) {
        self.records.ending = Some(Ending::Ok);
    }
}

impl Records {
    /// Takes one line: `None` is one that was lost.
    fn take(&mut self, line: Option<&[u8]>, out: &mut BatchBuilder, log: &mut StandardError) {
        let Some(line) = line else {
            let what = || "a line that is too long, or was not ended".to_owned();
            return out.reject(Reason::Invalid, what);
        };
        let is_over = self.ends_count && self.ending.is_some();
        let refuse = |out: &mut BatchBuilder, log: &mut StandardError, why: &Malformed| {
            let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN_BYTES)]);
            out.reject(Reason::Invalid, || format!("{why}: {text}"));
            log.say(Level::Warn, &format!("not understood: {why}: {text}"));
        };
        match self.reader.read(line) {
            Ok(Record::Nothing) => {}
            Ok(Record::Log(level, text)) => log.say(level, &text),
            Ok(Record::End(_) | Record::Sample(_) | Record::Refused { .. }) if is_over => {
                refuse(out, log, &Malformed::after_end());
            }
            Ok(Record::End(ending)) => self.ending = Some(ending),
            Ok(Record::Sample(sample)) => emit(&sample, out),
            Ok(Record::Refused { reason, count, message }) => {
                out.reject_many(reason, count, || message.into_owned());
            }
            Err(malformed) => refuse(out, log, &malformed),
        }
    }
}

fn emit(sample: &Sample<'_>, out: &mut BatchBuilder) {
    let labels: Vec<(&str, &str)> =
        sample.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
    let stamp = sample.unix_ns.map(Stamp::of_unix_ns);
    out.push_at(&sample.name, &labels, value(sample.kind, sample.value), stamp);
}
