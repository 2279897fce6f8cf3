//! How often things were refused, and why.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

/// Counts by reason. The reasons are the program's own, so they are few.
#[derive(Debug, Default)]
pub(super) struct Reasons(Mutex<BTreeMap<&'static str, u64>>);

impl Reasons {
    pub(super) fn add(&self, reason: &'static str) {
        *self.0.lock().entry(reason).or_default() += 1;
    }
}

/// What is counted of connections and of what clients say.
#[derive(Debug)]
pub(super) struct Counts {
    /// Connections that were refused before they said anything.
    pub(super) connections_refused: Reasons,
    /// Handshakes that became clients of the stream, and those that did not.
    pub(super) handshakes: AtomicU64,
    pub(super) handshakes_refused: Reasons,
    /// Messages of clients that were answered with an error, by its code.
    pub(super) errors: Reasons,
    /// Messages of clients to groups that are on their way to the disk.
    pub(super) publishing: AtomicUsize,
    /// Messages to groups that were not published.
    pub(super) group_messages_refused: Reasons,
}

impl Default for Counts {
    fn default() -> Self {
        // These are the daemon's bounds: that none was met is to be seen, too.
        let bounds = ["connections", "address", "handshakes"].map(|reason| (reason, 0));
        Self {
            connections_refused: Reasons(Mutex::new(bounds.into())),
            handshakes: AtomicU64::new(0),
            handshakes_refused: Reasons::default(),
            errors: Reasons::default(),
            publishing: AtomicUsize::new(0),
            group_messages_refused: Reasons::default(),
        }
    }
}

/// What was counted: the name of a metric, the name of its label, and a value for each.
pub type Refusals = (&'static str, &'static str, BTreeMap<&'static str, u64>);

impl Counts {
    /// Handshakes that became clients.
    pub(super) fn handshakes(&self) -> u64 {
        self.handshakes.load(Ordering::Relaxed)
    }

    /// All that was refused.
    pub(super) fn refusals(&self) -> [Refusals; 4] {
        let of = |reasons: &Reasons| reasons.0.lock().clone();
        [
            ("gz_http_connections_refused_total", "reason", of(&self.connections_refused)),
            ("gz_ws_handshakes_refused_total", "reason", of(&self.handshakes_refused)),
            ("gz_ws_errors_total", "code", of(&self.errors)),
            ("gz_group_messages_refused_total", "reason", of(&self.group_messages_refused)),
        ]
    }
}
