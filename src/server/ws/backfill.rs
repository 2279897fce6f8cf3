//! What a client is owed of the past: events that have left the log, and those it has missed.

use std::collections::VecDeque;

use crate::api::{GapData, Reply, Resumed};
use crate::hub::{Ask, Entry, Filter, Gap, Message, Older};
use crate::server::{App, history};

/// A run of the stream that is being sent, oldest first.
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

/// A run of the stream of which a client was given what a filter matches.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) filter: Filter,
}

struct Resume {
    /// The number that the client said.
    since: u64,
    gap: Option<Gap>,
    replayed: u64,
    complete: bool,
}

/// What is to be sent next.
pub(super) enum Send {
    Message(Message),
    Reply(Reply),
}

impl Backfill {
    /// What a slow client has missed in the log.
    pub(super) fn of_slow(Older { from, to, states }: Older, filter: Filter) -> Self {
        Self { next: from, to, filter, states: states.into(), given: Vec::new(), resume: None }
    }

    /// What a client that comes back has missed, up to the number `to`.
    pub(super) fn of_resumed(
        since: u64,
        start: history::Start,
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

    /// The next part; with the second value true, it was the last.
    pub(super) async fn take(&mut self, app: &App) -> (Vec<Send>, bool) {
        let mut out = Vec::new();
        if let Some(gap) = self.resume.as_mut().and_then(|resume| resume.gap.take()) {
            out.push(lost(gap));
        }
        if self.next <= self.to {
            let ask = Ask::of(self.next, self.to, self.filter.clone());
            let page = history::read(app, ask).await;
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
            out.push(Send::Reply(Reply::Resumed(Resumed {
                from,
                to: self.to,
                replayed,
                complete,
            })));
        }
        (out, is_last)
    }

    fn push(&mut self, entry: Entry, out: &mut Vec<Send>) {
        match entry {
            Entry::Lost(gap) => {
                self.push_states(gap.from, out);
                if let Some(resume) = &mut self.resume {
                    resume.complete = false;
                }
                out.push(lost(gap));
            }
            Entry::Event(event) => {
                self.push_states(event.seq, out);
                if self.given.iter().any(|given| given.has(&event)) {
                    return;
                }
                if let Some(resume) = &mut self.resume {
                    resume.replayed += 1;
                }
                out.push(Send::Message(event));
            }
        }
    }

    /// The states numbered below `until`, which are in their place then.
    fn push_states(&mut self, until: u64, out: &mut Vec<Send>) {
        while self.states.front().is_some_and(|state| state.seq < until) {
            out.extend(self.states.pop_front().map(Send::Message));
        }
    }
}

impl Given {
    fn has(&self, event: &Message) -> bool {
        (self.from..=self.to).contains(&event.seq) && self.filter.matches(&event.subject)
    }
}

fn lost(Gap { from, to, reason }: Gap) -> Send {
    Send::Reply(Reply::Gap(GapData { from, to, reason: reason.name() }))
}
