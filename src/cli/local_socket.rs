//! Which way a command reaches its daemon, and the Unix socket of the one that systemd runs.

use std::fmt;
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use http::uri::Authority;

use super::own_token::Identity;
use super::trust::Trust;
use crate::server;

/// Which way a command reaches its daemon, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) way: Way,
    pub(super) identity: Identity,
}

/// Which way a daemon is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// A host, with a port or without; by TLS if somebody is to be trusted.
    Url { authority: Authority, trust: Option<Trust> },
    /// A Unix socket.
    Socket(PathBuf),
}

impl Target {
    /// Whom a request means. A Unix socket has no host, which a request must name.
    pub(super) fn host(&self) -> &str {
        self.way.host()
    }

    /// What an address of HTTP begins with.
    pub(super) fn origin(&self) -> String {
        self.way.origin()
    }

    /// What an address of the stream begins with.
    pub(super) fn stream(&self) -> String {
        format!("ws{}://{}", self.way.s(), self.host())
    }
}

impl Way {
    fn host(&self) -> &str {
        match self {
            Way::Url { authority, .. } => authority.as_str(),
            Way::Socket(_) => "localhost",
        }
    }

    fn origin(&self) -> String {
        format!("http{}://{}", self.s(), self.host())
    }

    fn s(&self) -> &str {
        match self {
            Way::Url { trust: Some(_), .. } => "s",
            _ => "",
        }
    }

    /// Whether others can read what goes this way.
    pub(super) fn is_overheard(&self) -> bool {
        let Way::Url { authority, trust: None } = self else { return false };
        let host = authority.host().trim_matches(|c| matches!(c, '[' | ']'));
        let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
        host != "localhost" && !host.parse().is_ok_and(is_loopback)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Url { .. } => f.write_str(&self.origin()),
            Way::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The socket of the daemon that systemd runs, if this user may connect to it.
pub(super) fn find() -> Option<PathBuf> {
    server::usual_sockets().into_iter().find(|path| UnixStream::connect(path).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_where_nobody_listens() {
        let check = |host: &str, trust: Option<Trust>, expected: bool| {
            let way = Way::Url { authority: host.parse().expect("a host"), trust };
            assert_eq!(way.is_overheard(), expected, "{host}");
        };
        for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            check(host, None, false);
        }
        for host in ["monitor.lan", "192.0.2.1:8080", "127.0.0.1.example.org", "[2001:db8::1]"] {
            check(host, None, true);
            check(host, Some(Trust::System), false);
        }
        assert!(!Way::Socket("/run/x".into()).is_overheard());
    }
}
