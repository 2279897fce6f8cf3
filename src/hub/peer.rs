//! Who is at the other end of a connection.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Somebody on the network, this machine's own included.
    Network(SocketAddr),
    /// Somebody behind a proxy that is believed, as that says.
    Forwarded(IpAddr),
    /// A process of this machine, by a Unix socket; it has no address.
    Local,
}

impl Peer {
    /// Its address, without the port.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Peer::Network(address) => Some(address.ip()),
            Peer::Forwarded(address) => Some(address),
            Peer::Local => None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Network(address) => write!(f, "{address}"),
            Peer::Forwarded(address) => write!(f, "{address}"),
            Peer::Local => f.write_str("unix"),
        }
    }
}
