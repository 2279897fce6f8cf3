//! How many connections there are: in all, from each address, and such that have asked nothing yet.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{App, Config};

/// Counts open connections.
#[derive(Debug, Default)]
pub(super) struct ConnectionLimits {
    open: Mutex<Open>,
    drained: Notify,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    /// Those that have not sent a whole request.
    fresh: usize,
    /// Local ones have no address, and count as if they had one in common.
    by_address: HashMap<Option<IpAddr>, usize>,
}

/// Holds a connection's place until it is dropped.
pub(super) struct Permit {
    app: App,
    address: Option<IpAddr>,
    fresh: AtomicBool,
}

impl ConnectionLimits {
    pub(super) fn open(&self) -> usize {
        self.open.lock().total
    }

    pub(super) fn fresh(&self) -> usize {
        self.open.lock().fresh
    }

    /// Returns when no connection is open.
    pub(super) async fn drained(&self) {
        loop {
            // Listened for before the look, so that an end in between is not missed.
            let drained = self.drained.notified();
            if self.open() == 0 {
                return;
            }
            drained.await;
        }
    }
}

impl App {
    /// Takes a place for a connection.
    ///
    /// # Errors
    /// The status of the answer if there is none: 503 for all, 429 for this address.
    pub(super) fn admit(
        &self,
        address: Option<IpAddr>,
        config: &Config,
    ) -> Result<Permit, StatusCode> {
        let mut open = self.limits.open.lock();
        let Open { total, fresh, by_address } = &mut *open;
        let from_address = by_address.get(&address).copied().unwrap_or(0);
        let (status, reason) = if *total >= config.max_connections {
            (StatusCode::SERVICE_UNAVAILABLE, "connections")
        } else if from_address >= config.max_connections_per_address {
            (StatusCode::TOO_MANY_REQUESTS, "address")
        } else if *fresh >= config.max_handshakes {
            (StatusCode::SERVICE_UNAVAILABLE, "handshakes")
        } else {
            *total += 1;
            *fresh += 1;
            by_address.insert(address, from_address + 1);
            return Ok(Permit { app: self.clone(), address, fresh: AtomicBool::new(true) });
        };
        self.counts.connections_refused.add(reason);
        Err(status)
    }
}

impl Permit {
    /// The connection has sent a whole request.
    pub(super) fn has_asked(&self) {
        if self.fresh.swap(false, Ordering::Relaxed) {
            self.app.limits.open.lock().fresh -= 1;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.has_asked();
        let mut open = self.app.limits.open.lock();
        open.total -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
        if open.total == 0 {
            self.app.limits.drained.notify_waiters();
        }
    }
}
