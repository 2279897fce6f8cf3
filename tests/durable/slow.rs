//! A client so slow that what it is owed leaves the log: it is given it from the database.

use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio_tungstenite::{MaybeTlsStream, client_async};

use crate::create;
use crate::support::{Client, daemon};

const UPDATE_BYTES: usize = 100 << 10;
/// More than the kernel keeps for a sender.
const UPDATES: u64 = 140;

#[tokio::test]
async fn every_event_and_the_newest_states_in_the_order_of_their_numbers() {
    let config = "[status]\ninterval = \"100ms\"\n[collectors]\ninterval = \"1h\"\n\
        [tasks]\nmax_details_size = \"128KiB\"\n[hub]\nclient_buffer = 4\nlog_messages = 8\n";
    let daemon = daemon().config(config).start().await;
    create(&daemon, "t").await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let stream = socket.connect(daemon.address).await.expect("a connection");
    let url = format!("ws://{}/ws", daemon.address);
    let (socket, _) = client_async(url, MaybeTlsStream::Plain(stream)).await.expect("an upgrade");
    let mut slow = Client(socket);
    slow.next_of("initial_state").await;
    for number in 0..UPDATES {
        let details = json!({"number": number, "padding": "x".repeat(UPDATE_BYTES)});
        let answer = daemon.patch("/api/v1/tasks/t", json!({"details": details})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let (mut updates, mut last) = (Vec::new(), 0);
    while updates.last() != Some(&(UPDATES - 1)) {
        let message: Value = slow.next().await.expect("a message");
        let seq = message["seq"].as_u64().unwrap_or_else(|| panic!("no number: {message}"));
        assert!(seq > last, "{seq} after {last}");
        last = seq;
        updates.extend(message["data"]["details"]["number"].as_u64());
    }
    assert!(updates.iter().copied().eq(0..UPDATES), "{updates:?}");
    slow.next_of("system_status").await;
    slow.next_of("metrics_update").await;
}
