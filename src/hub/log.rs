//! The sequence of messages, and the ring that keeps the latest of them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::frames::Held;
use super::line::fresh_epoch;
use super::{Ask, Bounds, Config, Draft, Entry, Lag, Line, Message, Page, Subject, Type, Usage};
use crate::sample::Moment;

/// Subjects whose newest state is kept beyond the ring; there is one for every collector.
const LAST_STATES_MAX: usize = 4_096;

/// A ring of messages with consecutive numbers, bounded in messages and bytes.
pub(super) struct Log {
    epoch: Arc<str>,
    messages: VecDeque<Message>,
    /// By message: when it was published, and the bytes of all messages up to its end.
    marks: VecDeque<(Instant, u64)>,
    /// The bytes of all messages that ever were.
    end: u64,
    /// Bytes of their JSON.
    bytes: usize,
    /// Bytes of their frames in other codings, which are made while they are here.
    held: Held,
    /// The last number published.
    head: u64,
    /// The last number given; above `head` while messages wait to be stored.
    given: u64,
    /// The last number that may be given under the name `epoch`.
    limit: u64,
    /// The number of the newest state of each subject.
    newest: HashMap<Subject, u64>,
    /// The newest states that have left the ring, by number: nothing has come in their place.
    last_states: BTreeMap<u64, Message>,
    published: [u64; Type::ALL.len()],
    limits: Config,
}

impl Log {
    pub(super) fn new(line: Line, config: &Config) -> Self {
        Self {
            epoch: line.epoch.into(),
            messages: VecDeque::new(),
            marks: VecDeque::new(),
            end: 0,
            bytes: 0,
            held: Held::default(),
            head: line.last,
            given: line.last,
            limit: line.limit,
            newest: HashMap::new(),
            last_states: BTreeMap::new(),
            published: [0; Type::ALL.len()],
            limits: config.clone(),
        }
    }

    pub(super) fn epoch(&self) -> Arc<str> {
        self.epoch.clone()
    }

    pub(super) fn head(&self) -> u64 {
        self.head
    }

    pub(super) fn line(&self) -> Line {
        Line { epoch: self.epoch.to_string(), last: self.given, limit: self.limit }
    }

    pub(super) fn allow(&mut self, epoch: &str, limit: u64) {
        if *self.epoch == *epoch && limit >= self.given {
            self.limit = limit;
        }
    }

    /// The number of the oldest message kept; `head + 1` if there is none.
    pub(super) fn tail(&self) -> u64 {
        self.head + 1 - self.messages.len() as u64
    }

    /// How far behind a client may be.
    pub(super) fn bounds(&self) -> Bounds {
        let Config { client_buffer, client_bytes, log_bytes, .. } = &self.limits;
        let (messages, bytes) = (*client_buffer as u64, **client_bytes);
        Bounds { messages, bytes, log_bytes: **log_bytes as usize }
    }

    /// How far behind a client is to whom the message numbered `next` is due.
    pub(super) fn lag(&self, next: u64) -> Lag {
        let messages = (self.head + 1).saturating_sub(next);
        let before = next.max(self.tail()) - self.tail();
        let begin = before.checked_sub(1).map_or_else(
            || self.end - self.bytes as u64,
            |index| self.marks.get(index as usize).map_or(self.end, |(_, end)| *end),
        );
        Lag { messages, bytes: self.end - begin }
    }

    /// The number of the first message with which a client would be within the bounds; the newest one
    /// always is.
    pub(super) fn within(&self, Bounds { messages, bytes, .. }: Bounds) -> u64 {
        let by_messages = (self.head + 1).saturating_sub(messages);
        // All behind the first mark from which no more than that follows.
        let index = self.marks.partition_point(|(_, end)| self.end - end > bytes);
        let all_fit = self.bytes as u64 <= bytes;
        let by_bytes = if all_fit { self.tail() } else { self.tail() + index as u64 + 1 };
        by_messages.max(by_bytes).min(self.head)
    }

    /// When the messages numbered `from` and above were published, oldest first.
    pub(super) fn published(&self, from: u64) -> impl Iterator<Item = Instant> {
        let skip = from.saturating_sub(self.tail()) as usize;
        self.marks.range(skip.min(self.marks.len())..).map(|(published, _)| *published)
    }

    /// Gives numbers. Beyond the limit the line gets another name: whoever continues the old one
    /// would give the same numbers again.
    pub(super) fn number(&mut self, drafts: Vec<Draft>, now: Moment) -> Vec<Message> {
        if self.given + drafts.len() as u64 > self.limit {
            (self.epoch, self.limit) = (fresh_epoch().into(), u64::MAX);
        }
        let messages = drafts.into_iter().map(|draft| {
            self.given += 1;
            Message::encode(draft, self.given, now, &self.held)
        });
        messages.collect()
    }

    pub(super) fn append(&mut self, message: Message, now: Instant) {
        debug_assert_eq!(message.seq, self.head + 1, "published in the order of the numbers");
        self.head = message.seq;
        self.published[message.subject.kind() as usize] += 1;
        if message.subject.is_state() {
            let before = self.newest.insert(message.subject.clone(), message.seq);
            before.and_then(|seq| self.last_states.remove(&seq));
        }
        self.bytes += message.text.len();
        self.end += message.text.len() as u64;
        self.marks.push_back((now, self.end));
        self.messages.push_back(message);
        self.trim();
    }

    pub(super) fn configure(&mut self, config: &Config) {
        self.limits = config.clone();
        self.trim();
    }

    /// The messages numbered `from` and above, oldest first.
    pub(super) fn since(&self, from: u64) -> impl DoubleEndedIterator<Item = &Message> {
        let skip = from.saturating_sub(self.tail()) as usize;
        self.messages.range(skip.min(self.messages.len())..)
    }

    /// The states numbered `from` and above that have left the ring without a successor.
    pub(super) fn last_states(&self, from: u64) -> impl Iterator<Item = &Message> {
        self.last_states.range(from..).map(|(_, message)| message)
    }

    pub(super) fn read(&self, ask: &Ask) -> Option<Page> {
        if ask.from < self.tail() {
            return None;
        }
        let (mut page, mut bytes) = (Page { entries: Vec::new(), next: ask.from }, 0);
        for message in self.since(ask.from).take_while(|message| message.seq <= ask.to) {
            if page.entries.len() >= ask.messages || bytes >= ask.bytes {
                return Some(page);
            }
            page.next = message.seq + 1;
            if !message.subject.is_state() && ask.filter.matches(&message.subject) {
                bytes += message.text.len();
                page.entries.push(Entry::Event(message.clone()));
            }
        }
        page.next = ask.to + 1;
        Some(page)
    }

    pub(super) fn usage(&self) -> Usage {
        let published = Type::ALL.map(|kind| (kind, self.published[kind as usize]));
        Usage { messages: self.messages.len(), bytes: self.bytes(), published }
    }

    fn bytes(&self) -> usize {
        self.bytes + self.held.load(Ordering::Relaxed)
    }

    fn trim(&mut self) {
        // The newest message stays whatever its size: it has not had a chance to be read.
        while self.messages.len() > 1
            && (self.messages.len() > self.limits.log_messages
                || self.bytes() as u64 > *self.limits.log_bytes)
        {
            let Some(oldest) = self.messages.pop_front() else { return };
            self.marks.pop_front();
            self.bytes -= oldest.text.len();
            if self.newest.get(&oldest.subject) == Some(&oldest.seq) {
                self.last_states.insert(oldest.seq, oldest.lean());
            }
            if self.last_states.len() > LAST_STATES_MAX
                && let Some((_, forgotten)) = self.last_states.pop_first()
            {
                self.newest.remove(&forgotten.subject);
            }
        }
    }
}
