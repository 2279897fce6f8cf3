//! What lets the browsers of listed pages read our answers (the Fetch standard, "CORS protocol").

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ALLOW, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method};

use super::Admitted;

/// Beside those that every page may send: what tokens, JSON and new tasks take.
const HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, idempotency-key");
/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

impl Admitted {
    /// Whether it is a page of another origin that asks.
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign.is_some()
    }

    /// Completes the answer to a request of this method.
    pub(crate) fn complete(self, method: &Method, headers: &mut HeaderMap) {
        if self.varies {
            headers.append(VARY, ORIGIN.into());
        }
        let Some(origin) = self.foreign else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        // What the path knows is what it may be asked.
        if *method == Method::OPTIONS
            && let Some(methods) = headers.get(ALLOW).cloned()
        {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
    }
}
