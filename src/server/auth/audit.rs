//! What was changed, by whom and from where: the last of it, to be asked for. The log has all.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::hub::Peer;

/// One request that was to change something.
#[derive(Debug, Clone)]
pub(in crate::server) struct Deed {
    pub(in crate::server) at: Timestamp,
    pub(in crate::server) who: String,
    pub(in crate::server) role: Option<&'static str>,
    pub(in crate::server) from: Peer,
    pub(in crate::server) method: String,
    pub(in crate::server) path: String,
    pub(in crate::server) status: u16,
}

/// The last deeds, oldest first.
#[derive(Debug, Default)]
pub(super) struct Audit {
    deeds: VecDeque<Deed>,
    total: u64,
}

impl Audit {
    /// Remembers one, and no more than `most`.
    pub(super) fn push(&mut self, deed: Deed, most: usize) {
        self.total += 1;
        self.deeds.push_back(deed);
        let excess = self.deeds.len().saturating_sub(most);
        self.deeds.drain(..excess);
    }

    /// Those that are remembered, the last first, and how many there ever were.
    pub(super) fn list(&self) -> (Vec<Deed>, u64) {
        (self.deeds.iter().rev().cloned().collect(), self.total)
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }
}
