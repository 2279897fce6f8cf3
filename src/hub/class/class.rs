//! One filter class: its members, and what waits for them.

use std::sync::Arc;
use std::time::Instant;

use super::few::Few;
use super::ring::Ring;
use super::{Counts, Key, Rest, Written};
use crate::hub::{Deflater, Message};

/// From so many members on, frames are copied for all of them once; below the other number they are
/// not any more. Between the two nothing changes, so that one client cannot make it go back and forth.
const MANY: usize = 8;
const FEW: usize = 4;
/// Messages that may wait in a small class.
const FEW_MESSAGES_MAX: u64 = 1_024;

/// Clients with equal filters and codings.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) key: Arc<Key>,
    pub(super) members: Vec<Member>,
    log: Log,
    /// Who is next, and how many are left in this pass.
    position: usize,
    pub(super) left: usize,
    /// Whether it waits for the next pass.
    pub(super) is_due: bool,
    /// What the last write to a whole member has come to, since most are alike.
    last: (u64, u64, Counts),
}

/// A client, and how far it has got: in a large class that many bytes, in a small one that many
/// messages and bytes of the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) client: u32,
    offset: u32,
    at: u64,
}

#[derive(Debug)]
enum Log {
    Few(Few),
    Many(Ring),
}

impl Log {
    fn head(&self) -> u64 {
        match self {
            Log::Few(few) => few.head(),
            Log::Many(ring) => ring.head(),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Log::Few(few) => few.head() == few.tail(),
            Log::Many(ring) => ring.head() == ring.tail(),
        }
    }
}

impl Class {
    pub(super) fn new(key: Arc<Key>) -> Self {
        Self {
            key,
            members: Vec::new(),
            log: Log::Few(Few::default()),
            position: 0,
            left: 0,
            is_due: false,
            last: (0, 0, Counts::default()),
        }
    }

    /// Takes in a client to whom what comes from now on is due; returns its place.
    pub(super) fn join(&mut self, client: u32, deflater: &Deflater) -> usize {
        if self.members.len() + 1 >= MANY {
            self.widen(deflater);
        }
        self.members.push(Member { client, offset: 0, at: self.log.head() });
        self.members.len() - 1
    }

    /// Lets the member at `index` go; the last one takes its place.
    pub(super) fn leave(&mut self, index: usize, deflater: &Deflater) -> Rest {
        let member = self.members.swap_remove(index);
        let rest = self.rest_of(member, deflater);
        if self.left > 0 {
            // Whoever was moved may be passed over in this round: look at all once more.
            self.left = self.members.len();
        }
        if self.left == 0 && !self.log.is_empty() {
            self.trim();
        }
        rest
    }

    pub(super) fn push(&mut self, message: &Arc<Message>, published: Instant, deflater: &Deflater) {
        match &mut self.log {
            Log::Few(few) => few.push(message.clone(), published),
            Log::Many(ring) => {
                let frame = message.frame(self.key.coding, deflater);
                ring.push(&frame, message.seq, message.subject.kind(), published);
            }
        }
    }

    /// Begins a round over all members.
    pub(super) fn begin(&mut self) {
        (self.left, self.is_due) = (self.members.len(), false);
        // Not always the same one first.
        self.position = self.position.wrapping_add(61);
    }

    /// The next member of this round.
    pub(super) fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        self.position = self.position.wrapping_add(1) % self.members.len();
        Some(self.position)
    }

    /// Whether nothing is due to a member.
    pub(super) fn is_through(&self, index: usize) -> bool {
        self.members[index].at == self.log.head()
    }

    /// Hands `write` what is due to a member, all of it at once.
    pub(super) fn write(
        &mut self,
        index: usize,
        deflater: &Deflater,
        gathered: &mut Vec<u8>,
        write: impl FnOnce(&[u8]) -> usize,
    ) -> Written {
        let Member { offset, at, .. } = self.members[index];
        match &self.log {
            Log::Few(few) => {
                let frame = |message: &Message| message.frame(self.key.coding, deflater);
                let (place, written) = few.write((at, offset), frame, gathered, write);
                (self.members[index].at, self.members[index].offset) = place;
                written
            }
            Log::Many(ring) => {
                let bytes = write(ring.from(at)) as u64;
                let to = at + bytes;
                self.members[index].at = to;
                if (at, to) != (self.last.0, self.last.1) {
                    let mut counts = Counts::default();
                    ring.marks(at, to).for_each(|mark| counts.add(mark.kind, mark.published));
                    self.last = (at, to, counts);
                }
                let is_all = to == ring.head();
                Written { bytes, counts: self.last.2, is_all, is_blocked: !is_all }
            }
        }
    }

    /// Forgets what every member has.
    pub(super) fn trim(&mut self) {
        let head = self.log.head();
        let least = self.members.iter().map(|member| member.at).min().unwrap_or(head);
        match &mut self.log {
            Log::Few(few) => few.trim(least),
            Log::Many(ring) => ring.trim(least),
        }
        if self.members.len() < FEW && self.log.is_empty() {
            self.narrow();
        }
    }

    /// Whether more waits than may: `bytes`, or too many messages.
    pub(super) fn is_full(&self, bytes: usize) -> bool {
        match &self.log {
            Log::Few(few) => few.bytes() > bytes || few.head() - few.tail() > FEW_MESSAGES_MAX,
            Log::Many(ring) => ring.head() - ring.tail() > bytes as u64,
        }
    }

    /// The members for whom the older half of what waits is kept.
    pub(super) fn last_ones(&self) -> impl Iterator<Item = u32> {
        let (tail, head) = match &self.log {
            Log::Few(few) => (few.tail(), few.head()),
            Log::Many(ring) => (ring.tail(), ring.head()),
        };
        let half = tail + (head - tail) / 2;
        self.members.iter().filter(move |member| member.at < half).map(|member| member.client)
    }

    /// The number of the first message that a member has not had in full, if there is one.
    pub(super) fn next_of(&self, index: usize) -> Option<u64> {
        let member = self.members[index];
        match &self.log {
            Log::Few(few) => few.from(member.at).next().map(|(message, _)| message.seq),
            Log::Many(ring) => ring.frame_at(member.at).map(|(mark, _)| mark.seq),
        }
    }

    /// Bytes that are due to a member, as they are kept.
    pub(super) fn owed(&self, index: usize) -> u64 {
        let Member { at, offset, .. } = self.members[index];
        match &self.log {
            Log::Few(few) => {
                let all = few.from(at).map(|(message, _)| message.text.len() as u64).sum::<u64>();
                all.saturating_sub(u64::from(offset))
            }
            Log::Many(ring) => ring.head() - at,
        }
    }

    /// Whether anything is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.log.is_empty()
    }

    fn rest_of(&self, Member { at, offset, .. }: Member, deflater: &Deflater) -> Rest {
        let (seq, kind, bytes) = match &self.log {
            Log::Few(few) => {
                let Some((message, _)) = few.from(at).next() else { return Rest::default() };
                let frame = message.frame(self.key.coding, deflater);
                let bytes = if offset > 0 { frame[offset as usize..].to_vec() } else { Vec::new() };
                (message.seq, message.subject.kind(), bytes)
            }
            Log::Many(ring) => {
                let Some((mark, begin)) = ring.frame_at(at) else { return Rest::default() };
                let rest = &ring.from(at)[..(mark.end - at) as usize];
                let bytes = if at > begin { rest.to_vec() } else { Vec::new() };
                (mark.seq, mark.kind, bytes)
            }
        };
        match bytes.is_empty() {
            true => Rest { next: Some(seq), ..Rest::default() },
            false => Rest { bytes, kind: Some(kind), next: Some(seq + 1) },
        }
    }

    /// From messages to bytes.
    fn widen(&mut self, deflater: &Deflater) {
        let Log::Few(few) = &self.log else { return };
        let (mut ring, mut begins) = (Ring::default(), Vec::new());
        for (message, published) in few.from(few.tail()) {
            begins.push(ring.head());
            let frame = message.frame(self.key.coding, deflater);
            ring.push(&frame, message.seq, message.subject.kind(), *published);
        }
        begins.push(ring.head());
        for member in &mut self.members {
            member.at = begins[(member.at - few.tail()) as usize] + u64::from(member.offset);
            member.offset = 0;
        }
        (self.log, self.last) = (Log::Many(ring), (0, 0, Counts::default()));
    }

    /// From bytes to messages, while there are none.
    fn narrow(&mut self) {
        if let Log::Many(ring) = &self.log {
            let head = ring.head();
            debug_assert!(self.members.iter().all(|member| member.at == head));
            self.members.iter_mut().for_each(|member| member.at = 0);
            (self.log, self.last) = (Log::Few(Few::default()), (0, 0, Counts::default()));
        }
    }
}
