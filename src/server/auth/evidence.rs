//! What a request bears that tells who asks. Pure. docs/security.md tells what each rule is against.

use http::header::{AUTHORIZATION, COOKIE, HeaderName, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, Method};

use super::caller::Caller;
use super::local::LocalUser;

/// The cookie of a session; by TLS with the prefix that has browsers keep it to this host and to TLS.
pub(in crate::server) const COOKIES: [&str; 2] =
    ["gz-monitor-session", "__Host-gz-monitor-session"];

/// What a subprotocol begins with that bears a token: a page can set no header of a handshake.
const SUBPROTOCOL: &str = "bearer.";

/// These say that whoever connected is a proxy, and speaks for another.
const OF_PROXIES: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];
/// And these that it is a browser, behind a proxy if it comes by the Unix socket.
const OF_BROWSERS: [&str; 3] = ["cookie", "origin", "sec-fetch-site"];

/// What a request bears that tells who asks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Evidence<'a> {
    pub(super) token: Option<&'a str>,
    pub(super) session: Option<&'a str>,
    pub(super) certificate: Option<Caller>,
    pub(super) user: Option<LocalUser>,
}

/// What tells who has connected, before they have said anything.
#[derive(Debug, Clone, Default)]
pub(super) struct Connected {
    /// Whoever has shown a certificate that is good for something.
    pub(super) certificate: Option<Caller>,
    /// A user of this machine, by the Unix socket.
    pub(super) user: Option<LocalUser>,
}

impl<'a> Evidence<'a> {
    /// That of a request by `method`; `is_foreign` says whether it is a listed page's of another
    /// origin.
    pub(super) fn of(
        method: &Method,
        headers: &'a HeaderMap,
        is_foreign: bool,
        connected: Connected,
    ) -> Self {
        let has = |names: &[&str]| names.iter().any(|name| headers.contains_key(*name));
        let (is_proxy, is_browser) = (has(&OF_PROXIES), has(&OF_BROWSERS));
        let is_of_our_page = is_of_our_page(method, headers, is_foreign);
        let Connected { certificate, user } = connected;
        Self {
            token: bearer(headers).or_else(|| subprotocol(headers)),
            session: cookie(headers).filter(|_| is_of_our_page),
            // A browser shows it for whatever page asks, as it does with cookies; a program does not.
            certificate: certificate.filter(|_| !is_proxy && (!is_browser || is_of_our_page)),
            user: user.filter(|_| !is_proxy && !is_browser),
        }
    }
}

/// The token of `Authorization: Bearer TOKEN`. Another scheme is for somebody else: a proxy, say.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut tokens = headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let text = value.to_str().ok()?;
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let token = tokens.next()?;
    // Of two it is not known which counts for whoever has sent them.
    Some(if tokens.next().is_some() { "" } else { token })
}

fn subprotocol(headers: &HeaderMap) -> Option<&str> {
    words(headers, &SEC_WEBSOCKET_PROTOCOL, ',').find_map(|word| word.strip_prefix(SUBPROTOCOL))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let mut cookies = words(headers, &COOKIE, ';').filter_map(|cookie| cookie.split_once('='));
    cookies.find_map(|(name, value)| COOKIES.contains(&name).then_some(value))
}

fn words<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    separator: char,
) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(move |line| line.split(separator)).map(str::trim)
}

/// Whether the browser has sent its cookie for a page of ours. `SameSite=Strict` leaves the pages of
/// other ports and of sibling names, which are the same site to it.
fn is_of_our_page(method: &Method, headers: &HeaderMap, is_foreign: bool) -> bool {
    match headers.get("sec-fetch-site").map(|value| value.as_bytes()) {
        // Also behind a proxy that speaks TLS for us, whose origin is not ours.
        Some(b"same-origin") => true,
        // The browser's user, who has typed the address.
        Some(b"none") => matches!(*method, Method::GET | Method::HEAD),
        Some(_) => false,
        // Not said by old browsers, nor without TLS on another machine.
        None if headers.contains_key(ORIGIN) => !is_foreign,
        None => matches!(*method, Method::GET | Method::HEAD) && !is_handshake(headers),
    }
}

/// Browsers say where a page is from that opens a WebSocket.
fn is_handshake(headers: &HeaderMap) -> bool {
    headers.contains_key(http::header::UPGRADE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::Role;

    fn headers(list: &[(&str, &str)]) -> HeaderMap {
        let header = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"))
        };
        // One name may come twice.
        let mut map = HeaderMap::new();
        for (name, value) in list.iter().map(header) {
            map.append(name, value);
        }
        map
    }

    fn token(list: &[(&str, &str)]) -> Option<String> {
        let headers = headers(list);
        Evidence::of(&Method::GET, &headers, false, Connected::default()).token.map(str::to_owned)
    }

    #[test]
    fn a_token_comes_by_a_header_or_as_a_subprotocol() {
        let some = |token: &str| Some(token.to_owned());
        assert_eq!(token(&[("authorization", "Bearer gzm_a")]), some("gzm_a"));
        assert_eq!(token(&[("authorization", "bearer  gzm_a ")]), some("gzm_a"));
        assert_eq!(token(&[("authorization", "Basic dTpw")]), None);
        assert_eq!(token(&[("authorization", "Bearer")]), None);
        let both = [("authorization", "Basic dTpw"), ("authorization", "Bearer gzm_a")];
        assert_eq!(token(&both), some("gzm_a"), "the one of a proxy is not ours");
        let two = [("authorization", "Bearer gzm_a"), ("authorization", "Bearer gzm_b")];
        assert_eq!(token(&two), some(""), "which is no token");
        let offers = ("sec-websocket-protocol", "gz-monitor.v1.json, bearer.gzm_a");
        assert_eq!(token(&[offers]), some("gzm_a"));
        assert_eq!(token(&[("sec-websocket-protocol", "gz-monitor.v1.json")]), None);
    }

    #[test]
    fn a_session_counts_for_our_own_page_only() {
        let check = |method: Method, more: &[(&str, &str)], is_foreign: bool, expected: bool| {
            let cookie = ("cookie", "theme=dark; gz-monitor-session=abc; x");
            let headers = headers(&[&[cookie], more].concat());
            let found = Evidence::of(&method, &headers, is_foreign, Connected::default()).session;
            assert_eq!(found, expected.then_some("abc"), "{method} {more:?} {is_foreign}");
        };
        let (get, post) = (|| Method::GET, || Method::POST);
        let site = |site: &'static str| ("sec-fetch-site", site);
        let origin = ("origin", "http://127.0.0.1:8080");
        check(get(), &[site("same-origin")], false, true);
        check(post(), &[site("same-origin"), origin], false, true);
        // Behind a proxy that speaks TLS.
        check(post(), &[site("same-origin"), origin], true, true);
        // A page of another port, though it is listed.
        check(post(), &[site("same-site"), origin], true, false);
        check(get(), &[site("same-site")], false, false);
        check(get(), &[site("cross-site")], false, false);
        check(get(), &[site("none")], false, true);
        check(post(), &[site("none")], false, false);
        // A browser that says less.
        check(post(), &[origin], false, true);
        check(post(), &[origin], true, false);
        check(post(), &[], false, false);
        check(get(), &[], false, true);
        check(get(), &[("upgrade", "websocket")], false, false);
        check(get(), &[("upgrade", "websocket"), origin], false, true);
    }

    #[test]
    fn whoever_speaks_for_others_is_not_taken_for_them() {
        let user = Some(LocalUser { uid: 0, role: Some(Role::Admin) });
        let connected = || Connected { user, ..Connected::default() };
        let of = |list: &[(&str, &str)]| {
            Evidence::of(&Method::GET, &headers(list), false, connected()).user
        };
        assert_eq!(of(&[("host", "localhost")]), user);
        for name in OF_PROXIES.into_iter().chain(OF_BROWSERS) {
            assert_eq!(of(&[(name, "x")]), None, "{name}");
        }
    }

    #[test]
    fn a_certificate_counts_for_programs_and_our_own_page() {
        let check = |method: Method, list: &[(&str, &str)], is_foreign: bool, expected: bool| {
            let certificate = Some(Caller::user(7, Role::Viewer));
            let connected = Connected { certificate, user: None };
            let found = Evidence::of(&method, &headers(list), is_foreign, connected).certificate;
            assert_eq!(found.is_some(), expected, "{method} {list:?} {is_foreign}");
        };
        let own = ("origin", "https://127.0.0.1:8080");
        let site = |site: &'static str| ("sec-fetch-site", site);
        check(Method::GET, &[], false, true);
        check(Method::POST, &[("host", "localhost")], false, true);
        check(Method::GET, &[("upgrade", "websocket")], false, true);
        check(Method::POST, &[own], false, true);
        check(Method::POST, &[own, site("same-origin")], false, true);
        check(Method::GET, &[site("none")], false, true);
        check(Method::POST, &[site("none")], false, false);
        check(Method::GET, &[site("same-site")], false, false);
        check(Method::GET, &[site("cross-site")], false, false);
        check(Method::POST, &[own], true, false);
        check(Method::POST, &[("cookie", "a=b")], false, false);
        for name in OF_PROXIES {
            check(Method::GET, &[(name, "x")], false, false);
        }
    }
}
