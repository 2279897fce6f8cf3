//! `server.trusted_proxies`: who is believed when they say for whom they ask.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hub::Peer;

/// What stands for whoever comes by the Unix socket.
const UNIX: &str = "unix";
/// Bits of an IPv6 address before the IPv4 address that it may hold (RFC 4291 section 2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// A proxy that is believed: `ADDRESS`, all of `ADDRESS/BITS`, or `unix`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ListedProxy(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Network(IpNet),
    Unix,
}

/// By which header a proxy says for whom it asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// With `X-Forwarded-Proto`: nginx, Apache, Caddy, HAProxy and others.
    #[default]
    XForwardedFor,
    /// That of RFC 7239.
    Forwarded,
}

impl ListedProxy {
    /// Whether it is who has connected.
    pub(super) fn is(&self, peer: Peer) -> bool {
        match peer.ip() {
            Some(address) => self.covers(address),
            None => self.0 == Place::Unix,
        }
    }

    /// Whether `address` is one of it.
    pub(super) fn covers(&self, address: IpAddr) -> bool {
        match &self.0 {
            Place::Network(network) => network.contains(&address.to_canonical()),
            Place::Unix => false,
        }
    }
}

impl TryFrom<String> for ListedProxy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == UNIX {
            return Ok(Self(Place::Unix));
        }
        let address = text.parse::<IpAddr>().ok().map(IpNet::from);
        let network = address.or_else(|| text.parse().ok()).map(canonical).ok_or_else(|| {
            format!("{text:?} is no address and no network: write one such as \"127.0.0.1\", \"10.0.0.0/8\" or \"::1\", or \"unix\" for the Unix socket")
        })?;
        if network.prefix_len() == 0 || network.addr().is_unspecified() {
            return Err(format!(
                "{text:?} means every address, and anybody could say to be anybody: write that of the proxy"
            ));
        }
        if network.trunc() != network {
            let network = network.trunc();
            return Err(format!("{text:?} has bits beyond its length: write \"{network}\""));
        }
        Ok(Self(Place::Network(network)))
    }
}

/// A network of IPv4 that is written as one of IPv6 is the one of IPv4.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(MAPPED_BITS));
    let v4 = mapped.and_then(|(address, bits)| Ipv4Net::new(address, bits).ok());
    v4.map_or(network, IpNet::V4)
}

impl From<ListedProxy> for String {
    fn from(ListedProxy(place): ListedProxy) -> Self {
        match place {
            Place::Unix => UNIX.to_owned(),
            Place::Network(one) if one.prefix_len() == one.max_prefix_len() => {
                one.addr().to_string()
            }
            Place::Network(network) => network.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> ListedProxy {
        ListedProxy::try_from(text.to_owned()).expect(text)
    }

    #[test]
    fn addresses_and_networks() {
        let check = |text: &str, address: &str, expected: bool| {
            let address = address.parse().expect("an address");
            assert_eq!(listed(text).covers(address), expected, "{text} {address}");
        };
        check("127.0.0.1", "127.0.0.1", true);
        check("127.0.0.1", "::ffff:127.0.0.1", true);
        check("127.0.0.1", "127.0.0.2", false);
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("::1", "::1", true);
        check("fd00::/8", "fd12::1", true);
        check("fd00::/8", "fe80::1", false);
        check("fd00::/8", "10.0.0.1", false);
        check("::ffff:10.0.0.0/104", "10.1.2.3", true);
        check("unix", "127.0.0.1", false);
    }

    #[test]
    fn who_comes_by_the_unix_socket_is_listed_by_a_word() {
        let by_tcp = Peer::Network(([127, 0, 0, 1], 1).into());
        assert!(listed("unix").is(Peer::Local) && !listed("unix").is(by_tcp));
        assert!(listed("127.0.0.1").is(by_tcp) && !listed("127.0.0.1").is(Peer::Local));
    }

    #[test]
    fn what_is_written_is_what_was_meant() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let read = ListedProxy::try_from(text.to_owned()).map(String::from);
            match expected {
                Ok(expected) => assert_eq!(read.as_deref(), Ok(expected)),
                Err(helps) => {
                    let error = read.expect_err(text);
                    assert!(error.contains(text) && error.contains(helps), "{error}");
                }
            }
        };
        check("127.0.0.1", Ok("127.0.0.1"));
        check("127.0.0.1/32", Ok("127.0.0.1"));
        check("10.0.0.0/8", Ok("10.0.0.0/8"));
        check("0:0:0:0:0:0:0:1", Ok("::1"));
        check("::ffff:10.0.0.0/104", Ok("10.0.0.0/8"));
        check("10.1.2.3/8", Err("write \"10.0.0.0/8\""));
        for text in ["0.0.0.0/0", "::/0", "0.0.0.0", "::", "::ffff:0.0.0.0/96"] {
            check(text, Err("every address"));
        }
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.1:80", "*", "Unix"] {
            check(text, Err("no address and no network"));
        }
    }
}
