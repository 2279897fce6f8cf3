//! `[server.auth]`: who has to say who they are, and how often somebody may be wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::server::CredentialFile;
use crate::units::HumanDuration;

/// Who has to say who they are, and how often somebody may be wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// Ask everybody for a token, though there may be none yet. As soon as there is one, everybody
    /// is asked in any case.
    pub required: bool,
    /// The file of the tokens, which `gz-monitor token` writes: a path, or the name of a credential
    /// of the service (LoadCredential=), which nobody can write. If absent: tokens.json in the
    /// service's state directory, else in ~/.local/state/gz-monitor. It is read again when it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", example = "/etc/gz-monitor/tokens.json")]
    pub tokens_file: Option<CredentialFile>,
    /// Tokens at once.
    pub max_tokens: usize,
    /// By the Unix socket, root and the daemon's user are admins and the members of
    /// `operator_group` operators, without a token. Say false if a proxy comes by it.
    pub trust_local: bool,
    /// See `trust_local`.
    pub operator_group: String,
    /// Wrong tokens that may come from one address in a minute; what comes after them is answered
    /// 429, and a right one is not held up.
    pub max_failures_per_minute: u32,
    /// Addresses whose wrong tokens are counted apart; those beyond them share one count.
    pub max_failure_addresses: usize,
    /// Requests a second by one token or session, beyond a burst of twice as many; more are answered
    /// 429. 0 is no bound.
    pub max_request_rate: u32,
    /// How long somebody stays logged in on the dashboard.
    pub session_lifetime: HumanDuration,
    /// Sessions of the dashboard at once; with one more the oldest ends.
    pub max_sessions: usize,
    /// Changes that GET /api/v1/audit remembers; the log has all of them.
    pub max_audit_entries: usize,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            required: false,
            tokens_file: None,
            max_tokens: 1_000,
            trust_local: true,
            operator_group: "gz-monitor".to_owned(),
            max_failures_per_minute: 10,
            max_failure_addresses: 1_000,
            max_request_rate: 1_000,
            session_lifetime: HumanDuration::secs(12 * 3_600),
            max_sessions: 100,
            max_audit_entries: 1_000,
        }
    }
}
