//! What browsers are to forbid the pages around our answers, and the answers themselves.

use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

/// No answer but the dashboard is a page that does anything.
const NOTHING: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Nothing but our own files and our own server; the page needs no more.
const DASHBOARD: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// What a page could ask the browser's user for; the dashboard never does.
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), usb=()",
);

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Completes an answer of any kind; `is_trusted` says whether browsers take our address for a safe
/// one.
pub(super) fn harden(headers: &mut HeaderMap, is_trusted: bool) {
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(NOTHING);
    let same_origin = HeaderValue::from_static("same-origin");
    // Not "no-referrer": with it, the forms of our own pages would have the origin "null".
    headers.insert(REFERRER_POLICY, same_origin.clone());
    headers.insert(RESOURCE_POLICY, same_origin);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if !is_trusted {
        // They would not heed it, and complain.
        headers.remove(OPENER_POLICY);
    }
}

/// What the dashboard's files need, and forbid, beyond that.
pub(super) fn dashboard(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, DASHBOARD);
    headers.insert(PERMISSIONS_POLICY, PERMISSIONS);
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
}
