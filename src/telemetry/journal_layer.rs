//! Events as entries of the journal: each field of ours is one of theirs, in capitals.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::{lost, message_id};
use crate::systemd::journal::{Entry, Journal};

/// Sends events to the journal. One that journald does not take at once is lost, and counted.
pub(super) struct JournalLayer(pub(super) Journal);

impl<S: Subscriber> Layer<S> for JournalLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        lost::tell(|count| {
            let mut entry = entry(&Level::WARN, "log_lines_lost");
            entry.put(
                "MESSAGE",
                &format!("{count} lines of the log were lost; journald did not take them"),
            );
            entry.put("COUNT", &count.to_string());
            self.0.send(&entry).is_ok()
        });
        let metadata = event.metadata();
        let mut fields =
            Fields { entry: entry(metadata.level(), metadata.name()), ..Fields::default() };
        event.record(&mut fields);
        let Fields { mut entry, message, rest } = fields;
        // What `journalctl` shows without further ado is the message alone.
        entry.put("MESSAGE", &(message + &rest));
        entry.put("TARGET", metadata.target());
        if let Some((file, line)) = metadata.file().zip(metadata.line()) {
            entry.put("CODE_FILE", file);
            entry.put("CODE_LINE", &line.to_string());
        }
        if self.0.send(&entry).is_err() {
            lost::count();
        }
    }
}

/// What every entry has.
fn entry(level: &Level, name: &str) -> Entry {
    let mut entry = Entry::default();
    entry.put("PRIORITY", priority(level));
    entry.put("SYSLOG_IDENTIFIER", "gz-monitor");
    if let Some(id) = message_id::of(name) {
        entry.put("MESSAGE_ID", id);
    }
    entry
}

/// The priorities of syslog(3).
fn priority(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    }
}

#[derive(Default)]
struct Fields {
    entry: Entry,
    message: String,
    rest: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            return self.message.push_str(value);
        }
        self.entry.put(field.name(), value);
        // A String takes all there is.
        let _ = write!(self.rest, " {}={value:?}", field.name());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        if field.name() == "message" {
            return self.message.push_str(&value);
        }
        self.entry.put(field.name(), &value);
        let _ = write!(self.rest, " {}={value}", field.name());
    }
}
