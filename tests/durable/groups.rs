//! What is said in groups outlives the daemon, and comes again to who has missed it.

use serde_json::json;

use crate::support::daemon;
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
