//! `[server]` and `[websocket]`: where HTTP listens, and the bounds on its clients.

use std::net::{IpAddr, Ipv4Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, HumanDuration};

/// Where HTTP listens, and its limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address to listen on. One that other machines can reach needs `insecure = true`.
    pub host: IpAddr,
    /// TCP port to listen on; 0 takes a free one.
    pub port: u16,
    /// Allow an address that other machines can reach, where anybody who can connect may read and
    /// write everything.
    pub insecure: bool,
    /// Connections at once; one more is answered 503.
    pub max_connections: usize,
    /// Connections at once from one address; one more is answered 429.
    pub max_connections_per_address: usize,
    /// Largest request body; a larger one is answered 413.
    pub max_body_size: ByteSize,
    /// A connection whose request head has not arrived by then is closed.
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
            insecure: false,
            max_connections: 10_000,
            max_connections_per_address: 1_000,
            max_body_size: ByteSize(256 << 10),
            header_timeout: HumanDuration::secs(10),
            request_timeout: HumanDuration::secs(30),
            shutdown_timeout: HumanDuration::secs(5),
        }
    }
}

/// The bounds on one WebSocket client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebSocketConfig {
    /// Largest message from a client; a larger one closes its connection with 1009.
    pub max_message_size: ByteSize,
    /// A client that has sent nothing for this long is sent a ping.
    pub ping_interval: HumanDuration,
    /// A client that has sent nothing for this long after a ping is dropped.
    pub pong_timeout: HumanDuration,
    /// A write that makes no progress for this long drops the client.
    pub write_timeout: HumanDuration,
    /// Messages a second from one client, beyond a burst of twice as many; more close it with 1008.
    pub max_message_rate: u32,
    /// Invalid messages that a client may send in a minute; one more closes it with 1008.
    pub max_errors_per_minute: u32,
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        Self {
            max_message_size: ByteSize(64 << 10),
            ping_interval: HumanDuration::secs(30),
            pong_timeout: HumanDuration::secs(10),
            write_timeout: HumanDuration::secs(30),
            max_message_rate: 50,
            max_errors_per_minute: 20,
        }
    }
}
