//! Who may ask: every request is judged by its `Host`, its `Origin` and what its browser says of the
//! page behind it, before anything else is done with it.

mod authority;
mod cors;
mod judge;
mod listed;
mod origin;
mod reason;
#[cfg(test)]
mod tests;

pub use listed::{ListedHost, ListedOrigin};
pub use reason::Reason;

pub(super) use judge::{Admitted, Arrival};

use std::sync::Arc;
use std::time::Instant;

use http::Request;
use parking_lot::RwLock;

use super::Config;
use super::problem::Problem;
use super::tally::Tally;
use crate::hub::Peer;
use judge::{Listed, judge};

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

    /// Takes up `server.hosts` and `server.origins`; it goes for the next request.
    pub(super) fn configure(&self, config: &Config) {
        let Config { hosts, origins, .. } = config;
        let listed = Listed { hosts: hosts.clone(), origins: origins.clone() };
        *self.listed.write() = Arc::new(listed);
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
        judge(request, arrival, &listed).map_err(|refusal| {
            let problem = refusal.problem();
            if let Some(count) = self.tally.count(refusal.reason as usize, Instant::now()) {
                let (reason, path) = (refusal.reason.name(), request.uri().path());
                tracing::warn!(name: "request_refused", reason, %peer, path, count, detail = %problem, "requests refused");
            }
            problem
        })
    }

    /// How many were refused, by reason.
    pub(super) fn refused(&self) -> [(Reason, u64); Reason::ALL.len()] {
        Reason::ALL.map(|reason| (reason, self.tally.total(reason as usize)))
    }
}
