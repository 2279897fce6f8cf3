//! Which way a command reaches its daemon, and the Unix socket of the one that systemd runs.

use std::fmt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use http::uri::Authority;

use super::trust::Trust;
use crate::server;

/// Which way a command reaches its daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A host, with a port or without; by TLS if somebody is to be trusted.
    Url { authority: Authority, trust: Option<Trust> },
    /// A Unix socket.
    Socket(PathBuf),
}

impl Target {
    /// Whom a request means. A Unix socket has no host, which a request must name.
    pub(super) fn host(&self) -> &str {
        match self {
            Target::Url { authority, .. } => authority.as_str(),
            Target::Socket(_) => "localhost",
        }
    }

    /// What an address of HTTP begins with.
    pub(super) fn origin(&self) -> String {
        format!("http{}://{}", self.s(), self.host())
    }

    /// What an address of the stream begins with.
    pub(super) fn stream(&self) -> String {
        format!("ws{}://{}", self.s(), self.host())
    }

    fn s(&self) -> &str {
        match self {
            Target::Url { trust: Some(_), .. } => "s",
            _ => "",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Url { .. } => f.write_str(&self.origin()),
            Target::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The socket of the daemon that systemd runs, if this user may connect to it.
pub(super) fn find() -> Option<PathBuf> {
    server::usual_sockets().into_iter().find(|path| UnixStream::connect(path).is_ok())
}
