//! `server.hosts` and `server.origins`: the names and the pages that somebody vouches for.

use serde::{Deserialize, Serialize};

use super::authority::{Authority, Host};
use super::origin::Origin;

/// A host by which the daemon may be called: `NAME`, which goes for every port, or `NAME:PORT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ListedHost(Authority);

/// An origin whose pages may use the daemon: `SCHEME://HOST` or `SCHEME://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ListedOrigin(Origin);

impl ListedHost {
    /// Whether it is `called`.
    pub(super) fn is(&self, called: &Authority) -> bool {
        let Self(Authority { host, port }) = self;
        // Which port is left out depends on whether a proxy speaks TLS for us.
        let is_of_port = match (port, called.port) {
            (None, _) => true,
            (Some(port), None) => matches!(port, 80 | 443),
            (Some(port), Some(called)) => *port == called,
        };
        is_of_port && *host == called.host
    }

    fn names_any_address(&self) -> bool {
        matches!(&self.0.host, Host::Address(address) if address.is_unspecified())
    }
}

impl ListedOrigin {
    /// Whether it is `origin`.
    pub(super) fn is(&self, origin: &Origin) -> bool {
        self.0 == *origin
    }
}

impl TryFrom<String> for ListedHost {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.contains('*') {
            return Err(no_pattern(&text, "name"));
        }
        let host = Authority::parse(&text).map(Self).ok_or_else(|| {
            format!("{text:?} is not a host: write a name or an address, with a port or without, such as \"monitor.example.org\" or \"192.0.2.7:8080\"")
        })?;
        match host.names_any_address() {
            true => Err(format!("{text:?} means every address: write the one that clients use")),
            false => Ok(host),
        }
    }
}

impl TryFrom<String> for ListedOrigin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.contains('*') {
            return Err(no_pattern(&text, "origin"));
        }
        if text == "null" {
            return Err("\"null\" is the origin of every page that hides its own: serve the page by HTTP and write where".to_owned());
        }
        Origin::parse(&text).map(Self).ok_or_else(|| {
            format!("{text:?} is not an origin: write scheme, host and port, and no path, such as \"https://dash.example.org\"")
        })
    }
}

fn no_pattern(text: &str, what: &str) -> String {
    format!("{text:?} has a *: patterns are not possible, write each {what}")
}

impl From<ListedHost> for String {
    fn from(ListedHost(authority): ListedHost) -> Self {
        authority.to_string()
    }
}

impl From<ListedOrigin> for String {
    fn from(ListedOrigin(origin): ListedOrigin) -> Self {
        origin.to_string()
    }
}
