//! For whom a proxy asks, and how they speak, as it says in `X-Forwarded-For` or `Forwarded` (RFC 7239).
//! Pure.
//!
//! Each proxy adds to the end of the list who has asked it. So from the end on the list is true for as
//! long as those who have written it are believed, and what is before that is anybody's claim.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::header::FORWARDED;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::judge::{Listed, Refusal};
use super::proxy::ProxyHeader;
use super::reason::Reason;
use crate::hub::Peer;
use crate::sample::brief;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whose request it is: who has connected, or for whom a proxy says that it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sender {
    pub(crate) peer: Peer,
    /// How they speak with us, or with the proxy.
    pub(crate) scheme: Scheme,
}

/// Who is named in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Address(IpAddr),
    /// The proxy does not know, or does not tell (RFC 7239 section 6).
    Hidden,
}

/// Whose request it is that came by `peer`.
///
/// # Errors
/// A proxy that is believed has said what cannot be understood. Its own address would stand for
/// everybody behind it then, in limits and in what is written down, and nobody would notice.
pub(super) fn sender(
    headers: &HeaderMap,
    peer: Peer,
    scheme: &Scheme,
    listed: &Listed,
) -> Result<Sender, Refusal> {
    if !listed.proxies.iter().any(|proxy| proxy.is(peer)) {
        return Ok(Sender { peer, scheme: scheme.clone() });
    }
    let (address, said) = match listed.header {
        ProxyHeader::XForwardedFor => {
            let named = entries(headers).map(|entry| Ok((node(entry?)?, None)));
            (walk(named, listed)?.0, proto(headers)?)
        }
        ProxyHeader::Forwarded => walk(elements(headers)?.into_iter().rev().map(Ok), listed)?,
    };
    let peer = address.map_or(peer, Peer::Forwarded);
    Ok(Sender { peer, scheme: said.unwrap_or_else(|| scheme.clone()) })
}

/// Goes from the proxy towards the client for as long as those who speak are believed.
fn walk(
    nearest_first: impl Iterator<Item = Result<(Node, Option<Scheme>), Refusal>>,
    listed: &Listed,
) -> Result<(Option<IpAddr>, Option<Scheme>), Refusal> {
    let mut found = (None, None);
    for step in nearest_first {
        match step? {
            // The one before is the last that is known.
            (Node::Hidden, scheme) => {
                found.1 = scheme;
                break;
            }
            (Node::Address(address), scheme) => {
                found = (Some(address), scheme);
                if !listed.proxies.iter().any(|proxy| proxy.covers(address)) {
                    break;
                }
            }
        }
    }
    Ok(found)
}

/// What is listed in `X-Forwarded-For`, the last first. What nobody comes to may be anything.
fn entries(headers: &HeaderMap) -> impl Iterator<Item = Result<&str, Refusal>> {
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev().map(HeaderValue::as_bytes);
    let entries = lines.flat_map(|line| line.rsplit(|byte| *byte == b','));
    entries
        .map(|entry| match str::from_utf8(entry) {
            Ok(text) => Ok(text.trim()),
            Err(_) => Err(refusal(&X_FORWARDED_FOR, &String::from_utf8_lossy(entry))),
        })
        // RFC 9110 section 5.6.1: a list may have nothing between two commas.
        .filter(|entry| entry.as_ref().map_or(true, |text| !text.is_empty()))
}

fn node(text: &str) -> Result<Node, Refusal> {
    parse_node(text).ok_or_else(|| refusal(&X_FORWARDED_FOR, text))
}

/// An address, with a port or without; one of IPv6 with brackets or without. `unknown` and names with
/// an underscore are who is not told.
fn parse_node(text: &str) -> Option<Node> {
    if text.eq_ignore_ascii_case("unknown") || text.starts_with('_') {
        return Some(Node::Hidden);
    }
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let address = (text.parse::<IpAddr>().ok())
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| bracketed().map(IpAddr::V6));
    address.map(|address| Node::Address(address.to_canonical()))
}

fn proto(headers: &HeaderMap) -> Result<Option<Scheme>, Refusal> {
    let mut values = headers.get_all(X_FORWARDED_PROTO).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let scheme = parse_scheme(text).filter(|_| values.next().is_none());
    scheme.map(Some).ok_or_else(|| refusal(&X_FORWARDED_PROTO, text))
}

fn parse_scheme(text: &str) -> Option<Scheme> {
    match text {
        _ if text.eq_ignore_ascii_case("https") => Some(Scheme::HTTPS),
        _ if text.eq_ignore_ascii_case("http") => Some(Scheme::HTTP),
        _ => None,
    }
}

/// What is listed in `Forwarded`, the first first. It is read as a whole: where an element begins is
/// known only from the beginning, because a text in quotes may have commas.
fn elements(headers: &HeaderMap) -> Result<Vec<(Node, Option<Scheme>)>, Refusal> {
    let mut all = Vec::new();
    for line in headers.get_all(FORWARDED) {
        let text = line.to_str().unwrap_or_default();
        let list = parse_elements(text).filter(|_| line.to_str().is_ok());
        all.extend(list.ok_or_else(|| refusal(&FORWARDED, text))?);
    }
    Ok(all)
}

fn parse_elements(text: &str) -> Option<Vec<(Node, Option<Scheme>)>> {
    let (mut all, mut rest) = (Vec::new(), text);
    let mut element = Element::default();
    loop {
        rest = rest.trim_start();
        match rest.chars().next() {
            None | Some(',') => {
                all.extend(std::mem::take(&mut element).finish());
                match rest.strip_prefix(',') {
                    Some(more) => rest = more,
                    None => return Some(all),
                }
            }
            Some(';') => rest = &rest[1..],
            Some(_) => {
                let (name, value, more) = pair(rest)?;
                element.add(name, &value)?;
                rest = more.trim_start();
                let has_ended = rest.is_empty() || rest.starts_with([',', ';']);
                has_ended.then_some(())?;
            }
        }
    }
}

/// What one proxy has said.
#[derive(Default)]
struct Element {
    is_there: bool,
    node: Option<Node>,
    scheme: Option<Scheme>,
}

impl Element {
    /// `None` if it is no good, or there already (RFC 7239 section 4).
    fn add(&mut self, name: &str, value: &str) -> Option<()> {
        self.is_there = true;
        if name.eq_ignore_ascii_case("for") {
            let node = parse_node(value)?;
            self.node.replace(node).is_none().then_some(())
        } else if name.eq_ignore_ascii_case("proto") {
            let scheme = parse_scheme(value)?;
            self.scheme.replace(scheme).is_none().then_some(())
        } else {
            Some(())
        }
    }

    fn finish(self) -> Option<(Node, Option<Scheme>)> {
        self.is_there.then(|| (self.node.unwrap_or(Node::Hidden), self.scheme))
    }
}

/// `NAME=VALUE` or `NAME="VALUE"`, and what comes after it.
fn pair(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_of_token) {
        return None;
    }
    let Some(quoted) = rest.strip_prefix('"') else {
        // Addresses with a colon belong in quotes; some proxies do not put them there.
        let is_of_value = |c: char| is_of_token(c) || ":[]".contains(c);
        let end = rest.find(|c| !is_of_value(c)).unwrap_or(rest.len());
        let (value, more) = rest.split_at(end);
        return (!value.is_empty()).then(|| (name, value.to_owned(), more));
    };
    let (mut value, mut is_escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            _ if is_escaped => {
                value.push(c);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '"' => return Some((name, value, &quoted[at + 1..])),
            c => value.push(c),
        }
    }
    None
}

fn refusal(header: &HeaderName, said: &str) -> Refusal {
    let what = if *header == X_FORWARDED_PROTO { "http or https" } else { "a list of addresses" };
    let said = brief(said);
    let detail = format!(
        "The proxy in between (server.trusted_proxies) says {header}: {said}, which is not {what}; have it write that header itself."
    );
    Refusal::new(Reason::Forwarded, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::gate::ListedProxy;
    use proptest::prelude::*;

    fn listed(header: ProxyHeader) -> Listed {
        let proxies = ["127.0.0.1", "10.0.0.0/8", "::1", "2001:db8:1::/48", "unix"];
        let proxies = proxies.map(|text| ListedProxy::try_from(text.to_owned()).expect(text));
        Listed { proxies: proxies.to_vec(), header, ..Listed::default() }
    }

    fn headers(list: &[(&str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in list {
            let value = HeaderValue::from_bytes(value).expect("a value");
            map.append(name.parse::<HeaderName>().expect("a name"), value);
        }
        map
    }

    /// Whose request it is, in words.
    fn told(peer: &str, header: ProxyHeader, list: &[(&str, &str)]) -> String {
        let list: Vec<_> = list.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let peer = match peer {
            "unix" => Peer::Local,
            address => Peer::Network((address.parse::<IpAddr>().expect("an address"), 1).into()),
        };
        match sender(&headers(&list), peer, &Scheme::HTTP, &listed(header)) {
            Ok(Sender { peer, scheme }) => format!("{scheme} {peer}"),
            Err(refusal) => format!("{:?}", refusal.reason),
        }
    }

    fn by_list(peer: &str, list: &[(&str, &str)]) -> String {
        told(peer, ProxyHeader::XForwardedFor, list)
    }

    fn for_list(value: &str) -> String {
        by_list("127.0.0.1", &[("x-forwarded-for", value)])
    }

    #[test]
    fn who_is_not_listed_speaks_for_themselves() {
        let claims = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=192.0.2.1;proto=https"),
        ];
        for header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
            assert_eq!(told("192.0.2.9", header, &claims), "http 192.0.2.9:1");
            assert_eq!(told("::2", header, &claims), "http [::2]:1");
            let nonsense = [("x-forwarded-for", "x"), ("forwarded", "\"")];
            assert_eq!(told("192.0.2.9", header, &nonsense), "http 192.0.2.9:1");
        }
    }

    #[test]
    fn the_last_who_is_not_a_proxy_is_the_client() {
        assert_eq!(by_list("127.0.0.1", &[]), "http 127.0.0.1:1", "it asks for itself");
        assert_eq!(for_list("192.0.2.1"), "http 192.0.2.1");
        assert_eq!(for_list("192.0.2.1, 10.1.1.1,10.2.2.2"), "http 192.0.2.1", "a chain");
        assert_eq!(for_list("198.51.100.1, 192.0.2.1"), "http 192.0.2.1", "a claim");
        assert_eq!(for_list("127.0.0.1, 192.0.2.1, 10.1.1.1"), "http 192.0.2.1", "a claim");
        assert_eq!(for_list("10.9.9.9, 10.1.1.1"), "http 10.9.9.9", "one of the proxies' own");
        assert_eq!(for_list("<script>, é, 192.0.2.1"), "http 192.0.2.1", "nobody comes to it");
        assert_eq!(for_list(",, 192.0.2.1 , "), "http 192.0.2.1");
        assert_eq!(by_list("unix", &[("x-forwarded-for", "192.0.2.1")]), "http 192.0.2.1");
        let lines = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "192.0.2.1")];
        assert_eq!(by_list("127.0.0.1", &lines), "http 192.0.2.1", "the last line is the nearest");
    }

    #[test]
    fn addresses_in_every_form() {
        assert_eq!(for_list("192.0.2.1:4711"), "http 192.0.2.1");
        assert_eq!(for_list("2001:db8::1"), "http 2001:db8::1");
        assert_eq!(for_list("[2001:db8::1]"), "http 2001:db8::1");
        assert_eq!(for_list("[2001:db8::1]:4711"), "http 2001:db8::1");
        assert_eq!(for_list("::ffff:192.0.2.1"), "http 192.0.2.1");
        assert_eq!(for_list("2001:db8::1, 2001:db8:1::5"), "http 2001:db8::1");
        assert_eq!(by_list("::1", &[("x-forwarded-for", "192.0.2.1")]), "http 192.0.2.1");
        assert_eq!(for_list("unknown, 10.1.1.1"), "http 10.1.1.1", "no further is known");
        assert_eq!(for_list("unknown"), "http 127.0.0.1:1");
        for text in ["x", "192.0.2", "192.0.2.1:", "192.0.2.1:x", "[::1", "::1]", "fe80::1%1", "é"]
        {
            assert_eq!(for_list(text), "Forwarded", "{text}");
            assert_eq!(for_list(&format!("192.0.2.1, {text}, 10.1.1.1")), "Forwarded", "{text}");
        }
    }

    #[test]
    fn how_the_client_speaks() {
        let by = |list: &[(&str, &str)]| by_list("127.0.0.1", list);
        assert_eq!(by(&[("x-forwarded-proto", "https")]), "https 127.0.0.1:1");
        assert_eq!(by(&[("x-forwarded-proto", "HTTP")]), "http 127.0.0.1:1");
        for text in ["", "wss", "https, http", "https://"] {
            assert_eq!(by(&[("x-forwarded-proto", text)]), "Forwarded", "{text}");
        }
        let two = [("x-forwarded-proto", "https"), ("x-forwarded-proto", "https")];
        assert_eq!(by(&two), "Forwarded", "one is the client's own");
    }

    #[test]
    fn the_other_header_is_not_looked_at() {
        let both = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "http"),
            ("forwarded", "for=192.0.2.2;proto=https"),
        ];
        assert_eq!(told("127.0.0.1", ProxyHeader::XForwardedFor, &both), "http 192.0.2.1");
        assert_eq!(told("127.0.0.1", ProxyHeader::Forwarded, &both), "https 192.0.2.2");
    }

    #[test]
    fn the_header_of_the_standard() {
        let check = |text: &str, expected: &str| {
            let told = told("127.0.0.1", ProxyHeader::Forwarded, &[("forwarded", text)]);
            assert_eq!(told, expected, "{text}");
        };
        // RFC 7239 section 4 and 7.
        check(r#"For="[2001:db8:cafe::17]:4711""#, "http 2001:db8:cafe::17");
        check("for=192.0.2.60;proto=http;by=203.0.113.43", "http 192.0.2.60");
        check("for=192.0.2.43, for=198.51.100.17", "http 198.51.100.17");
        check("for=_gazonk", "http 127.0.0.1:1");
        check("for=unknown;proto=https", "https 127.0.0.1:1");
        check("proto=https", "https 127.0.0.1:1");
        check(r#"for=192.0.2.1;proto=https , for="10.1.1.1";proto=http"#, "https 192.0.2.1");
        check(r#"for="10\.1\.1\.1";host="a, b; c=\"d\"", for="192.0.2.1""#, "http 192.0.2.1");
        check("for=192.0.2.1:80", "http 192.0.2.1");
        check("", "http 127.0.0.1:1");
        for text in [
            "192.0.2.1",
            "for=",
            "for=x",
            "for=192.0.2.1;for=192.0.2.2",
            "for=192.0.2.1;proto=ftp",
            "for=192.0.2.1 x",
            "for =192.0.2.1",
            r#"for="192.0.2.1"#,
            r#"for="192.0.2.1"x"#,
            // What a client says so that what the proxy adds comes to be within its quotes.
            r#"for=198.51.100.1;x=", for=192.0.2.1"#,
            r#"for=198.51.100.1;x=", for="192.0.2.1""#,
        ] {
            check(text, "Forwarded");
        }
    }

    proptest! {
        /// Whatever a client claims, who it is does not change.
        #[test]
        fn a_claim_changes_nothing(claim in "[ -~]{0,60}") {
            let list = [("x-forwarded-for", format!("{claim}, 192.0.2.1"))];
            let list = list.each_ref().map(|(name, value)| (*name, value.as_str()));
            prop_assert_eq!(by_list("127.0.0.1", &list), "http 192.0.2.1");
        }

        /// At the most it keeps its request from being answered.
        #[test]
        fn nor_in_the_other_header(claim in "[ -~]{0,60}", is_quoted: bool) {
            let own = if is_quoted { "for=\"192.0.2.1:80\"" } else { "for=192.0.2.1" };
            let list = [("forwarded", format!("{claim}, {own}"))];
            let list = list.each_ref().map(|(name, value)| (*name, value.as_str()));
            let told = told("127.0.0.1", ProxyHeader::Forwarded, &list);
            prop_assert!(told == "http 192.0.2.1" || told == "Forwarded", "{}", told);
        }
    }
}
