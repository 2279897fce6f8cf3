//! A line of the log that outlives its event: the same metadata, and a copy of each value.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use tracing::field::{DisplayValue, Field, Value, Visit, display};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_core::field::FieldSet;
use tracing_core::metadata::Kind;
use tracing_core::subscriber::Interest;
use tracing_core::{Callsite, metadata};

/// Bytes of all texts of a line together; what is more is cut off.
pub(super) const BYTES_MAX: usize = 16 << 10;

/// What stands where a text was cut off.
const CUT: char = '…';

/// An event, as owned values.
pub(super) struct Line {
    pub(super) metadata: &'static Metadata<'static>,
    /// When it happened, which may be long before it is written.
    pub(super) time: Timestamp,
    /// One for each field of the metadata, in their order.
    pub(super) values: Vec<Option<Owned>>,
}

/// A copy of a field's value.
pub(super) enum Owned {
    Str(String),
    U64(u64),
    I64(i64),
    F64(f64),
    Bool(bool),
    /// What `Debug` or `Display` made of anything else.
    Text(DisplayValue<String>),
}

impl Line {
    /// Copies an event that happens now.
    pub(super) fn of(event: &Event<'_>) -> Self {
        let metadata = event.metadata();
        let values = metadata.fields().iter().map(|_| None).collect();
        let mut copy = Copy { values, left: BYTES_MAX };
        event.record(&mut copy);
        Self { metadata, time: Timestamp::now(), values: copy.values }
    }

    /// Tells of lines that were dropped.
    pub(super) fn of_lost(count: u64) -> Self {
        let text = "lines of the log were lost; nobody read them".to_owned();
        let values = vec![Some(Owned::Text(display(text))), Some(Owned::U64(count))];
        Self { metadata: &LOST, time: Timestamp::now(), values }
    }

    /// Has the event happen again, for this subscriber alone.
    pub(super) fn replay(&self, subscriber: &dyn Subscriber) {
        replay(self.metadata, self.metadata.fields(), &self.values, subscriber);
    }
}

/// An event with one value, or none, for each of these fields.
pub(super) fn replay(
    metadata: &'static Metadata<'static>,
    fields: &FieldSet,
    values: &[Option<Owned>],
    subscriber: &dyn Subscriber,
) {
    let values: Vec<_> = values.iter().map(|value| value.as_ref().map(Owned::value)).collect();
    subscriber.event(&Event::new(metadata, &fields.value_set_all(&values)));
}

impl Owned {
    fn value(&self) -> &dyn Value {
        match self {
            Owned::Str(value) => value,
            Owned::U64(value) => value,
            Owned::I64(value) => value,
            Owned::F64(value) => value,
            Owned::Bool(value) => value,
            Owned::Text(value) => value,
        }
    }
}

/// As text on a terminal has it: strings in quotes.
impl fmt::Display for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owned::Str(value) => write!(f, "{value:?}"),
            Owned::U64(value) => write!(f, "{value}"),
            Owned::I64(value) => write!(f, "{value}"),
            Owned::F64(value) => write!(f, "{value:?}"),
            Owned::Bool(value) => write!(f, "{value}"),
            Owned::Text(value) => write!(f, "{value}"),
        }
    }
}

/// Takes the values of an event.
struct Copy {
    values: Vec<Option<Owned>>,
    /// Bytes that texts may still have.
    left: usize,
}

impl Copy {
    fn put(&mut self, field: &Field, value: Owned) {
        if let Some(place) = self.values.get_mut(field.index()) {
            *place = Some(value);
        }
    }

    fn text(&mut self, value: fmt::Arguments<'_>) -> String {
        let mut text = Bounded { text: String::new(), left: self.left };
        // It fails where it is cut off, so that the rest is not even formatted.
        let _ = text.write_fmt(value);
        self.left = text.left;
        text.text
    }
}

impl Visit for Copy {
    fn record_str(&mut self, field: &Field, value: &str) {
        let text = self.text(format_args!("{value}"));
        self.put(field, Owned::Str(text));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Owned::U64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Owned::I64(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Owned::F64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Owned::Bool(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = self.text(format_args!("{value:?}"));
        self.put(field, Owned::Text(display(text)));
    }
}

/// A text that takes so many bytes.
struct Bounded {
    text: String,
    left: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if part.len() <= self.left {
            self.left -= part.len();
            self.text.push_str(part);
            return Ok(());
        }
        self.text.push_str(&part[..part.floor_char_boundary(self.left)]);
        self.text.push(CUT);
        self.left = 0;
        Err(fmt::Error)
    }
}

/// The place in the code that tells of lost lines. Nobody subscribes to it: what tells of them goes
/// straight to the writer, whatever the level.
struct LostLines;

static LOST: Metadata<'static> = metadata! {
    name: "log_lines_lost",
    target: module_path!(),
    level: Level::WARN,
    fields: &["message", "count"],
    callsite: &LostLines,
    kind: Kind::EVENT,
};

impl Callsite for LostLines {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &LOST
    }
}
