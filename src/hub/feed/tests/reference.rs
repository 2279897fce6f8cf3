//! The reference: all that was ever published, and an archive that keeps a part of it.

use std::collections::BTreeMap;

use crate::hub::{Ask, Entry, Filter, Gap, Message, Page, Reason, Subject};

/// Events of one page.
const PAGE: usize = 3;

/// All that was published, and what is still kept of it.
#[derive(Default)]
pub(super) struct Reference {
    pub(super) messages: BTreeMap<u64, Subject>,
    pub(super) kept: BTreeMap<u64, Message>,
    /// No event up to this number is kept.
    pub(super) pruned: u64,
    /// How many names the number line has had.
    pub(super) epochs: usize,
}

impl Reference {
    /// The events among `from` to `to` that a filter matches.
    pub(super) fn events(&self, from: u64, to: u64, filter: &Filter) -> Vec<u64> {
        if from > to {
            return Vec::new();
        }
        let wanted =
            |(_, subject): &(&u64, &Subject)| !subject.is_state() && filter.matches(subject);
        self.messages.range(from..=to).filter(wanted).map(|(seq, _)| *seq).collect()
    }

    pub(super) fn read(&self, ask: &Ask) -> Page {
        let mut page = Page { entries: Vec::new(), next: ask.to + 1 };
        if self.pruned >= ask.from {
            let (from, to) = (ask.from, self.pruned.min(ask.to));
            page.entries.push(Entry::Lost(Gap { from, to, reason: Reason::Retention }));
        }
        let from = ask.from.max(self.pruned + 1);
        for (seq, message) in self.kept.range(from..).take_while(|(seq, _)| **seq <= ask.to) {
            if page.entries.len() >= PAGE {
                page.next = *seq;
                break;
            }
            if ask.filter.matches(&message.subject) {
                page.entries.push(Entry::Event(message.clone()));
            }
        }
        page
    }
}
