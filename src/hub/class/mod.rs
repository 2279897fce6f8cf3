//! Filter classes: clients with equal filters and codings share what waits for them.
//!
//! A message is put into the classes that want it, which are looked up and not searched for; a client
//! is a place in its class. Nothing is copied or allocated for a delivery.

#[expect(clippy::module_inception, reason = "one class, and all of them")]
mod class;
mod few;
mod index;
mod ring;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use slab::Slab;

use super::{Coding, Deflater, Filter, Message, Type};
use class::Class;
use index::Index;

/// What the clients of a class have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Key {
    pub filter: Filter,
    pub coding: Coding,
}

/// What one write was.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    pub bytes: u64,
    /// The messages whose last byte was among them.
    pub counts: Counts,
    /// Whether nothing more is due.
    pub is_all: bool,
    /// Whether less was taken than was offered.
    pub is_blocked: bool,
}

/// Messages by type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub by_type: [u32; Type::ALL.len()],
    /// When the first of them was published.
    pub oldest: Option<Instant>,
}

impl Counts {
    /// Messages of all types.
    pub fn total(&self) -> u32 {
        self.by_type.iter().sum()
    }

    fn add(&mut self, kind: Type, published: Instant) {
        self.by_type[kind as usize] += 1;
        self.oldest.get_or_insert(published);
    }
}

/// What was still due to a client that has left its class.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// The rest of the frame that it has had a part of.
    pub bytes: Vec<u8>,
    /// What that frame is.
    pub kind: Option<Type>,
    /// The number of the first message of which it has had nothing, if there is one.
    pub next: Option<u64>,
}

/// All classes of one shard. Clients are small numbers that their owner gives.
#[derive(Default)]
pub struct Classes {
    classes: Slab<Class>,
    by_key: HashMap<Arc<Key>, u32>,
    index: Index,
    /// By client: its class, and its place there.
    seats: Vec<(u32, u32)>,
    /// Classes with something new since their last round, and those of the pass that is going on.
    due: VecDeque<u32>,
    pass: VecDeque<u32>,
    found: Vec<u32>,
    gathered: Vec<u8>,
}

impl Classes {
    /// Takes in a client to whom what comes from now on is due.
    pub fn join(&mut self, client: u32, key: &Arc<Key>, deflater: &Deflater) {
        let class = match self.by_key.get(key) {
            Some(class) => *class,
            None => {
                let class = self.classes.insert(Class::new(key.clone())) as u32;
                self.by_key.insert(key.clone(), class);
                self.index.add(class, &key.filter);
                class
            }
        };
        let place = self.classes[class as usize].join(client, deflater);
        if self.seats.len() <= client as usize {
            self.seats.resize(client as usize + 1, (u32::MAX, 0));
        }
        self.seats[client as usize] = (class, place as u32);
    }

    /// Lets a client go, and tells what was still due to it, and as whom.
    pub fn leave(&mut self, client: u32, deflater: &Deflater) -> (Arc<Key>, Rest) {
        let (id, place) = self.seats[client as usize];
        let class = &mut self.classes[id as usize];
        let rest = class.leave(place as usize, deflater);
        let key = class.key.clone();
        if let Some(moved) = class.members.get(place as usize) {
            self.seats[moved.client as usize].1 = place;
        }
        if class.members.is_empty() {
            self.classes.remove(id as usize);
            self.by_key.remove(&key);
            self.index.remove(id, &key.filter);
            self.due.retain(|one| *one != id);
            self.pass.retain(|one| *one != id);
        }
        (key, rest)
    }

    /// The key of a client's class.
    pub fn key(&self, client: u32) -> &Arc<Key> {
        &self.classes[self.seats[client as usize].0 as usize].key
    }

    /// The number of the first message that a client has not had in full, if there is one.
    pub fn next_of(&self, client: u32) -> Option<u64> {
        let (class, place) = self.seats[client as usize];
        self.classes[class as usize].next_of(place as usize)
    }

    /// Makes a message due to whoever wants it. Clients for whom a class would have to keep more than
    /// `bytes` are put into `late`: they have to leave before more is added.
    pub fn append(
        &mut self,
        message: &Message,
        published: Instant,
        deflater: &Deflater,
        bytes: usize,
        late: &mut Vec<u32>,
    ) {
        let mut found = std::mem::take(&mut self.found);
        self.index.find(&message.subject, &mut found);
        // One for all small classes.
        let message = (!found.is_empty()).then(|| Arc::new(message.clone()));
        for &id in &found {
            let (Some(class), Some(message)) = (self.classes.get_mut(id as usize), &message) else {
                continue;
            };
            class.push(message, published, deflater);
            if class.is_full(bytes) {
                class.trim();
                if class.is_full(bytes) {
                    late.extend(class.last_ones());
                }
            }
            if !class.is_due {
                class.is_due = true;
                self.due.push_back(id);
            }
        }
        self.found = found;
    }

    /// Whether a pass is going on.
    pub fn is_passing(&self) -> bool {
        !self.pass.is_empty()
    }

    /// Whether anything came since the pass began.
    pub fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Begins a pass over the classes to which something came.
    pub fn begin(&mut self) {
        debug_assert!(self.pass.is_empty());
        std::mem::swap(&mut self.due, &mut self.pass);
        for id in &self.pass {
            self.classes[*id as usize].begin();
        }
    }

    /// The next client of this pass to whom something is due.
    pub fn next_of_pass(&mut self) -> Option<u32> {
        while let Some(&id) = self.pass.front() {
            let class = &mut self.classes[id as usize];
            while let Some(place) = class.next() {
                if !class.is_through(place) {
                    return Some(class.members[place].client);
                }
            }
            class.trim();
            self.pass.pop_front();
        }
        None
    }

    /// Hands `write` all that is due to a client; `None` if that is nothing.
    pub fn write(
        &mut self,
        client: u32,
        deflater: &Deflater,
        write: impl FnOnce(&[u8]) -> usize,
    ) -> Option<Written> {
        let (class, place) = self.seats[client as usize];
        let class = &mut self.classes[class as usize];
        if class.is_through(place as usize) {
            return None;
        }
        Some(class.write(place as usize, deflater, &mut self.gathered, write))
    }

    /// Bytes that are due to a client.
    pub fn owed(&self, client: u32) -> u64 {
        let (class, place) = self.seats[client as usize];
        self.classes[class as usize].owed(place as usize)
    }

    /// Gives memory back that is kept for what everybody has: who catches up late does not look.
    pub fn tidy(&mut self) {
        for (_, class) in &mut self.classes {
            if !class.is_empty() && class.left == 0 {
                class.trim();
            }
        }
    }

    /// How many classes there are.
    pub fn count(&self) -> usize {
        self.classes.len()
    }
}
