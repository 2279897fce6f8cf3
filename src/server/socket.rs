//! The kinds of socket that HTTP is served on, as one: TCP, with TLS or without, and Unix.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use http::uri::Scheme;
use poem::Addr;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use crate::hub::Peer;

/// A socket that connections come to.
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection as it was accepted.
pub(super) type Accepted = Either<TcpStream, UnixStream>;

/// A connection on which HTTP is spoken.
pub(super) type Stream = Either<Either<TcpStream, Tls>, UnixStream>;
/// Behind a pointer: it is large, and most connections are none.
type Tls = Box<TlsStream<TcpStream>>;

impl Listener {
    /// The address, of TCP.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            Listener::Unix(_) => None,
        }
    }

    /// Waits for a connection.
    pub(super) async fn accept(&self) -> io::Result<(Accepted, Peer)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // A message that waits for more to come is late; the hub gathers what belongs together.
                let _ = stream.set_nodelay(true);
                Ok((Either::Left(stream), Peer::Network(peer)))
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Either::Right(stream), Peer::Local))
            }
        }
    }
}

impl fmt::Display for Listener {
    /// The address, or the path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listener::Tcp(listener) => match listener.local_addr() {
                Ok(address) => write!(f, "{address}"),
                Err(_) => f.write_str("an unknown address"),
            },
            Listener::Unix(listener) => {
                let address = listener.local_addr().ok();
                match address.as_ref().and_then(|address| address.as_pathname()) {
                    Some(path) => write!(f, "{}", path.display()),
                    None => f.write_str("an unnamed socket"),
                }
            }
        }
    }
}

/// Both ends as poem's handlers see them.
pub(super) fn addresses(stream: &Stream, peer: Peer) -> io::Result<(LocalAddr, RemoteAddr)> {
    let unix = || Addr::custom("unix", "");
    let local = match stream {
        Either::Left(Either::Left(stream)) => Addr::SocketAddr(stream.local_addr()?),
        Either::Left(Either::Right(stream)) => Addr::SocketAddr(stream.get_ref().0.local_addr()?),
        Either::Right(_) => unix(),
    };
    let remote = match peer {
        Peer::Network(address) => Addr::SocketAddr(address),
        Peer::Local | Peer::Forwarded(_) => unix(),
    };
    Ok((LocalAddr(local), RemoteAddr(remote)))
}

/// What addresses on it begin with.
pub(super) fn scheme(stream: &Stream) -> Scheme {
    match stream {
        Either::Left(Either::Right(_)) => Scheme::HTTPS,
        _ => Scheme::HTTP,
    }
}

/// Who is at the other end of the connection that a request came by.
pub(super) fn peer_of(remote: &RemoteAddr) -> Peer {
    match &remote.0 {
        Addr::SocketAddr(address) => Peer::Network(*address),
        _ => Peer::Local,
    }
}
