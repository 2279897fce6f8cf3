//! An address of the web, in its parts.

use http::Uri;

/// Where a receiver is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::notify) struct Address {
    pub(super) is_secure: bool,
    /// Without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    /// What the header `Host` says.
    pub(super) authority: String,
    /// From the slash on, with the query.
    pub(super) path: String,
}

impl Address {
    /// The parts of a text; `None` if it is no such address, or has a name and a password in it, which
    /// belong into a header.
    pub(in crate::notify) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let is_secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?.as_str().to_owned();
        let host = uri.host()?.trim_matches(|c| matches!(c, '[' | ']')).to_owned();
        if host.is_empty() || authority.contains('@') {
            return None;
        }
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Some(Self { is_secure, host, port, authority, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_parts() {
        let check = |text: &str, expected: Option<(bool, &str, u16, &str, &str)>| {
            let found = Address::parse(text);
            let found = found.as_ref().map(|address| {
                let Address { is_secure, host, port, authority, path } = address;
                (*is_secure, host.as_str(), *port, authority.as_str(), path.as_str())
            });
            assert_eq!(found, expected, "{text}");
        };
        let plain = (false, "a.example", 80, "a.example", "/");
        check("http://a.example", Some(plain));
        check("https://a.example/x?y=z", Some((true, "a.example", 443, "a.example", "/x?y=z")));
        check("https://[::1]:8443/", Some((true, "::1", 8443, "[::1]:8443", "/")));
        for bad in ["", "a.example", "/x", "ftp://a.example", "https://", "http://u:p@a.example/"] {
            check(bad, None);
        }
    }
}
