//! The sequence of messages, and the ring that keeps the latest of them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Config, Draft, Message, Type, Usage};
use crate::sample::Moment;

/// A ring of messages with consecutive numbers, bounded in messages and bytes.
pub(super) struct Log {
    epoch: Arc<str>,
    messages: VecDeque<Message>,
    bytes: usize,
    /// The last number given; 0 before the first message.
    head: u64,
    published: [u64; Type::ALL.len()],
    limits: Config,
}

impl Log {
    pub(super) fn new(epoch: String, config: &Config) -> Self {
        Self {
            epoch: epoch.into(),
            messages: VecDeque::new(),
            bytes: 0,
            head: 0,
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

    /// The number of the oldest message kept; `head + 1` if there is none.
    pub(super) fn tail(&self) -> u64 {
        self.head + 1 - self.messages.len() as u64
    }

    /// How far behind a client may be before states are conflated for it.
    pub(super) fn client_buffer(&self) -> u64 {
        self.limits.client_buffer as u64
    }

    pub(super) fn append(&mut self, draft: Draft, now: Moment) {
        self.head += 1;
        let message = Message::encode(draft, self.head, now);
        self.published[message.subject.kind() as usize] += 1;
        self.bytes += message.text.len();
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

    pub(super) fn usage(&self) -> Usage {
        let published = Type::ALL.map(|kind| (kind, self.published[kind as usize]));
        Usage { messages: self.messages.len(), bytes: self.bytes, published }
    }

    fn trim(&mut self) {
        // The newest message stays whatever its size: it has not had a chance to be read.
        while self.messages.len() > 1
            && (self.messages.len() > self.limits.log_messages
                || self.bytes as u64 > *self.limits.log_bytes)
        {
            let oldest = self.messages.pop_front();
            self.bytes -= oldest.map_or(0, |message| message.text.len());
        }
    }
}
