//! Connections that come and go in bulk, while others are served.

use std::net::SocketAddr;

use futures_util::{StreamExt as _, stream};
use serde_json::json;

use crate::support::{Raw, until};
use crate::{create_task, crowd, own_number, quiet, until_clients};

const CONNECTIONS: usize = 2_000;
const AT_ONCE: usize = 100;

#[tokio::test]
async fn a_storm_of_connections_keeps_nobody_from_being_served() {
    let daemon = quiet("", "").await;
    let mut client = daemon.websocket().await;
    client.next_of("initial_state").await;
    let storm = tokio::spawn(storm(daemon.address));
    let (mut served, mut last) = (0, false);
    while !last {
        // Once more when it is over.
        last = storm.is_finished();
        client.ask(json!({"type": "ping"}), "pong").await;
        create_task(&daemon, &format!("task-{served}")).await;
        assert_eq!(client.next_of("task_update").await["data"]["id"], format!("task-{served}"));
        served += 1;
    }
    let upgraded = storm.await.expect("a storm without a refusal");
    until_clients(&daemon, 1).await;
    until("each was counted", async || {
        let total = own_number(&daemon, "gz_ws_connections_total").await;
        (total == (upgraded + 1) as f64).then_some(())
    })
    .await;
    assert!(served > 1, "it was served meanwhile");
}

/// Opens and closes connections; returns how many were upgraded.
async fn storm(address: SocketAddr) -> usize {
    let connections = stream::iter(0..CONNECTIONS).map(|index| pass(address, index));
    let upgraded = connections.buffer_unordered(AT_ONCE).filter(|upgraded| {
        let upgraded = *upgraded;
        async move { upgraded }
    });
    upgraded.count().await
}

/// Connects and leaves again, each time at another moment.
async fn pass(address: SocketAddr, index: usize) -> bool {
    let mut stream = crowd::connect(address, index).await;
    match index % 4 {
        0 => return false,
        1 => {
            let half = crowd::handshake(address);
            Raw(stream).send(&half.as_bytes()[..40]).await;
            return false;
        }
        2 => {
            // As a reset, and not in order.
            stream = crowd::upgrade(stream, address).await.0;
            stream.set_zero_linger().expect("a socket");
        }
        _ => {
            let mut member = crowd::upgrade(stream, address).await;
            member.frame(0x88, &1000u16.to_be_bytes()).await;
            while member.next().await.is_some() {}
        }
    }
    true
}
