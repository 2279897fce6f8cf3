//! Lines as entries of the journal: each field of ours is one of theirs, in capitals.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;

use tracing::field::display;
use tracing::{Metadata, Subscriber};
use tracing_core::callsite::Identifier;
use tracing_core::field::FieldSet;
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use super::line::{Line, Owned, replay};
use super::message_id;

/// Fields that entries have besides those of their event.
const OURS: [&str; 2] = ["message_id", "event_time"];

/// The way to journald. Whoever uses it waits for journald.
pub(super) struct Journal {
    subscriber: Box<dyn Subscriber>,
    /// The fields of each place in the code that has logged, and ours.
    fields: HashMap<Identifier, FieldSet>,
}

impl Journal {
    /// Finds journald.
    ///
    /// # Errors
    /// If nobody listens.
    pub(super) fn connect() -> io::Result<Self> {
        let layer = tracing_journald::layer()?
            .with_field_prefix(None)
            .with_syslog_identifier("gz-monitor".to_owned())
            .with_priority_mappings(PriorityMappings {
                info: Priority::Informational,
                debug: Priority::Debug,
                ..PriorityMappings::new()
            });
        Ok(Self::to(Box::new(Registry::default().with(layer))))
    }

    pub(super) fn to(subscriber: Box<dyn Subscriber>) -> Self {
        Self { subscriber, fields: HashMap::new() }
    }

    /// Writes a line. Whether journald took it is not known.
    pub(super) fn write(&mut self, line: Line) {
        let Line { metadata, time, mut values } = line;
        complete_message(metadata, &mut values);
        let id = message_id::of(metadata.name());
        values.push(id.map(|id| Owned::Str(id.to_owned())));
        values.push(Some(Owned::Text(display(format!("{time:.6}")))));
        let fields = self.fields.entry(metadata.callsite()).or_insert_with(|| with_ours(metadata));
        replay(metadata, fields, &values, &*self.subscriber);
    }
}

/// What `journalctl` shows without further ado is the message alone, so it has the fields too.
fn complete_message(metadata: &Metadata<'_>, values: &mut [Option<Owned>]) {
    let (mut message, mut place) = (String::new(), None);
    let mut rest = String::new();
    for (field, value) in metadata.fields().iter().zip(&*values) {
        // A String takes all there is.
        let _ = match value {
            Some(Owned::Str(text)) if field.name() == "message" => message.write_str(text),
            Some(value) if field.name() == "message" => write!(message, "{value}"),
            Some(value) => write!(rest, " {}={value}", field.name()),
            None => Ok(()),
        };
        if field.name() == "message" {
            place = Some(field.index());
        }
    }
    if let Some(value) = place.and_then(|place| values.get_mut(place)) {
        *value = Some(Owned::Str(message + &rest));
    }
}

/// The names last as long as the process, as those of the event do: there are as many as there are
/// places in the code that log.
fn with_ours(metadata: &'static Metadata<'static>) -> FieldSet {
    let names: Vec<_> = metadata.fields().iter().map(|field| field.name()).chain(OURS).collect();
    FieldSet::new(Vec::leak(names), metadata.callsite())
}
