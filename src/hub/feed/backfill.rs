//! What a client is owed of the past: events that have left the log, and those it has missed.

use std::collections::VecDeque;

use super::given::Given;
use crate::hub::{Ask, Entry, Filter, Gap, Message, Older, Page, Piece, Resumed, Start};

/// A run of the stream that is being sent, oldest first.
#[derive(Debug)]
pub(super) struct Backfill {
    next: u64,
    to: u64,
    filter: Filter,
    /// Of what has left the log: the states that nothing has come in the place of.
    states: VecDeque<Message>,
    /// What the client has had of it already.
    given: Vec<Given>,
    /// What it asked for, if it did.
    resume: Option<Resume>,
}

#[derive(Debug)]
struct Resume {
    /// The number that the client said.
    since: u64,
    gap: Option<Gap>,
    replayed: u64,
    complete: bool,
}

impl Backfill {
    /// What a slow client has missed in the log.
    pub(super) fn of_slow(Older { from, to, states }: Older, filter: Filter) -> Self {
        Self { next: from, to, filter, states: states.into(), given: Vec::new(), resume: None }
    }

    /// What a client that comes back has missed, up to the number `to`.
    pub(super) fn of_resumed(
        since: u64,
        start: Start,
        to: u64,
        filter: Filter,
        given: Vec<Given>,
    ) -> Self {
        let (gap, states) = (start.gap, VecDeque::new());
        let resume = Resume { since, gap, replayed: 0, complete: gap.is_none() };
        Self { next: start.from, to, filter, states, given, resume: Some(resume) }
    }

    /// Whether the client asked for it.
    pub(super) fn is_resume(&self) -> bool {
        self.resume.is_some()
    }

    /// The run that it covers.
    pub(super) fn run(&self) -> Given {
        Given { from: self.next, to: self.to, filter: self.filter.clone() }
    }

    /// What is to be read for the next part, if anything is.
    pub(super) fn ask(&self) -> Option<Ask> {
        let is_wanted = self.next <= self.to;
        is_wanted.then(|| Ask::of(self.next, self.to, self.filter.clone()))
    }

    /// The next part, of the answer to [`Backfill::ask`]; with the second value true, it was the last.
    pub(super) fn take(&mut self, page: Option<Page>) -> (Vec<Piece>, bool) {
        let mut out = Vec::new();
        if let Some(gap) = self.resume.as_mut().and_then(|resume| resume.gap.take()) {
            out.push(Piece::Lost(gap));
        }
        if let Some(page) = page {
            self.next = page.next;
            for entry in page.entries {
                self.push(entry, &mut out);
            }
        }
        let until = if self.next > self.to { u64::MAX } else { self.next };
        self.push_states(until, &mut out);
        let is_last = self.next > self.to;
        if let Some(resume) = self.resume.as_ref().filter(|_| is_last) {
            let &Resume { since: from, replayed, complete, .. } = resume;
            out.push(Piece::Resumed(Resumed { from, to: self.to, replayed, complete }));
        }
        (out, is_last)
    }

    fn push(&mut self, entry: Entry, out: &mut Vec<Piece>) {
        match entry {
            Entry::Lost(gap) => {
                self.push_states(gap.from, out);
                if let Some(resume) = &mut self.resume {
                    resume.complete = false;
                }
                let within = self.states.iter().take_while(|state| state.seq <= gap.to).count();
                around(gap, self.states.drain(..within), out);
            }
            Entry::Event(event) => {
                self.push_states(event.seq, out);
                if self.given.iter().any(|given| given.has(event.seq, &event.subject)) {
                    return;
                }
                if let Some(resume) = &mut self.resume {
                    resume.replayed += 1;
                }
                out.push(Piece::Message(event));
            }
        }
    }

    /// The states numbered below `until`, which are in their place then.
    fn push_states(&mut self, until: u64, out: &mut Vec<Piece>) {
        while self.states.front().is_some_and(|state| state.seq < until) {
            out.extend(self.states.pop_front().map(Piece::Message));
        }
    }
}

/// A gap with the states in it that are not lost: it is told in pieces between them.
pub(in crate::hub) fn around(
    gap: Gap,
    states: impl Iterator<Item = Message>,
    out: &mut Vec<Piece>,
) {
    let mut from = gap.from;
    for state in states {
        if state.seq > from {
            out.push(Piece::Lost(Gap { from, to: state.seq - 1, ..gap }));
        }
        from = state.seq + 1;
        out.push(Piece::Message(state));
    }
    if from <= gap.to {
        out.push(Piece::Lost(Gap { from, ..gap }));
    }
}
