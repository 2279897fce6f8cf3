//! Opens sockets: those that the service manager hands over, and those that the configuration names.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::control::SocketFile;
use crate::server::{self, Listener};
use crate::systemd::sockets::{self, Inherited, Socket};

/// Connections that wait to be accepted, also while there is no daemon to do it.
pub(super) const BACKLOG: u32 = 4096;

/// Where a daemon cannot listen, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {place}{}", .advice.map(|advice| format!(": {advice}")).unwrap_or_default())]
pub struct ListenError {
    place: String,
    advice: Option<&'static str>,
    source: io::Error,
}

/// Sockets that are open, and not served yet.
pub struct Sockets {
    pub(super) main: Vec<Listener>,
    /// Whether they are of a socket unit.
    pub(super) of_unit: bool,
    pub(super) control: Option<(SocketFile, Listener)>,
}

impl Sockets {
    /// Takes what the service manager hands over, and opens what the configuration says besides.
    ///
    /// # Errors
    /// [`ListenError`]; nothing of our own stays open.
    pub fn open(config: &server::Config, inherited: Inherited) -> Result<Self, ListenError> {
        let wanted = SocketAddr::from((config.host, config.port));
        let Inherited { of_unit, kept, refused } = inherited;
        for reason in refused {
            tracing::warn!(reason, "a file descriptor of the service manager is closed");
        }
        let mut main = Vec::new();
        for socket in of_unit {
            main.push(adopted(socket)?);
        }
        let of_unit = !main.is_empty();
        for (name, socket) in kept {
            let is_wanted = main.is_empty() && is_at(&socket, wanted);
            if is_wanted {
                tracing::info!(name, "listening on the socket of the daemon before");
                main.push(adopted(socket)?);
            } else {
                drop(socket);
                sockets::forget(&name);
            }
        }
        if main.is_empty() {
            main.push(Listener::Tcp(listen(wanted)?));
        }
        if of_unit && !main.iter().any(|listener| listener.address() == Some(wanted)) {
            let sockets = main.iter().map(Listener::to_string).collect::<Vec<_>>().join(", ");
            let text =
                "the service manager opened the sockets; server.host and server.port do not count";
            tracing::info!(sockets, configured = %wanted, "{text}");
        }
        let path = config.socket_path();
        // The service manager may have been told to open that one too.
        let path = path.filter(|path| {
            main.iter().all(|listener| listener.to_string() != path.display().to_string())
        });
        let control = path.map(control).transpose()?;
        Ok(Self { main, of_unit, control })
    }
}

impl ListenError {
    fn new(place: &impl fmt::Display, source: io::Error) -> Self {
        Self { place: place.to_string(), advice: None, source }
    }

    fn port(address: SocketAddr, source: io::Error) -> Self {
        let advice = match source.kind() {
            io::ErrorKind::AddrInUse => "another program uses this port; choose one with --port",
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a privilege; choose one with --port"
            }
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no such address; choose one with --host"
            }
            _ => return Self::new(&address, source),
        };
        Self { place: address.to_string(), advice: Some(advice), source }
    }
}

/// A socket from somebody else, as one of ours.
fn adopted(socket: Socket) -> Result<Listener, ListenError> {
    let adopt = || match socket {
        Socket::Tcp(socket) => {
            socket.set_nonblocking(true)?;
            TcpListener::from_std(socket).map(Listener::Tcp)
        }
        Socket::Unix(socket) => {
            socket.set_nonblocking(true)?;
            UnixListener::from_std(socket).map(Listener::Unix)
        }
    };
    adopt().map_err(|error| ListenError::new(&"a socket of the service manager", error))
}

/// Whether it is what `wanted` would open; port 0 means any.
fn is_at(socket: &Socket, wanted: SocketAddr) -> bool {
    let Socket::Tcp(socket) = socket else { return false };
    socket.local_addr().is_ok_and(|address| {
        address.ip() == wanted.ip() && (address.port() == wanted.port() || wanted.port() == 0)
    })
}

pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // What is left of connections of the daemon before must not keep this one from the address.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|error| ListenError::port(address, error))
}

pub(super) fn control(path: PathBuf) -> Result<(SocketFile, Listener), ListenError> {
    let opened = SocketFile::listen(&path);
    let (file, listener) = opened.map_err(|error| ListenError::new(&path.display(), error))?;
    Ok((file, Listener::Unix(listener)))
}
