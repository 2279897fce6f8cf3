//! What is said in groups outlives the daemon, and comes again to who has missed it.

use std::time::Duration;

use serde_json::json;

use crate::support::{Client, daemon};
use crate::{QUIET, Resumed, create, now};

#[tokio::test]
async fn messages_to_groups_are_replayed_listed_and_kept() {
    for kill in [false, true] {
        let daemon = daemon().config(QUIET).start().await;
        let (epoch, seq) = now(&daemon).await;
        let mut seqs = Vec::new();
        for (group, data) in [("ops", json!(1)), ("dev", json!(2)), ("ops", json!({"x": [3]}))] {
            let path = format!("/api/v1/groups/{group}/messages");
            seqs.push(daemon.post(&path, data).await.json()["seq"].as_u64().expect("a number"));
        }
        create(&daemon, "t").await;
        let daemon = match kill {
            true => daemon.killed().start().await,
            false => daemon.stopped().await.start().await,
        };
        let list = daemon.get("/api/v1/groups").await.json();
        let last: Vec<_> = list["groups"].as_array().expect("a list").iter().collect();
        let last: Vec<_> = last.iter().map(|g| json!([g["name"], g["last_seq"]])).collect();
        assert_eq!(last, [json!(["dev", seqs[1]]), json!(["ops", seqs[2]])]);
        let mut client = daemon.websocket().await;
        let filter = json!({"types": ["group_message"], "groups": ["ops"]});
        let since = format!("{epoch}:{seq}");
        client
            .ask(json!({"type": "subscribe", "filter": filter, "since": since}), "subscribed")
            .await;
        let resumed = Resumed::read(&mut client).await;
        assert!(resumed.is_complete(), "{}", resumed.resumed);
        assert_eq!(resumed.seqs(), [seqs[0], seqs[2]]);
        assert_eq!(resumed.events[1]["data"]["data"], json!({"x": [3]}));
        let events = |query: &str| {
            let path = format!("/api/v1/events?since={since}{query}");
            let daemon = &daemon;
            async move {
                let answer = daemon.get(&path).await;
                let events = answer.json()["events"].as_array().cloned().unwrap_or_default();
                let seqs = events.iter().map(|event| event["seq"].as_u64().expect("a number"));
                (answer.status, seqs.collect::<Vec<_>>(), answer.header("link").to_owned())
            }
        };
        let task = seqs[2] + 1;
        assert_eq!(events("").await.1, [task]);
        assert_eq!(events("&groups=ops").await.1, [seqs[0], seqs[2], task]);
        assert_eq!(events("&groups=ops,dev&types=group_message").await.1, seqs);
        assert_eq!(events("&types=group_message").await.0, 400);
        assert_eq!(events("&groups=a%20b").await.0, 400);
        let (_, first, link) = events("&groups=ops&limit=1").await;
        assert_eq!(first, [seqs[0]]);
        assert!(link.contains("groups=ops") && link.contains("group_message"), "{link}");
        let (_, _, link) = events("&limit=1").await;
        assert!(!link.contains("group"), "{link}");
    }
}

const KILLS: usize = 12;
/// Nothing depends on it: a kill may fall on anything.
const LIFE_MS: u64 = 250;

/// Says numbers until the connection ends, each when the one before is acknowledged; returns the next
/// number, and those that were acknowledged, each with the number of its message.
async fn talk(mut client: Client, mut number: u64) -> (u64, Vec<(u64, u64)>) {
    let mut acknowledged = Vec::new();
    loop {
        let message = json!({"type": "publish", "group": "ops", "data": number});
        if !client.try_send(message).await {
            return (number + 1, acknowledged);
        }
        number += 1;
        // Told to be there by `published`, and by nothing else.
        let published = loop {
            let Some(message) = client.next().await else { return (number, acknowledged) };
            if message["type"] == "published" {
                break message["data"].clone();
            }
        };
        assert_eq!(published["durable"], true, "{published}");
        acknowledged.push((number - 1, published["seq"].as_u64().expect("a number")));
    }
}

/// Reads what is said until the connection ends: what was missed, then what comes.
async fn listen(mut client: Client, since: String) -> Vec<(u64, u64)> {
    let filter = json!({"types": ["group_message"], "groups": ["ops"]});
    let subscribe = json!({"type": "subscribe", "filter": filter, "since": since});
    let mut heard = Vec::new();
    if !client.try_send(subscribe).await {
        return heard;
    }
    while let Some(message) = client.next().await {
        match message["type"].as_str() {
            Some("group_message") => {
                let number = message["data"]["data"].as_u64().expect("a number");
                heard.push((number, message["seq"].as_u64().expect("a number")));
            }
            Some("resumed") => assert_eq!(message["data"]["complete"], true, "{message}"),
            Some("gap" | "error") => panic!("{message}"),
            _ => {}
        }
    }
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_or_heard_outlives_a_kill() {
    // So that they may say as much as they can.
    let config = format!(
        "{QUIET}[websocket]\nmax_message_rate = 100000\n[hub]\nclient_buffer = 16\nlog_messages = 64\n"
    );
    let mut daemon = daemon().config(&config).start().await;
    let (epoch, mut last) = now(&daemon).await;
    let (mut number, mut acknowledged, mut heard) = (0, Vec::new(), Vec::new());
    for life in 0..=KILLS {
        let listener = daemon.websocket().await;
        let listening = tokio::spawn(listen(listener, format!("{epoch}:{last}")));
        let talker = daemon.websocket().await;
        let talking = tokio::spawn(talk(talker, number));
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..LIFE_MS))).await;
        daemon = if life == KILLS {
            daemon.stopped().await.start().await
        } else {
            daemon.killed().start().await
        };
        let (next, more) = talking.await.expect("a talker that saw nothing wrong");
        number = next;
        acknowledged.extend(more);
        let more = listening.await.expect("a listener that saw nothing wrong");
        last = more.last().map_or(last, |(_, seq)| *seq);
        heard.extend(more);
    }
    assert!(acknowledged.len() > KILLS, "{acknowledged:?}");
    let path = format!("/api/v1/events?since={epoch}:{last}&groups=ops&limit=1000");
    let rest = daemon.get(&path).await.json();
    assert_eq!(rest["complete"], true, "{rest}");
    for event in rest["events"].as_array().expect("a list") {
        let number = event["data"]["data"].as_u64().expect("a number");
        heard.push((number, event["seq"].as_u64().expect("a number")));
    }
    // Each once, in the order in which they were said.
    assert!(heard.is_sorted_by(|one, next| one.0 < next.0 && one.1 < next.1), "{heard:?}");
    for said in &acknowledged {
        assert!(heard.binary_search(said).is_ok(), "{said:?} is missing");
    }
}
