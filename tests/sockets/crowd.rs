//! Clients by the thousand: little more than their sockets, from as many addresses as it takes.

use std::net::{Ipv4Addr, SocketAddr};

use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{Daemon, Raw};

/// Clients of one address; a daemon's default allows four times as many.
const PER_ADDRESS: usize = 250;
/// Handshakes under way at once.
const HANDSHAKES: usize = 64;

/// A text in one frame.
pub const TEXT: u8 = 0x81;

/// Connects `count` clients, each of which has had its initial state.
pub async fn gather(daemon: &Daemon, count: usize) -> Vec<Raw> {
    let address = daemon.address;
    let members = stream::iter(0..count).map(|index| join(address, index));
    members.buffer_unordered(HANDSHAKES).collect().await
}

async fn join(address: SocketAddr, index: usize) -> Raw {
    let mut member = upgrade(connect(address, index).await, address).await;
    let initial = member.next_of(TEXT).await;
    assert!(initial.starts_with(br#"{"type":"initial_state""#), "client {index}");
    member
}

/// Connects from an address of 127.0.0.0/8 that `index` chooses.
pub async fn connect(address: SocketAddr, index: usize) -> TcpStream {
    let number = index / PER_ADDRESS;
    let from = Ipv4Addr::new(127, 3, (number / 250) as u8, (number % 250 + 1) as u8);
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("an address of loopback");
    socket.connect(address).await.expect("a connection")
}

/// Upgrades a connection.
pub async fn upgrade(stream: TcpStream, address: SocketAddr) -> Raw {
    let mut member = Raw(stream);
    member.send(handshake(address).as_bytes()).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = member.0.read_u8().await;
        head.push(byte.unwrap_or_else(|error| panic!("no answer to a handshake: {error}")));
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    member
}

/// A request for an upgrade.
pub fn handshake(address: SocketAddr) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// Sends a message.
pub async fn say(member: &mut Raw, message: &Value) {
    member.frame(TEXT, message.to_string().as_bytes()).await;
}

/// The next message of JSON.
pub async fn message(member: &mut Raw) -> Value {
    serde_json::from_slice(&member.next_of(TEXT).await).expect("a message is JSON")
}
