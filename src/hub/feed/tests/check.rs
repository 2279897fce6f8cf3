//! One connection: what its client has received, and whether that is what the reference allows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::reference::Reference;
use crate::hub::{Filter, SlowClient, Subject};

/// A connection whose socket takes only as much as there is room for.
pub(super) struct Connection {
    pub(super) room: usize,
    /// What was asked and not answered yet: filters with `since` and the head at that time; pings with
    /// the head, if what was published is to come before the answer.
    pub(super) changes: VecDeque<(Filter, Option<u64>, u64)>,
    pub(super) pings: VecDeque<(u64, Option<u64>)>,
    /// The last number that was due by the filter before, for each change.
    pub(super) applied: VecDeque<u64>,
    bytes: Vec<u8>,
    filter: Filter,
    /// All up to this number is dealt with.
    position: u64,
    /// When the present filter began.
    period: u64,
    /// The newest state of each subject that was received by this filter.
    states: BTreeMap<String, u64>,
    /// Events that were received, or told to be lost.
    given: BTreeSet<u64>,
    resume: Option<Resume>,
    epoch: String,
}

/// What comes again.
struct Resume {
    since: u64,
    to: u64,
    position: u64,
    replayed: u64,
    complete: bool,
    /// Those that were given before.
    before: BTreeSet<u64>,
}

impl Resume {
    fn new(since: u64, to: u64, before: BTreeSet<u64>) -> Self {
        Self { since, to, position: since, replayed: 0, complete: true, before }
    }
}

impl Connection {
    /// One that begins anew, or with what came after a number.
    pub(super) fn new(since: Option<u64>, head: u64) -> Self {
        Self {
            room: 0,
            changes: VecDeque::new(),
            pings: VecDeque::new(),
            applied: VecDeque::new(),
            bytes: Vec::new(),
            filter: Filter::default(),
            position: head,
            period: head,
            states: BTreeMap::new(),
            given: BTreeSet::new(),
            resume: since.map(|since| Resume::new(since, head, BTreeSet::new())),
            epoch: String::new(),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room);
        self.room -= count;
        self.bytes.extend_from_slice(&bytes[..count]);
        count
    }

    /// Reads all whole frames that have come.
    pub(super) fn read(&mut self, reference: &Reference, policy: SlowClient) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = &bytes[..];
        while let Some((text, after)) = split(rest) {
            rest = after;
            let words: Vec<&str> = text.split(' ').collect();
            let number = |index: usize| words[index].parse::<u64>().expect("a number");
            match words[0] {
                "pong" => {
                    let (ping, owed) = self.pings.pop_front().expect("it had asked");
                    assert_eq!(ping, number(1), "in their order");
                    let head = owed.unwrap_or(self.position);
                    let missing = reference.events(self.position + 1, head, &self.filter);
                    assert!(missing.is_empty(), "{missing:?} were published before a ping");
                }
                "present" => {
                    assert!(self.resume.is_none(), "the state comes after what was missed");
                    words[1].clone_into(&mut self.epoch);
                }
                "lost" => self.lost(reference, policy, (number(1), number(2)), words[3]),
                "resumed" => {
                    let resume = self.resume.take().expect("it had asked");
                    let (from, to, replayed) = (number(1), number(2), number(3));
                    let missing = missing(reference, &self.filter, &resume, resume.to + 1);
                    assert!(missing.is_empty(), "{missing:?} did not come again");
                    assert_eq!((from, to, replayed), (resume.since, resume.to, resume.replayed));
                    assert_eq!(words[4], resume.complete.to_string());
                }
                "subscribed" | "unsubscribed" => self.changed(reference),
                _ => self.message(reference, seq(text)),
            }
        }
    }

    fn message(&mut self, reference: &Reference, seq: u64) {
        let subject = &reference.messages[&seq];
        assert!(self.filter.matches(subject), "{seq} {subject:?} was not wanted");
        if let Some(resume) = &mut self.resume {
            assert!(!subject.is_state(), "only events come again");
            let missing = missing(reference, &self.filter, resume, seq);
            assert!(missing.is_empty(), "{missing:?} did not come before {seq}");
            assert!(seq > resume.position && seq <= resume.to, "{seq} is out of order");
            assert!(!resume.before.contains(&seq), "{seq} comes twice");
            (resume.position, resume.replayed) = (seq, resume.replayed + 1);
            self.given.insert(seq);
            return;
        }
        assert!(seq > self.position, "{seq} comes after {}", self.position);
        let missing = reference.events(self.position + 1, seq - 1, &self.filter);
        assert!(missing.is_empty(), "{missing:?} did not come before {seq}");
        self.position = seq;
        if subject.is_state() {
            self.states.insert(name(subject), seq);
        } else {
            assert!(self.given.insert(seq), "{seq} comes twice");
        }
    }

    fn lost(
        &mut self,
        reference: &Reference,
        policy: SlowClient,
        (from, to): (u64, u64),
        reason: &str,
    ) {
        assert!(from <= to);
        match reason {
            "slow" => assert_eq!(policy, SlowClient::Drop),
            "retention" => assert!(to <= reference.pruned, "{from} to {to} are kept"),
            "epoch" => {
                assert!(reference.epochs > 1, "there is one number line");
                let resume = self.resume.as_mut().expect("it had asked");
                assert_eq!((from, to), (0, resume.to));
                (resume.position, resume.complete) = (to, false);
                return;
            }
            other => panic!("{other}"),
        }
        let filter = &self.filter;
        if let Some(resume) = &mut self.resume {
            assert_eq!(reason, "retention", "who comes back is not judged");
            let missing = missing(reference, filter, resume, from);
            assert!(missing.is_empty(), "{missing:?} did not come before a gap from {from}");
            (resume.position, resume.complete) = (to, false);
        } else {
            assert!(from > self.position, "a gap from {from} comes after {}", self.position);
            let missing = reference.events(self.position + 1, from - 1, filter);
            assert!(missing.is_empty(), "{missing:?} did not come before a gap from {from}");
            self.position = to;
        }
        self.given.extend(reference.events(from, to, filter));
    }

    /// The next filter is in force.
    fn changed(&mut self, reference: &Reference) {
        assert!(self.resume.is_none(), "one after the other");
        let (filter, since, head) = self.changes.pop_front().expect("it had asked");
        let to = self.applied.pop_front().expect("it was put in force");
        assert!(to >= head, "what was published before is owed by the filter before");
        self.owes_nothing(reference, to);
        (self.filter, self.position, self.period) = (filter, to, to);
        self.states.clear();
        self.resume = since.map(|since| Resume::new(since, to, self.given.clone()));
    }

    /// All up to `to` has come that is to come by the present filter.
    fn owes_nothing(&self, reference: &Reference, to: u64) {
        let missing = reference.events(self.position + 1, to, &self.filter);
        assert!(missing.is_empty(), "{missing:?} did not come");
        let period = reference.messages.range(self.period + 1..).take_while(|(seq, _)| **seq <= to);
        let states =
            period.filter(|(_, subject)| subject.is_state() && self.filter.matches(subject));
        let newest: BTreeMap<String, u64> =
            states.map(|(seq, subject)| (name(subject), *seq)).collect();
        for (name, seq) in newest {
            assert_eq!(self.states.get(&name), Some(&seq), "the newest {name} did not come");
        }
    }

    /// It has had all that there is.
    pub(super) fn end(&self, reference: &Reference, head: u64, epoch: &str) {
        assert!(self.changes.is_empty() && self.pings.is_empty() && self.resume.is_none());
        assert_eq!(self.epoch, epoch);
        self.owes_nothing(reference, head);
    }
}

/// What was to come again before `until` and did not.
fn missing(reference: &Reference, filter: &Filter, resume: &Resume, until: u64) -> Vec<u64> {
    let to = (until - 1).min(resume.to);
    let mut events = reference.events(resume.position + 1, to, filter);
    events.retain(|seq| !resume.before.contains(seq));
    events
}

fn name(subject: &Subject) -> String {
    format!("{subject:?}")
}

/// The payload of the first frame, and what follows it.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (head, length) = match (*bytes.get(1)?, bytes) {
        (126, [_, _, high, low, ..]) => (4, usize::from(*high) << 8 | usize::from(*low)),
        (126.., _) => return None,
        (length, _) => (2, usize::from(length)),
    };
    assert_eq!(bytes[0], 0x81, "a frame begins where the last one ends");
    let payload = bytes.get(head..head + length)?;
    Some((str::from_utf8(payload).expect("text"), &bytes[head + length..]))
}

fn seq(text: &str) -> u64 {
    let value: serde_json::Value = serde_json::from_str(text).expect("a message is JSON");
    value["seq"].as_u64().expect("a number")
}
