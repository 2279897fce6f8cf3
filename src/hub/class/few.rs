//! What waits for the members of a small class: messages, not bytes, so that ten thousand filters of
//! their own are not ten thousand copies.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::{Counts, Written};
use crate::hub::Message;

/// Frames that are put together for one write.
const BYTES_AT_ONCE: usize = 256 << 10;

/// That many messages, and bytes of the next.
pub(super) type Place = (u64, u32);

/// Messages in the order of the stream. Places count all that ever came.
#[derive(Debug, Default)]
pub(super) struct Few {
    messages: VecDeque<(Arc<Message>, Instant)>,
    /// The place of the first of them.
    base: u64,
    bytes: usize,
}

impl Few {
    /// The place behind the last message.
    pub(super) fn head(&self) -> u64 {
        self.base + self.messages.len() as u64
    }

    /// The place of the first message that is still here.
    pub(super) fn tail(&self) -> u64 {
        self.base
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, message: Arc<Message>, published: Instant) {
        self.bytes += message.text.len();
        self.messages.push_back((message, published));
    }

    pub(super) fn trim(&mut self, to: u64) {
        while self.base < to
            && let Some((message, _)) = self.messages.pop_front()
        {
            self.base += 1;
            self.bytes -= message.text.len();
        }
        if self.messages.is_empty() {
            self.messages = VecDeque::new();
        }
    }

    /// The messages from the place `at` on.
    pub(super) fn from(&self, at: u64) -> impl Iterator<Item = &(Arc<Message>, Instant)> {
        self.messages.range((at - self.base) as usize..)
    }

    /// Hands `write` the frames behind `place`, as many as make one write of a sensible size; returns
    /// the place reached and what the write was.
    pub(super) fn write(
        &self,
        (at, offset): Place,
        frame: impl Fn(&Message) -> Bytes,
        gathered: &mut Vec<u8>,
        write: impl FnOnce(&[u8]) -> usize,
    ) -> (Place, Written) {
        let skipped = offset as usize;
        let (offered, taken) = if at + 1 == self.head() {
            let frame = frame(&self.messages[(at - self.base) as usize].0);
            (frame.len() - skipped, write(&frame[skipped..]))
        } else {
            gathered.clear();
            for (message, _) in self.from(at) {
                if gathered.len() >= BYTES_AT_ONCE {
                    break;
                }
                gathered.extend_from_slice(&frame(message));
            }
            (gathered.len() - skipped, write(&gathered[skipped..]))
        };
        let (mut reached, mut left, mut counts) = (at, skipped + taken, Counts::default());
        for (message, published) in self.from(at) {
            let length = frame(message).len();
            if left < length {
                break;
            }
            left -= length;
            reached += 1;
            counts.add(message.subject.kind(), *published);
        }
        let is_all = reached == self.head();
        let written = Written { bytes: taken as u64, counts, is_all, is_blocked: taken < offered };
        ((reached, left as u32), written)
    }
}
