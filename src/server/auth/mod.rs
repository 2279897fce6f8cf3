//! Who asks, and what they may do: tokens, sessions, certificates, users of this machine, and the
//! table of roles.
//!
//! [`table`] says what each route and message takes; [`Auth::judge`] is the one place that asks it.
//! What decides is pure: `evidence`, `judge`, `table`, `token`, `session`, `certificate`, `failures`.

mod audit;
mod caller;
mod certificate;
mod config;
mod evidence;
mod failures;
mod file;
mod judge;
mod keeper;
mod local;
mod login;
mod reason;
mod role;
mod secret;
mod session;
mod signature;
pub(super) mod table;
mod token;

pub use config::AuthConfig;
pub use file::{EditError, TokensFile, TokensFileError};
pub use reason::AuthReason;
pub use role::Role;
pub use secret::{Fingerprint, Secret};
pub use token::{NewToken, Token, TokenError, add, are_groups, revoke};

pub(super) use audit::AuditLog;
pub(super) use caller::{Caller, Rights};
pub(super) use certificate::Shown;
pub(super) use failures::network;
pub(super) use local::{LocalUser, look};
pub(super) use login::{cookie, forget, is_secure, no_chance};
pub(super) use reason::retry_after;
pub(super) use token::Grant;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};

use super::Config;
use super::problem::Problem;
use super::tally::Tally;
use super::tls::ClientCertificate;
use crate::hub::Peer;
use certificate::Certificates;
use evidence::{Connected, Evidence};
use failures::{Failures, Verdict};
use file::Stamp;
use reason::Denied;
use session::Sessions;
use table::{Effect, Row};
use token::Tokens;

/// What lets people in.
pub(super) struct Auth {
    settings: RwLock<AuthConfig>,
    state: RwLock<State>,
    sessions: Mutex<Sessions>,
    certificates: Mutex<Certificates>,
    failures: Mutex<Failures>,
    pub(super) audit: Arc<AuditLog>,
    tally: Tally<{ AuthReason::ALL.len() }>,
    /// Certificates that are good for nothing.
    unlisted: Tally<1>,
    /// The file is read and changed by one at a time.
    turn: tokio::sync::Mutex<()>,
    next_grant: AtomicU64,
    began: Instant,
}

/// The tokens, and where they are from.
#[derive(Debug, Default)]
struct State {
    file: Option<TokensFile>,
    /// The file when it was last read, well or not.
    read: Stamp,
    tokens: Arc<Tokens>,
    /// There is a file of tokens, or was when the configuration was last read.
    has_file: bool,
    /// What was in force when connections were last looked through.
    was_required: bool,
    trusted_local: bool,
    /// The grants of tokens that are over, of which everybody has been told.
    over: HashSet<Grant>,
    trouble: Option<String>,
}

/// A request that is let in.
pub(super) struct Judged {
    pub(super) caller: Caller,
    row: Row,
    /// The session that it came with is to get a new secret.
    stale: Option<Grant>,
}

impl Judged {
    /// The session that is to get a new secret.
    pub(super) fn stale(&self) -> Option<Grant> {
        self.stale
    }

    /// Whether it is written down.
    pub(super) fn changes(&self) -> bool {
        self.row.effect == Effect::Changes
    }
}

impl Auth {
    pub(super) fn new(config: &Config) -> Self {
        let auth = Self {
            settings: RwLock::new(config.auth.clone()),
            state: RwLock::default(),
            sessions: Mutex::default(),
            certificates: Mutex::default(),
            failures: Mutex::default(),
            audit: Arc::default(),
            tally: Tally::default(),
            unlisted: Tally::default(),
            turn: tokio::sync::Mutex::default(),
            next_grant: AtomicU64::new(caller::FIRST),
            began: Instant::now(),
        };
        auth.configure(config);
        auth
    }

    pub(super) fn configure(&self, config: &Config) {
        self.settings.write().clone_from(&config.auth);
        self.audit.configure(config.auth.max_audit_entries);
        self.certificates.lock().configure(&config.tls.client, || self.next_grant());
    }

    /// From now on clients are asked for certificates of these authorities, if of any.
    pub(super) fn ask_for_certificates(&self, authorities: Option<Fingerprint>) {
        self.certificates.lock().ask(authorities);
    }

    /// A connection has shown a certificate; it is forgotten with [`Self::forget`].
    pub(super) fn show(
        &self,
        certificate: ClientCertificate,
        authorities: Fingerprint,
        peer: Peer,
    ) -> Shown {
        let names = certificate.names();
        let grant = || self.next_grant();
        let (shown, is_listed) = self.certificates.lock().show(certificate, authorities, grant);
        if !is_listed && let Some(count) = self.unlisted.count(0, Instant::now()) {
            let names = crate::sample::brief(&names);
            tracing::info!(name: "certificate_unlisted", %peer, names, count, "a client's certificate is good for nothing: server.tls.client lists none of its names");
        }
        shown
    }

    /// A connection that had shown a certificate has ended.
    pub(super) fn forget(&self, shown: Shown) {
        self.certificates.lock().forget(shown);
    }

    /// Lets a request in, or says why not. `is_foreign` says whether it is a listed page's of
    /// another origin, `certificate` what was shown when it was connected, and `user` who has
    /// connected by the Unix socket.
    ///
    /// # Errors
    /// The answer.
    pub(super) fn judge<B>(
        &self,
        request: &Request<B>,
        is_foreign: bool,
        peer: Peer,
        (certificate, user): (Option<Shown>, Option<LocalUser>),
    ) -> Result<Judged, Problem> {
        let (method, path) = (request.method(), request.uri().path());
        let row = table::of_request(method, path);
        let now = Timestamp::now();
        let user = user.filter(|_| self.settings.read().trust_local);
        let certificate = certificate.and_then(|shown| self.certificates.lock().find(shown, now));
        let connected = Connected { certificate, user };
        let evidence = Evidence::of(method, request.headers(), is_foreign, connected);
        let mut stale = None;
        let (tokens, is_required) = self.tokens();
        let find = |said: &str| {
            let lifetime = *self.settings.read().session_lifetime;
            let present = self.sessions.lock().find(said, self.began.elapsed(), lifetime)?;
            stale = present.is_stale.then_some(present.caller.grant);
            Some(present.caller)
        };
        let judged = judge::identify(&evidence, &tokens, is_required, find, now)
            .and_then(|caller| judge::permit(&caller, row.least).map(|()| caller));
        match judged {
            Ok(caller) => Ok(Judged { caller, row, stale }),
            Err(denied) => Err(self.refuse(denied, peer, path)),
        }
    }

    /// Counts a refusal and tells the log of it, unless that has heard enough.
    fn refuse(&self, denied: Denied, peer: Peer, path: &str) -> Problem {
        let is_wrong = matches!(denied, Denied::Invalid | Denied::Expired);
        let (denied, is_first) = if is_wrong { self.fail(denied, peer) } else { (denied, false) };
        let reason = denied.reason();
        let due = self.tally.count(reason as usize, Instant::now());
        if is_first || due.is_some() {
            let (reason, count) = (reason.name(), due.unwrap_or(1));
            tracing::warn!(name: "access_refused", reason, %peer, path, count, "access refused");
        }
        denied.problem()
    }

    /// Counts a wrong token; what is to be said of it, and whether it is the first of its kind.
    fn fail(&self, denied: Denied, peer: Peer) -> (Denied, bool) {
        let (most, room) = {
            let settings = self.settings.read();
            (settings.max_failures_per_minute, settings.max_failure_addresses)
        };
        let verdict = self.failures.lock().count(peer.ip(), self.began.elapsed(), most, room);
        match verdict {
            Verdict::Refuse { is_first } => (denied, is_first),
            Verdict::Slow { wait, is_first } => (Denied::Slowed(wait), is_first),
        }
    }

    /// The tokens in force, and whether one is asked for.
    fn tokens(&self) -> (Arc<Tokens>, bool) {
        let state = self.state.read();
        (state.tokens.clone(), state.has_file || self.is_asked())
    }

    /// Whether one has to say who one is, though there is no token.
    fn is_asked(&self) -> bool {
        self.settings.read().required || self.certificates.lock().are_asked()
    }

    /// Whether connections of this grant may go on.
    pub(super) fn holds(&self, grant: Grant) -> bool {
        let (tokens, is_required) = self.tokens();
        match grant {
            caller::OPEN => !is_required,
            caller::LOCAL => self.settings.read().trust_local,
            grant => {
                let now = Timestamp::now();
                tokens.holds(grant, now)
                    || self.sessions.lock().holds(grant)
                    || self.certificates.lock().holds(grant, now)
            }
        }
    }

    fn next_grant(&self) -> Grant {
        self.next_grant.fetch_add(1, Ordering::Relaxed)
    }

    /// The group whose members are operators by the Unix socket.
    pub(super) fn operator_group(&self) -> String {
        self.settings.read().operator_group.clone()
    }

    /// The figures of it.
    pub(super) fn vitals(&self) -> AuthVitals {
        let (tokens, is_required) = self.tokens();
        let (changes, lost) = self.audit.totals();
        AuthVitals {
            is_required,
            tokens: tokens.count(Timestamp::now()),
            sessions: self.sessions.lock().len(),
            changes,
            lost,
            refused: AuthReason::ALL.map(|reason| (reason, self.tally.total(reason as usize))),
        }
    }
}

/// How it stands, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthVitals {
    pub is_required: bool,
    /// Tokens in force.
    pub tokens: usize,
    pub sessions: usize,
    /// Requests that were to change something.
    pub changes: u64,
    /// Changes that were to be kept on disk and are not.
    pub lost: u64,
    /// Requests refused, by reason.
    pub refused: [(AuthReason, u64); AuthReason::ALL.len()],
}

/// How often the file of the tokens is looked at, and what has ended looked for.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
