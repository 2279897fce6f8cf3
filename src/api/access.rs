//! Who may what: tokens, sessions, and what was changed by whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::HumanDuration;

/// `POST /api/v1/tokens`: a token that somebody is to have.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Whose it is, or what for: up to 64 letters, digits and -._@.
    pub name: String,
    /// "viewer", "operator" or "admin".
    pub role: String,
    /// How long it is good, such as "30d"; for ever if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<HumanDuration>,
    /// The groups whose messages its holder may see and send; all of them if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
}

/// A token, without what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    pub name: String,
    /// "viewer", "operator" or "admin".
    pub role: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// When it ends; null if it does not.
    pub expires_at: Option<String>,
    /// Whether it has ended.
    pub expired: bool,
    /// The groups whose messages its holder may see and send; null for all of them.
    pub groups: Option<Vec<String>>,
}

/// The answer to `POST /api/v1/tokens`: the one time that the token is told.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct CreatedToken {
    /// The token itself.
    pub token: String,
    #[serde(flatten)]
    pub about: Token,
}

/// `GET /api/v1/tokens`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tokens {
    pub tokens: Vec<Token>,
}

/// `POST /api/v1/session`: whoever has a token wants to go on without showing it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    pub token: String,
}

/// `GET /api/v1/session`: whom the daemon takes the caller for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Session {
    /// Whether one has to say who one is.
    pub required: bool,
    /// "anybody", "token", "session", "certificate", or "user" for one of this machine by the Unix
    /// socket.
    pub kind: &'static str,
    /// The name of the token, if it is known by one.
    pub token: Option<String>,
    /// The name in the certificate, if it is known by one.
    pub certificate: Option<String>,
    /// "viewer", "operator" or "admin"; null of whoever has to say first who they are.
    pub role: Option<&'static str>,
    /// The groups whose messages the caller may see and send; null for all of them.
    pub groups: Option<Vec<String>>,
    /// What is dangerous about the way in which the daemon can be reached.
    pub warnings: Vec<String>,
}

/// `GET /api/v1/audit`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Audit {
    /// What was to be changed: the last first, or with `since` the first after it.
    pub changes: Vec<AuditEntry>,
    /// Whether there is more beyond them.
    pub more: bool,
    /// How often there was something since the daemon started.
    pub total: u64,
}

/// One request that was to change something, or several that are the same and came at once.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditEntry {
    /// Higher than those of all entries before it; for `since` and `before`.
    pub number: u64,
    /// RFC 3339, UTC.
    pub at: String,
    /// "token NAME", "session of token NAME", "certificate NAME", "user UID", "anybody"; "file" for
    /// whoever has changed the file of the tokens.
    pub who: String,
    pub role: Option<String>,
    /// Address and port; the address alone of whoever is behind a trusted proxy; "unix" if it came by
    /// the Unix socket.
    pub from: String,
    /// That of HTTP; "publish" for a message of the stream; "create" and "revoke" for tokens that have
    /// come and gone in their file.
    pub method: String,
    pub path: String,
    /// The status of the answer: of 400 and above nothing has changed.
    pub status: u16,
    /// How often the same came, by the same, in a moment.
    pub count: u64,
}
