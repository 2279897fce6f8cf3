//! `[server]` and `[websocket]`: where HTTP listens, and the bounds on its clients.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::auth::AuthConfig;
use super::gate::{ListedHost, ListedOrigin, ListedProxy, ProxyHeader};
use super::tls::TlsConfig;
use crate::hub::{Compression, SlowClient};
use crate::units::{ByteSize, HumanDuration};

/// Where HTTP listens, and its limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address to listen on. One that other machines can reach takes TLS and a token, or
    /// `insecure = true`.
    pub host: IpAddr,
    /// TCP port to listen on; 0 takes a free one.
    pub port: u16,
    /// Unix socket for the commands on this machine, which only the daemon's user and group may use:
    /// a path, or "" for none. "auto" is gz-monitor.sock in the folder that systemd made for it
    /// ($RUNTIME_DIRECTORY), and none where there is no such folder.
    pub socket: String,
    /// Allow an address that other machines can reach without TLS, where everybody on the way can read
    /// along, or without a token, where everybody who can connect may read and write everything.
    pub insecure: bool,
    /// Names and addresses by which clients call this daemon, besides localhost and the address that
    /// they connect to: "monitor.example.org" for every port, or "192.0.2.7:9090". A request for any
    /// other is refused, since a page of another site could have its own name lead here.
    #[schemars(with = "Vec<String>")]
    pub hosts: Vec<ListedHost>,
    /// Pages elsewhere that may read and change everything from their users' browsers, by origin:
    /// `https://dash.example.org`.
    #[schemars(with = "Vec<String>")]
    pub origins: Vec<ListedOrigin>,
    /// Proxies that are believed when they say for whom they ask: addresses and networks, such as
    /// "127.0.0.1" or "10.0.0.0/8", and "unix" for whoever comes by the Unix socket. Whoever can
    /// connect from one of them can say to be anybody.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<ListedProxy>,
    /// The header by which they say it: X-Forwarded-For, beside X-Forwarded-Proto, or Forwarded (RFC
    /// 7239). The other one is not read, since it may be the client's own.
    pub proxy_header: ProxyHeader,
    /// The certificate with which TCP connections speak TLS. Without one they do not.
    pub tls: TlsConfig,
    /// Who has to say who they are, and how often somebody may be wrong.
    pub auth: AuthConfig,
    /// Connections at once; one more is answered 503.
    pub max_connections: usize,
    /// Connections at once from one address (of IPv6, one /64); one more is answered 429. Those of
    /// trusted proxies are not counted, but for WebSockets, which count as their clients'.
    pub max_connections_per_address: usize,
    /// Connections at once that have not sent a whole request yet; one more is answered 503.
    pub max_handshakes: usize,
    /// Requests a second from one address (of IPv6, one /64), beyond a burst of twice as many; more
    /// are answered 429. 0 is no bound.
    pub max_request_rate: u32,
    /// Largest request body; a larger one is answered 413.
    pub max_body_size: ByteSize,
    /// A connection whose request head has not arrived by then is closed; a TLS handshake has as long.
    pub header_timeout: HumanDuration,
    /// A request that is not answered by then is answered 503.
    pub request_timeout: HumanDuration,
    /// At a stop, how long what is in flight may take.
    pub shutdown_timeout: HumanDuration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8080,
            socket: SOCKET_AUTO.to_owned(),
            insecure: false,
            hosts: Vec::new(),
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            proxy_header: ProxyHeader::default(),
            tls: TlsConfig::default(),
            auth: AuthConfig::default(),
            max_connections: 10_000,
            max_connections_per_address: 1_000,
            max_handshakes: 5_000,
            max_request_rate: 1_000,
            max_body_size: ByteSize(256 << 10),
            header_timeout: HumanDuration::secs(10),
            request_timeout: HumanDuration::secs(30),
            shutdown_timeout: HumanDuration::secs(5),
        }
    }
}

/// The Unix socket is where systemd wants it.
const SOCKET_AUTO: &str = "auto";

/// Its name in that folder.
const SOCKET_NAME: &str = "gz-monitor.sock";

/// Bytes of a path: sun_path of unix(7) has 108, and a socket gets its name after its path.
const SOCKET_PATH_MAX: usize = 100;

impl Config {
    /// The path of the Unix socket, if there is to be one.
    pub fn socket_path(&self) -> Option<PathBuf> {
        match self.socket.as_str() {
            "" => None,
            SOCKET_AUTO => Some(runtime_folder()?.join(SOCKET_NAME)),
            path => Some(path.into()),
        }
    }

    /// What makes it dangerous to listen on `address`, if other machines can reach that; `has_tokens`
    /// says whether there is a token in force.
    pub fn exposure(&self, address: IpAddr, has_tokens: bool) -> Option<&'static str> {
        if address.to_canonical().is_loopback() {
            return None;
        }
        match (self.tls.is_on(), has_tokens) {
            (true, true) => None,
            (false, true) => Some("without TLS, so that everybody on the way can read tokens"),
            (true, false) => Some("and there is no token, so that nobody has to log in"),
            (false, false) => Some("without TLS, and nobody has to log in"),
        }
    }

    /// What is wrong with `socket`, if anything is.
    pub fn socket_mistake(&self) -> Option<String> {
        let socket = &self.socket;
        if socket.is_empty() || socket == SOCKET_AUTO {
            None
        } else if !socket.starts_with('/') {
            Some(format!("{socket:?} is neither a path that begins with / nor \"auto\" nor \"\""))
        } else if socket.len() > SOCKET_PATH_MAX || socket.contains('\0') {
            Some(format!("the path may have {SOCKET_PATH_MAX} bytes, none of them 0"))
        } else {
            None
        }
    }
}

/// The folder that systemd made for this service; there may be more, of which the first is it
/// (systemd.exec(5), RuntimeDirectory=).
fn runtime_folder() -> Option<PathBuf> {
    let folders = std::env::var("RUNTIME_DIRECTORY").ok()?;
    let first = folders.split(':').next().filter(|folder| folder.starts_with('/'))?;
    Some(first.into())
}

/// Where commands look for the socket of a daemon that systemd started.
pub fn usual_sockets() -> Vec<PathBuf> {
    let folders = runtime_folder().into_iter().chain(["/run/gz-monitor".into()]);
    folders.map(|folder| folder.join(SOCKET_NAME)).collect()
}

/// The bounds on one WebSocket client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebSocketConfig {
    /// Largest message from a client, inflated; a larger one closes its connection with 1009.
    pub max_message_size: ByteSize,
    /// Compress messages for clients that offer permessage-deflate. A reload counts for those that
    /// connect from then on.
    pub deflate: bool,
    /// How hard: from 1, which is fast, to 9, which is thorough.
    pub deflate_level: u32,
    /// Messages of fewer bytes are sent as they are.
    pub deflate_min_size: ByteSize,
    /// A client that has sent nothing for this long is sent a ping.
    pub ping_interval: HumanDuration,
    /// A client that has sent nothing for this long after a ping is dropped.
    pub pong_timeout: HumanDuration,
    /// A write that makes no progress for this long drops the client.
    pub write_timeout: HumanDuration,
    /// Groups that the filter of one client may name.
    pub max_groups: usize,
    /// Let clients publish to groups.
    pub publish: bool,
    /// Messages of clients to groups that are not stored yet, of all clients; one more is answered
    /// `busy`.
    pub max_publishing: usize,
    /// Messages a second from one client, beyond a burst of twice as many; more close it with 1008.
    pub max_message_rate: u32,
    /// Threads that serve the clients; 0 is one less than there are processors, and at least one.
    pub shards: usize,
    /// What becomes of a client that does not take what it is sent and is further behind than
    /// hub.client_buffer or hub.client_bytes: "conflate" sends it every event and the newest states,
    /// "drop" the newest states and a gap for the events beyond the bounds, "disconnect" closes it
    /// with 1013.
    pub slow_client: SlowClient,
    /// Invalid messages that a client may send in a minute; one more closes it with 1008.
    pub max_errors_per_minute: u32,
}

impl WebSocketConfig {
    /// What the hub is to know of it.
    pub(super) fn compression(&self) -> Compression {
        let least = usize::try_from(*self.deflate_min_size).unwrap_or(usize::MAX);
        Compression { level: self.deflate_level, least }
    }
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        let compression = Compression::default();
        Self {
            max_message_size: ByteSize(64 << 10),
            deflate: true,
            deflate_level: compression.level,
            deflate_min_size: ByteSize(compression.least as u64),
            ping_interval: HumanDuration::secs(30),
            pong_timeout: HumanDuration::secs(10),
            write_timeout: HumanDuration::secs(30),
            max_groups: 100,
            publish: true,
            max_publishing: 1_000,
            max_message_rate: 50,
            max_errors_per_minute: 20,
            shards: 0,
            slow_client: SlowClient::default(),
        }
    }
}

impl WebSocketConfig {
    /// How many threads serve the clients.
    pub(super) fn shards(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if self.shards > 0 { self.shards } else { (cores - 1).max(1) }
    }
}
