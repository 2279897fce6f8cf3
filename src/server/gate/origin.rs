//! Where a page comes from, as browsers say it in `Origin` (RFC 6454 section 7).

use std::fmt;

use super::authority::Authority;

/// The longest scheme that is not a mistake; extensions of browsers have ones of their own.
const SCHEME_MAX: usize = 32;

/// A scheme, a host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: String,
    authority: Authority,
}

impl Origin {
    /// `SCHEME://HOST` or `SCHEME://HOST:PORT`, with nothing behind it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.len() <= SCHEME_MAX
            && scheme.bytes().all(is_of_scheme);
        let authority = Authority::parse(authority).filter(|_| is_scheme)?;
        Some(Self::of(scheme, authority))
    }

    /// The origin of what is served at `authority`.
    pub(super) fn of(scheme: &str, authority: Authority) -> Self {
        let scheme = scheme.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        // Browsers leave the usual port out.
        let port = authority.port.filter(|port| usual != Some(*port));
        Self { scheme, authority: Authority { port, ..authority } }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let parsed = Origin::parse(text).map(|origin| origin.to_string());
        assert_eq!(parsed.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn origins() {
        check("http://localhost:8080", Some("http://localhost:8080"));
        check("HTTP://LOCALHOST:80", Some("http://localhost"));
        check("https://a.example:443", Some("https://a.example"));
        check("https://a.example:80", Some("https://a.example:80"));
        check("http://[::1]:8080", Some("http://[::1]:8080"));
        check("moz-extension://3c0f", Some("moz-extension://3c0f"));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "null",
            "*",
            "http://",
            "http://*",
            "http://*.example",
            "http:/a",
            "a.example",
            "http://a/",
            "http://a/b",
            "http://a?b",
            "http://u@a",
            "http://a http://b",
            "file://",
            "://a",
            "1a://b",
            "http://a:b",
            " http://a",
        ] {
            check(text, None);
        }
    }
}
