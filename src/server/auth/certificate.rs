//! Which certificates open connections have shown, and what they are good for. Pure.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::caller::{Caller, Who};
use super::secret::Fingerprint;
use super::token::Grant;
use crate::server::tls::{ClientCertificate, TlsClient};

/// What a connection has shown: a certificate, and the authorities that have vouched for it. It is
/// good for as long as these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::server) struct Shown {
    certificate: Fingerprint,
    authorities: Fingerprint,
}

/// The certificates that open connections have shown.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    clients: Vec<TlsClient>,
    /// Those that are asked now.
    authorities: Option<Fingerprint>,
    known: HashMap<Shown, Known>,
    /// Of these everybody who goes on by them is to be told that they are over.
    ended: HashSet<Grant>,
}

#[derive(Debug)]
struct Known {
    certificate: ClientCertificate,
    connections: usize,
    grant: Grant,
    client: Option<TlsClient>,
    is_over: bool,
}

impl Certificates {
    /// Takes up who may do what; connections of those who may now do something else are to end.
    pub(super) fn configure(&mut self, clients: &[TlsClient], mut grant: impl FnMut() -> Grant) {
        if self.clients == clients {
            return;
        }
        self.clients = clients.to_vec();
        for known in self.known.values_mut() {
            let client = client(&self.clients, &known.certificate);
            if client != known.client {
                self.ended.insert(std::mem::replace(&mut known.grant, grant()));
                known.client = client;
            }
        }
    }

    /// Whether anybody may do something by a certificate.
    pub(super) fn are_asked(&self) -> bool {
        !self.clients.is_empty()
    }

    /// From now on these are asked.
    pub(super) fn ask(&mut self, authorities: Option<Fingerprint>) {
        self.authorities = authorities;
    }

    /// A connection has shown one. Says whether it is good for something.
    pub(super) fn show(
        &mut self,
        certificate: ClientCertificate,
        authorities: Fingerprint,
        grant: impl FnOnce() -> Grant,
    ) -> (Shown, bool) {
        let shown = Shown { certificate: certificate.fingerprint, authorities };
        let known = self.known.entry(shown).or_insert_with(|| Known {
            client: client(&self.clients, &certificate),
            certificate,
            connections: 0,
            grant: grant(),
            is_over: false,
        });
        known.connections += 1;
        (shown, known.client.is_some())
    }

    /// A connection that had shown one has ended.
    pub(super) fn forget(&mut self, shown: Shown) {
        let Some(known) = self.known.get_mut(&shown) else { return };
        known.connections -= 1;
        if known.connections == 0 {
            self.known.remove(&shown);
        }
    }

    /// Who has shown it, if they may do something.
    pub(super) fn find(&self, shown: Shown, now: Timestamp) -> Option<Caller> {
        let known = self.known.get(&shown).filter(|known| !self.is_over(shown, known, now))?;
        let client = known.client.as_ref()?;
        Some(Caller {
            who: Who::Certificate(client.name.as_str().into()),
            role: Some(client.role),
            grant: known.grant,
            groups: client.groups.clone().map(Arc::from),
        })
    }

    /// Whether this is the grant of one that is in force.
    pub(super) fn holds(&self, grant: Grant, now: Timestamp) -> bool {
        self.known.iter().any(|(shown, known)| {
            known.grant == grant && known.client.is_some() && !self.is_over(*shown, known, now)
        })
    }

    /// The grants that have ended since this was last asked.
    pub(super) fn sweep(&mut self, now: Timestamp) -> HashSet<Grant> {
        let over: Vec<Shown> = (self.known.iter())
            .filter(|(shown, known)| !known.is_over && self.is_over(**shown, known, now))
            .map(|(shown, _)| *shown)
            .collect();
        for shown in over {
            let Some(known) = self.known.get_mut(&shown) else { continue };
            known.is_over = true;
            self.ended.insert(known.grant);
        }
        std::mem::take(&mut self.ended)
    }

    fn is_over(&self, shown: Shown, known: &Known, now: Timestamp) -> bool {
        known.certificate.not_after < now || self.authorities != Some(shown.authorities)
    }
}

/// Of several that it is, the first.
fn client(clients: &[TlsClient], certificate: &ClientCertificate) -> Option<TlsClient> {
    clients.iter().find(|client| certificate.is(&client.name)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::Role;

    const OLD: Fingerprint = Fingerprint::filled(1);
    const NEW: Fingerprint = Fingerprint::filled(2);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn listed(name: &str, role: Role) -> TlsClient {
        TlsClient { name: name.to_owned().try_into().expect("a name"), role, groups: None }
    }

    fn certificate(name: &str) -> ClientCertificate {
        let mut params = rcgen::CertificateParams::new([name.to_owned()]).expect("a name");
        params.not_after = rcgen::date_time_ymd(2_100, 1, 1);
        let key = rcgen::KeyPair::generate().expect("a key");
        let made = params.self_signed(&key).expect("a certificate");
        ClientCertificate::read(made.der()).expect("it is one")
    }

    /// Asks for these clients by the old authorities, and has each of these names shown.
    fn shown(clients: &[TlsClient], names: &[&str]) -> (Certificates, Vec<Shown>) {
        let (mut all, mut next) = (Certificates::default(), 10);
        let mut grant = || {
            next += 1;
            next
        };
        all.configure(clients, &mut grant);
        all.ask(Some(OLD));
        let shown = names.iter().map(|name| all.show(certificate(name), OLD, &mut grant).0);
        let shown = shown.collect();
        (all, shown)
    }

    #[test]
    fn a_name_that_is_listed_is_good_for_its_role_and_another_for_nothing() {
        let clients = [listed("a.example", Role::Operator), listed("b.example", Role::Viewer)];
        let (all, shown) = shown(&clients, &["a.example", "b.example", "c.example"]);
        let told = shown.iter().map(|shown| {
            let caller = all.find(*shown, at(0))?;
            Some((caller.who.to_string(), caller.role?, caller.grant))
        });
        let expected = [
            Some(("certificate a.example".to_owned(), Role::Operator, 11)),
            Some(("certificate b.example".to_owned(), Role::Viewer, 12)),
            None,
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert_eq!([11, 12, 13].map(|grant| all.holds(grant, at(0))), [true, true, false]);
    }

    #[test]
    fn it_ends_with_its_time_its_authorities_and_its_row() {
        let clients = [listed("a.example", Role::Operator), listed("b.example", Role::Viewer)];
        let (mut all, shown) = shown(&clients, &["a.example", "b.example"]);
        assert!(all.sweep(at(0)).is_empty());
        // Another role is another grant.
        let mut next = 20;
        let clients = [listed("a.example", Role::Viewer), listed("b.example", Role::Viewer)];
        all.configure(&clients, || {
            next += 1;
            next
        });
        assert_eq!(all.sweep(at(0)), HashSet::from([11]));
        let caller = all.find(shown[0], at(0)).expect("it is still listed");
        assert_eq!((caller.role, caller.grant), (Some(Role::Viewer), 21));
        all.configure(&clients[..1], || 30);
        assert_eq!((all.sweep(at(0)), all.find(shown[1], at(0))), (HashSet::from([12]), None));
        let end = 4_102_444_800;
        assert!(all.find(shown[0], at(end)).is_some());
        assert_eq!(all.find(shown[0], at(end + 1)), None);
        all.ask(Some(NEW));
        assert_eq!(all.find(shown[0], at(0)), None);
        assert!(all.sweep(at(0)).contains(&21));
        assert!(all.sweep(at(end + 1)).is_empty(), "once is enough");
    }

    #[test]
    fn what_no_connection_has_shown_is_forgotten() {
        let (mut all, shown) = shown(&[listed("a.example", Role::Viewer)], &["a.example"]);
        let again = all.known[&shown[0]].certificate.clone();
        let (same, is_good) = all.show(again, OLD, || 99);
        assert!(is_good && same == shown[0] && !all.holds(99, at(0)));
        all.forget(same);
        assert!(all.holds(11, at(0)));
        all.forget(same);
        assert!(all.known.is_empty() && !all.holds(11, at(0)));
    }
}
