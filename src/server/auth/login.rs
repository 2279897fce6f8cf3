//! Sessions of the dashboard: how one begins, gets a new secret, and ends.

use std::collections::HashSet;
use std::time::Duration;

use http::header::{ORIGIN, SET_COOKIE};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;

use super::caller::Who;
use super::evidence::{COOKIES, Evidence};
use super::secret::Secret;
use super::session::Basis;
use super::token::Grant;
use super::{Auth, Caller, judge};
use crate::hub::Peer;
use crate::server::problem::Problem;

impl Auth {
    /// Logs in whoever has `token`; gives the session's secret and how long it lasts, and the grants
    /// of sessions that had to end for it.
    ///
    /// # Errors
    /// The answer.
    pub(in crate::server) fn log_in(
        &self,
        token: &str,
        peer: Peer,
    ) -> Result<(Secret, Duration, HashSet<Grant>), Problem> {
        let (tokens, is_required) = self.tokens();
        if !is_required {
            let detail = "There are no tokens, and nobody has to log in.";
            return Err(Problem::new(StatusCode::CONFLICT, "no_login", detail));
        }
        let evidence = Evidence { token: Some(token), ..Evidence::default() };
        let caller = judge::identify(&evidence, &tokens, true, |_| None, Timestamp::now());
        let caller = caller.map_err(|denied| self.refuse(denied, peer, "/api/v1/session"))?;
        let Caller { who: Who::Token(name), role: Some(role), grant, groups } = caller else {
            let detail = "A session begins with a token.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "token_invalid", detail));
        };
        let secret = Secret::random().map_err(|error| no_chance(&error))?;
        let (lifetime, most) = {
            let settings = self.settings.read();
            (*settings.session_lifetime, settings.max_sessions)
        };
        tracing::info!(name: "logged_in", token = &*name, %peer, "logged in on the dashboard");
        let basis = Basis { token: name, role, groups, grant };
        let now = self.began.elapsed();
        let ended = self.sessions.lock().begin(self.next_grant(), basis, &secret, now, most);
        Ok((secret, lifetime, ended))
    }

    /// Ends a session.
    pub(in crate::server) fn log_out(&self, grant: Grant) {
        self.sessions.lock().end(grant);
    }

    /// Gives a session a new secret: the header that says so to its browser.
    pub(in crate::server) fn renew(&self, grant: Grant, is_secure: bool) -> Option<HeaderValue> {
        let secret = Secret::random().ok()?;
        let lifetime = *self.settings.read().session_lifetime;
        let now = self.began.elapsed();
        let left = self.sessions.lock().rotate(grant, &secret, now, lifetime)?;
        cookie(secret.expose(), left, is_secure)
    }
}

/// Why there is no secret to be had.
pub(in crate::server) fn no_chance(error: &getrandom::Error) -> Problem {
    let detail = format!("The system has no random numbers to give: {error}.");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
}

/// Whether the browser speaks TLS: with us, or with a proxy that does so for us.
pub(in crate::server) fn is_secure(scheme: &Scheme, headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).map(HeaderValue::as_bytes).unwrap_or_default();
    *scheme == Scheme::HTTPS || origin.starts_with(b"https://")
}

/// The header that has a browser keep a session.
pub(in crate::server) fn cookie(
    secret: &str,
    left: Duration,
    is_secure: bool,
) -> Option<HeaderValue> {
    let (name, secure) = if is_secure { (COOKIES[1], "; Secure") } else { (COOKIES[0], "") };
    let age = left.as_secs();
    let text = format!("{name}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Has a browser forget its session, by whichever of the names it has it.
pub(in crate::server) fn forget(headers: &mut HeaderMap) {
    for is_secure in [false, true] {
        headers.extend(cookie("", Duration::ZERO, is_secure).map(|value| (SET_COOKIE, value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_our_own_pages_and_no_script() {
        let text = |is_secure| {
            let cookie = cookie("gzm_x", Duration::from_secs(60), is_secure).expect("a header");
            cookie.to_str().expect("ASCII").to_owned()
        };
        insta::assert_snapshot!(text(false), @"gz-monitor-session=gzm_x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
        insta::assert_snapshot!(text(true), @"__Host-gz-monitor-session=gzm_x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
    }
}
