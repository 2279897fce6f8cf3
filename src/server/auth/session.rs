//! Who is logged in on the dashboard. Pure: chance and time are given.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::caller::{Caller, Who};
use super::role::Role;
use super::secret::{Fingerprint, LENGTH_MAX, Secret};
use super::token::Grant;

/// A session gets a new secret this often, so that one that was read somewhere is soon worth nothing.
const BETWEEN_ROTATIONS: Duration = Duration::from_secs(15 * 60);
/// Requests that were on their way may bear the one before.
const GRACE: Duration = Duration::from_secs(60);

/// Those who are logged in, by what is kept of their secrets.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: HashMap<Grant, Session>,
    by_secret: HashMap<Fingerprint, Grant>,
}

#[derive(Debug, Clone)]
struct Session {
    token: Arc<str>,
    role: Role,
    groups: Option<Arc<[String]>>,
    /// That of the token that it was begun with.
    of: Grant,
    begun: Duration,
    secret: Fingerprint,
    since: Duration,
    before: Option<Fingerprint>,
}

/// A session that is on.
pub(super) struct Present {
    pub(super) caller: Caller,
    /// Whether it is time for a new secret.
    pub(super) is_stale: bool,
}

/// A token, as a session takes after it.
pub(super) struct Basis {
    pub(super) token: Arc<str>,
    pub(super) role: Role,
    pub(super) groups: Option<Arc<[String]>>,
    pub(super) grant: Grant,
}

impl Sessions {
    /// Begins one. With more than `most` the oldest ends; the grants of those that have are given.
    pub(super) fn begin(
        &mut self,
        grant: Grant,
        basis: Basis,
        secret: &Secret,
        now: Duration,
        most: usize,
    ) -> HashSet<Grant> {
        let mut ended = HashSet::new();
        while self.all.len() >= most.max(1) {
            let oldest = self.all.iter().min_by_key(|(_, session)| session.begun);
            let Some(oldest) = oldest.map(|(grant, _)| *grant) else { break };
            self.end(oldest);
            ended.insert(oldest);
        }
        let Basis { token, role, groups, grant: of } = basis;
        let secret = secret.fingerprint();
        let session =
            Session { token, role, groups, of, begun: now, secret, since: now, before: None };
        self.by_secret.insert(secret, grant);
        self.all.insert(grant, session);
        ended
    }

    /// The session of this secret, if it is not over.
    pub(super) fn find(&self, said: &str, now: Duration, lifetime: Duration) -> Option<Present> {
        if said.len() > LENGTH_MAX {
            return None;
        }
        // What is looked up is the hash of what was said: how long that takes tells nothing of it.
        let said = Fingerprint::of(said);
        let grant = *self.by_secret.get(&said)?;
        let session = self.all.get(&grant)?;
        let age = now.saturating_sub(session.since);
        let is_current = session.secret == said;
        if now >= session.begun + lifetime || (!is_current && age >= GRACE) {
            return None;
        }
        let who = Who::Session(session.token.clone());
        let groups = session.groups.clone();
        let caller = Caller { who, role: Some(session.role), grant, groups };
        Some(Present { caller, is_stale: is_current && age >= BETWEEN_ROTATIONS })
    }

    /// Gives a session a new secret; gives how long it is still to last.
    pub(super) fn rotate(
        &mut self,
        grant: Grant,
        secret: &Secret,
        now: Duration,
        lifetime: Duration,
    ) -> Option<Duration> {
        let session = self.all.get_mut(&grant)?;
        if let Some(before) = session.before.take() {
            self.by_secret.remove(&before);
        }
        session.before = Some(std::mem::replace(&mut session.secret, secret.fingerprint()));
        session.since = now;
        self.by_secret.insert(session.secret, grant);
        Some((session.begun + lifetime).saturating_sub(now))
    }

    /// Ends one.
    pub(super) fn end(&mut self, grant: Grant) {
        let Some(session) = self.all.remove(&grant) else { return };
        self.by_secret.remove(&session.secret);
        session.before.inspect(|before| {
            self.by_secret.remove(before);
        });
    }

    /// Ends those that are over, and those of these tokens; gives their grants.
    pub(super) fn sweep(
        &mut self,
        now: Duration,
        lifetime: Duration,
        tokens: &HashSet<Grant>,
    ) -> HashSet<Grant> {
        let is_over =
            |session: &Session| now >= session.begun + lifetime || tokens.contains(&session.of);
        let over = self.all.iter().filter(|(_, session)| is_over(session));
        let over: HashSet<Grant> = over.map(|(grant, _)| *grant).collect();
        over.iter().for_each(|grant| self.end(*grant));
        over
    }

    /// Whether this one is on.
    pub(super) fn holds(&self, grant: Grant) -> bool {
        self.all.contains_key(&grant)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(3_600);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn basis(of: Grant) -> Basis {
        Basis { token: "ci".into(), role: Role::Viewer, groups: None, grant: of }
    }

    fn secret() -> Secret {
        Secret::random().expect("chance")
    }

    #[test]
    fn a_session_has_an_end() {
        let (mut sessions, secret) = (Sessions::default(), secret());
        assert!(sessions.begin(7, basis(2), &secret, at(100), 10).is_empty());
        let found = sessions.find(secret.expose(), at(3_699), LIFE).expect("it is on");
        assert_eq!(found.caller.role, Some(Role::Viewer));
        assert_eq!(found.caller.who.to_string(), "session of token ci");
        assert!(sessions.find(secret.expose(), at(3_700), LIFE).is_none());
        assert!(sessions.find("", at(100), LIFE).is_none());
        assert!(sessions.sweep(at(3_699), LIFE, &HashSet::new()).is_empty());
        assert_eq!(sessions.sweep(at(3_700), LIFE, &HashSet::new()), HashSet::from([7]));
        assert_eq!((sessions.len(), sessions.by_secret.len()), (0, 0));
    }

    #[test]
    fn it_gets_a_new_secret_now_and_then() {
        let (mut sessions, first, second) = (Sessions::default(), secret(), secret());
        sessions.begin(7, basis(2), &first, at(0), 10);
        let is_stale = |sessions: &Sessions, secret: &Secret, now: u64| {
            Some(sessions.find(secret.expose(), at(now), LIFE)?.is_stale)
        };
        assert_eq!(is_stale(&sessions, &first, 899), Some(false));
        assert_eq!(is_stale(&sessions, &first, 900), Some(true));
        assert_eq!(sessions.rotate(7, &second, at(900), LIFE), Some(at(2_700)));
        assert_eq!(is_stale(&sessions, &second, 900), Some(false));
        assert_eq!(is_stale(&sessions, &first, 959), Some(false), "it was on its way");
        assert_eq!(is_stale(&sessions, &first, 960), None);
        let third = secret();
        sessions.rotate(7, &third, at(1_800), LIFE);
        assert_eq!(is_stale(&sessions, &first, 1_800), None);
        assert_eq!(sessions.by_secret.len(), 2);
        sessions.end(7);
        assert_eq!(is_stale(&sessions, &third, 1_800), None);
        assert!(sessions.by_secret.is_empty());
    }

    #[test]
    fn there_are_so_many_and_they_end_with_their_token() {
        let mut sessions = Sessions::default();
        for (grant, of) in [(10, 2), (11, 3), (12, 2)] {
            let ended = sessions.begin(grant, basis(of), &secret(), at(grant), 3);
            assert!(ended.is_empty());
        }
        let ended = sessions.begin(13, basis(4), &secret(), at(13), 3);
        assert_eq!(ended, HashSet::from([10]), "the oldest");
        let ended = sessions.sweep(at(20), LIFE, &HashSet::from([2]));
        assert_eq!(ended, HashSet::from([12]));
        assert!(sessions.holds(11) && !sessions.holds(12));
    }
}
