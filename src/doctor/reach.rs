//! Whether packets get through to this process: tried from this machine's own addresses, so that nothing
//! leaves it. An address filter of the service (IPAddressDeny=) counts for these too.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use super::Reach;

/// A packet that is filtered is not answered at all.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Addresses for documentation (RFC 5737, RFC 3849): nothing is sent there.
const SOMEWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// The address by which this machine would reach others, if it has one.
fn own_address(is_v4: bool) -> Option<IpAddr> {
    let somewhere = SOMEWHERE.into_iter().find(|address| address.is_ipv4() == is_v4)?;
    let any: SocketAddr = match is_v4 {
        true => (Ipv4Addr::UNSPECIFIED, 0).into(),
        false => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).ok()?;
    // Which only looks the route up.
    socket.connect((somewhere, 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

/// Connects to a listener as another machine would, by an address of this machine that is not its
/// loopback.
pub(super) fn reach(listener: SocketAddr) -> Reach {
    let mut address = listener;
    if address.ip().is_unspecified() {
        let own = own_address(true).filter(|_| address.is_ipv4()).or_else(|| own_address(false));
        let Some(own) = own else { return Reach::Unknown };
        address.set_ip(own);
    }
    match TcpStream::connect_timeout(&address, TIMEOUT) {
        Ok(_) => Reach::Yes,
        Err(error) => Reach::No(address, error.to_string()),
    }
}

/// Whether a packet from one of this machine's own addresses to itself is let through; `None` if there
/// is no such address.
pub(super) fn passes_packets() -> Option<bool> {
    let own = own_address(true).or_else(|| own_address(false))?;
    let socket = UdpSocket::bind((own, 0)).ok()?;
    let sent = socket.send_to(b"gz-monitor doctor", socket.local_addr().ok()?);
    match sent {
        Ok(_) => Some(true),
        Err(error) => (error.kind() == io::ErrorKind::PermissionDenied).then_some(false),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_and_none() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        assert_eq!(reach(address), Reach::Yes);
        drop(listener);
        assert!(matches!(reach(address), Reach::No(tried, _) if tried == address));
    }
}
