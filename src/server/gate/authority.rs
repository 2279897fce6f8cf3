//! A host with a port, as `Host` and addresses name it (RFC 9110 section 7.2).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest name that DNS has.
const NAME_MAX: usize = 253;

/// A host, and a port if one was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

/// What a browser would connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// An address. One of IPv4 that is written as IPv6 is the one of IPv4.
    Address(IpAddr),
    /// A name in lower case, which may mean any address at all.
    Name(String),
}

impl Authority {
    /// `text` taken apart; `None` if it is none, or has what no browser writes: a user, a zone, an
    /// escape.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                (Host::Address(IpAddr::V6(address).to_canonical()), port)
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                let (host, port) = text.split_at(end);
                (Host::parse(host)?, port)
            }
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            None => return None,
            // RFC 3986 section 3.2.3: the port may be left out behind its colon.
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
        };
        Some(Self { host, port })
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_name = !text.is_empty() && text.len() <= NAME_MAX && text.bytes().all(is_of_name);
        is_name.then(|| Self::Name(text.to_ascii_lowercase()))
    }

    /// Whether it means this machine whatever a name server says: a loopback address, or
    /// `localhost`, which browsers do not look up.
    pub(super) fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => write!(f, "{}", self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<&str>) {
        let parsed = Authority::parse(text).map(|authority| authority.to_string());
        assert_eq!(parsed.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn names_and_addresses() {
        check("localhost:8080", Some("localhost:8080"));
        check("LocalHost", Some("localhost"));
        check("a-b_c.example.org:443", Some("a-b_c.example.org:443"));
        check("127.0.0.1:", Some("127.0.0.1"));
        check("[::1]:8080", Some("[::1]:8080"));
        check("[0:0:0:0:0:0:0:1]", Some("[::1]"));
        check("[::ffff:127.0.0.1]:1", Some("127.0.0.1:1"));
        // What browsers write out before they send it is only a name here.
        check("127.1:80", Some("127.1:80"));
        check("2130706433", Some("2130706433"));
        assert!(!Authority::parse("127.1").is_some_and(|one| one.host.is_loopback()));
    }

    #[test]
    fn what_is_neither() {
        for text in [
            "",
            ":",
            ":80",
            "a b",
            "user@host",
            "host/path",
            "host:80:80",
            "host:http",
            "host:+80",
            "host:65536",
            "[::1",
            "::1",
            "[::1]80",
            "[fe80::1%25eth0]",
            "[127.0.0.1]",
            "[]",
            "é",
            "%2Frun",
            "a,b",
            "*.example.org",
            "http://a",
        ] {
            check(text, None);
        }
        check(&"a".repeat(NAME_MAX), Some(&"a".repeat(NAME_MAX)));
        check(&"a".repeat(NAME_MAX + 1), None);
    }

    #[test]
    fn loopback_is_what_no_name_server_decides() {
        let is = |text: &str| Authority::parse(text).expect(text).host.is_loopback();
        for text in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"] {
            assert!(is(text), "{text}");
        }
        for text in ["localhost.example.org", "a.localhost", "localhost.", "0.0.0.0", "[::]"] {
            assert!(!is(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same(text in "[a-z0-9:.\\[\\]_-]{0,30}") {
            if let Some(authority) = Authority::parse(&text) {
                prop_assert_eq!(Authority::parse(&authority.to_string()), Some(authority));
            }
        }
    }
}
