//! Who may ask: of every request it is found out whose it is, and it is judged by its `Host`, its
//! `Origin` and what its browser says of the page behind it, before anything else is done with it.

mod authority;
mod cors;
mod forwarded;
mod judge;
mod listed;
mod origin;
mod proxy;
mod reason;
#[cfg(test)]
mod tests;

pub use listed::{ListedHost, ListedOrigin};
pub use proxy::{ListedProxy, ProxyHeader};
pub use reason::Reason;

pub(super) use forwarded::Sender;
pub(super) use judge::{Admitted, Arrival};

use std::sync::Arc;
use std::time::Instant;

use http::Request;
use http::uri::Scheme;
use parking_lot::RwLock;

use super::Config;
use super::problem::Problem;
use super::tally::Tally;
use crate::hub::Peer;
use judge::{Listed, Refusal, judge};

/// What lets requests in.
#[derive(Debug, Default)]
pub(super) struct Gate {
    listed: RwLock<Arc<Listed>>,
    tally: Tally<{ Reason::ALL.len() }>,
}

impl Gate {
    pub(super) fn new(config: &Config) -> Self {
        let gate = Self::default();
        gate.configure(config);
        gate
    }

    /// Takes up what the configuration lists; it goes for the next request.
    pub(super) fn configure(&self, config: &Config) {
        *self.listed.write() = Arc::new(Listed {
            hosts: config.hosts.clone(),
            origins: config.origins.clone(),
            proxies: config.trusted_proxies.clone(),
            header: config.proxy_header,
        });
    }

    /// Whether this is a proxy that is believed.
    pub(super) fn is_proxy(&self, peer: Peer) -> bool {
        self.listed.read().proxies.iter().any(|proxy| proxy.is(peer))
    }

    /// Whose request it is that came by `peer`, on a connection of `scheme`.
    ///
    /// # Errors
    /// The answer.
    pub(super) fn sender<B>(
        &self,
        request: &Request<B>,
        peer: Peer,
        scheme: &Scheme,
    ) -> Result<Sender, Problem> {
        let listed = self.listed.read().clone();
        forwarded::sender(request.headers(), peer, scheme, &listed)
            .map_err(|refusal| self.refuse(&refusal, peer, request.uri().path()))
    }

    /// Lets a request in, or says why not.
    ///
    /// # Errors
    /// The answer.
    pub(super) fn judge<B>(
        &self,
        request: &Request<B>,
        arrival: &Arrival,
        peer: Peer,
    ) -> Result<Admitted, Problem> {
        let listed = self.listed.read().clone();
        judge(request, arrival, &listed)
            .map_err(|refusal| self.refuse(&refusal, peer, request.uri().path()))
    }

    /// Counts a refusal, and tells the log of it now and then.
    fn refuse(&self, refusal: &Refusal, peer: Peer, path: &str) -> Problem {
        let problem = refusal.problem();
        if let Some(count) = self.tally.count(refusal.reason as usize, Instant::now()) {
            let reason = refusal.reason.name();
            tracing::warn!(name: "request_refused", reason, %peer, path, count, detail = %problem, "requests refused");
        }
        problem
    }

    /// How many were refused, by reason.
    pub(super) fn refused(&self) -> [(Reason, u64); Reason::ALL.len()] {
        Reason::ALL.map(|reason| (reason, self.tally.total(reason as usize)))
    }
}
