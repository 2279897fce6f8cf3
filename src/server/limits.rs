//! How many connections there are: in all, from each address, and such that have asked nothing yet.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::auth::{Shown, network};
use super::tls::ClientCertificate;
use super::{App, Config, Fingerprint};
use crate::hub::Peer;

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
    by_holder: HashMap<Holder, usize>,
}

/// Whose a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    Address(IpAddr),
    /// Those of this machine by the Unix socket have no address, and count as if they had one in
    /// common.
    Local,
    /// A proxy that is believed: of everybody behind it.
    Proxy,
}

/// Holds a connection's place until it is dropped.
pub(super) struct Permit {
    app: App,
    holder: Mutex<Holder>,
    /// The certificate that it has shown, which is known for as long as it lives.
    shown: OnceLock<Shown>,
    fresh: AtomicBool,
}

impl Holder {
    /// All of one IPv6 network are one: whoever has one address has them all.
    fn of(peer: Peer) -> Self {
        peer.ip().map_or(Self::Local, |address| Self::Address(network(address)))
    }
}

impl Open {
    /// Whether this one has as many as it may.
    fn is_full(&self, holder: Holder, config: &Config) -> bool {
        let count = self.by_holder.get(&holder).copied().unwrap_or(0);
        holder != Holder::Proxy && count >= config.max_connections_per_address
    }

    fn give_back(&mut self, holder: Holder) {
        if let Some(count) = self.by_holder.get_mut(&holder) {
            *count -= 1;
            if *count == 0 {
                self.by_holder.remove(&holder);
            }
        }
    }
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
    pub(super) fn admit(&self, peer: Peer, config: &Config) -> Result<Permit, StatusCode> {
        let is_proxy = self.gate.is_proxy(peer);
        let holder = if is_proxy { Holder::Proxy } else { Holder::of(peer) };
        let mut open = self.limits.open.lock();
        let (status, reason) = if open.total >= config.max_connections {
            (StatusCode::SERVICE_UNAVAILABLE, "connections")
        } else if open.is_full(holder, config) {
            (StatusCode::TOO_MANY_REQUESTS, "address")
        } else if open.fresh >= config.max_handshakes {
            (StatusCode::SERVICE_UNAVAILABLE, "handshakes")
        } else {
            open.total += 1;
            open.fresh += 1;
            *open.by_holder.entry(holder).or_default() += 1;
            let (holder, fresh) = (Mutex::new(holder), AtomicBool::new(true));
            return Ok(Permit { app: self.clone(), holder, shown: OnceLock::new(), fresh });
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

    /// The connection has shown a certificate.
    pub(super) fn show(&self, certificate: ClientCertificate, by: Fingerprint, peer: Peer) {
        self.shown.get_or_init(|| self.app.auth.show(certificate, by, peer));
    }

    /// The certificate that it has shown.
    pub(super) fn shown(&self) -> Option<Shown> {
        self.shown.get().copied()
    }

    /// The connection is from now on `peer`'s alone, for whom a proxy has made it.
    ///
    /// # Errors
    /// The status of the answer if that has as many as it may.
    pub(super) fn hand_to(&self, peer: Peer, config: &Config) -> Result<(), StatusCode> {
        let mut holder = self.holder.lock();
        if *holder != Holder::Proxy || !matches!(peer, Peer::Forwarded(_)) {
            return Ok(());
        }
        let (app, client) = (&self.app, Holder::of(peer));
        let mut open = app.limits.open.lock();
        if open.is_full(client, config) {
            app.counts.connections_refused.add("address");
            return Err(StatusCode::TOO_MANY_REQUESTS);
        }
        open.give_back(*holder);
        *open.by_holder.entry(client).or_default() += 1;
        *holder = client;
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.has_asked();
        if let Some(shown) = self.shown() {
            self.app.auth.forget(shown);
        }
        let holder = *self.holder.get_mut();
        let mut open = self.app.limits.open.lock();
        open.total -= 1;
        open.give_back(holder);
        if open.total == 0 {
            self.app.limits.drained.notify_waiters();
        }
    }
}
