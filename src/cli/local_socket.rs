//! Which way a command reaches its daemon, and the Unix socket of the one that systemd runs.

use std::fmt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use crate::server;

/// Which way a command reaches its daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// `http://HOST:PORT`, without a slash at the end.
    Url(String),
    /// A Unix socket.
    Socket(PathBuf),
}

impl Target {
    /// What an address of HTTP begins with. A Unix socket has no host, which a request must name.
    pub(super) fn origin(&self) -> &str {
        match self {
            Target::Url(url) => url,
            Target::Socket(_) => "http://localhost",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Url(url) => f.write_str(url),
            Target::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The socket of the daemon that systemd runs, if this user may connect to it.
pub(super) fn find() -> Option<PathBuf> {
    server::usual_sockets().into_iter().find(|path| UnixStream::connect(path).is_ok())
}
