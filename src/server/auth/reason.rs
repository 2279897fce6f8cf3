//! Why somebody is not let in.

use std::time::Duration;

use http::header::{HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use super::role::Role;
use super::table::Least;
use crate::server::problem::Problem;

/// Why somebody is not let in, as metrics and the log call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthReason {
    /// They have not said who they are.
    Missing,
    /// There is no such token.
    Invalid,
    /// The token has ended.
    Expired,
    /// It takes another role.
    Forbidden,
    /// Too many wrong tokens came from there.
    Slowed,
}

impl AuthReason {
    pub const ALL: [Self; 5] =
        [Self::Missing, Self::Invalid, Self::Expired, Self::Forbidden, Self::Slowed];

    /// As metrics and the log call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::Expired => "expired",
            Self::Forbidden => "forbidden",
            Self::Slowed => "slowed",
        }
    }
}

/// A request that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    Missing,
    Invalid,
    Expired,
    Forbidden { role: Role, least: Least },
    Slowed(Duration),
}

impl Denied {
    pub(super) fn reason(self) -> AuthReason {
        match self {
            Self::Missing => AuthReason::Missing,
            Self::Invalid => AuthReason::Invalid,
            Self::Expired => AuthReason::Expired,
            Self::Forbidden { .. } => AuthReason::Forbidden,
            Self::Slowed(_) => AuthReason::Slowed,
        }
    }

    /// The answer.
    pub(super) fn problem(self) -> Problem {
        let unauthorized = |code, error: &'static str, detail: &str| {
            let challenge = HeaderValue::from_static(error);
            let problem = Problem::new(StatusCode::UNAUTHORIZED, code, detail);
            problem.with_header(WWW_AUTHENTICATE, challenge)
        };
        // RFC 6750 section 3.
        match self {
            Self::Missing => unauthorized(
                "token_missing",
                r#"Bearer realm="gz-monitor""#,
                "This takes a token: send \"Authorization: Bearer TOKEN\", or log in at /dashboard. An admin makes one with `gz-monitor token create`.",
            ),
            Self::Invalid => unauthorized(
                "token_invalid",
                r#"Bearer realm="gz-monitor", error="invalid_token""#,
                "There is no such token; it may have been revoked.",
            ),
            Self::Expired => unauthorized(
                "token_expired",
                r#"Bearer realm="gz-monitor", error="invalid_token""#,
                "The token has expired; an admin makes another with `gz-monitor token create`.",
            ),
            Self::Forbidden { role, least } => {
                let detail = match least {
                    Least::Proven => "This takes an admin by a token or by the Unix socket; that there are no tokens makes nobody one.".to_owned(),
                    Least::Nobody => format!("The role {role} may not do this."),
                    Least::Of(least) => format!("The role {role} may not do this; it takes {least}."),
                };
                Problem::new(StatusCode::FORBIDDEN, "role_too_low", detail)
            }
            Self::Slowed(wait) => {
                let detail = "Too many wrong tokens came from this address (server.auth.max_failures_per_minute).";
                let problem =
                    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_failures", detail);
                let (name, value) = retry_after(wait);
                problem.with_header(name, value)
            }
        }
    }
}

/// In whole seconds, and at least one.
pub(in crate::server) fn retry_after(wait: Duration) -> (HeaderName, HeaderValue) {
    (RETRY_AFTER, HeaderValue::from(wait.as_millis().div_ceil(1_000).max(1) as u64))
}
