//! What is left of clients that have gone: nothing, in whatever way they went.

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::support::{Daemon, Raw, until};
use crate::{create_task, crowd, own_number, quiet, until_clients};

const CLIENTS: usize = 300;

/// What clients could leave behind.
#[derive(Debug, PartialEq)]
struct Held {
    files: u64,
    threads: u64,
    connections: f64,
    clients: f64,
}

impl Held {
    async fn by(daemon: &Daemon) -> Self {
        Self {
            files: daemon.open_files(),
            threads: daemon.threads(),
            connections: own_number(daemon, "gz_http_connections").await,
            clients: own_number(daemon, "gz_ws_clients").await,
        }
    }
}

/// Leaves, in a way that `index` chooses.
async fn leave(mut member: Raw, index: usize) {
    match index % 6 {
        // The closing handshake.
        0 => {
            member.frame(0x88, &1000u16.to_be_bytes()).await;
            while member.next().await.is_some() {}
        }
        // A reset.
        1 => member.0.set_zero_linger().expect("a socket"),
        // The end of its half.
        2 => {
            let _ = member.0.shutdown().await;
            while member.next().await.is_some() {}
        }
        // In the middle of a message.
        3 => member.send(b"\x81\xfe\x10\x00abcd").await,
        // Nonsense.
        4 => {
            member.send(b"\xff\xff\xff\xff\xff\xff").await;
            while member.next().await.is_some() {}
        }
        // Without a word, with messages unread.
        _ => {}
    }
}

#[tokio::test]
async fn clients_that_have_gone_leave_nothing_behind() {
    let daemon = quiet("", "").await;
    // What comes with the first client stays.
    drop(crowd::gather(&daemon, 2).await);
    until_clients(&daemon, 0).await;
    let before = Held::by(&daemon).await;
    for round in 0..4 {
        let mut crowd = crowd::gather(&daemon, CLIENTS).await;
        for (index, member) in crowd.iter_mut().enumerate() {
            let filter = json!({"task_ids": [format!("task-{}", index % 50)]});
            crowd::say(member, &json!({"type": "subscribe", "filter": filter})).await;
        }
        create_task(&daemon, &format!("task-{round}")).await;
        until_clients(&daemon, CLIENTS).await;
        for (index, member) in crowd.into_iter().enumerate() {
            leave(member, index).await;
        }
        until_clients(&daemon, 0).await;
        // Threads that had work for a moment wait some seconds for more.
        until(&format!("no more is held than {before:?}"), async || {
            let now = Held::by(&daemon).await;
            (now.files <= before.files
                && now.threads <= before.threads
                && now.connections <= before.connections.max(1.0)
                && now.clients == 0.0)
                .then_some(())
        })
        .await;
    }
    until("each end is counted", async || {
        let ended = daemon.get("/api/v1/samples?name=gz_ws_connections_closed_total").await.json();
        let ended = ended["samples"].as_array()?.iter();
        let ended: f64 = ended.filter_map(|sample| sample["value"].as_f64()).sum();
        (ended == own_number(&daemon, "gz_ws_connections_total").await).then_some(())
    })
    .await;
}
