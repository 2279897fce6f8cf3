//! `GET /api/v1/events`: the same events, page by page.

use serde_json::{Value, json};

use crate::support::daemon;
use crate::{QUIET, create, fire, now};

fn seqs(page: &Value) -> Vec<u64> {
    let events = page["events"].as_array().expect("a list");
    events.iter().map(|event| event["seq"].as_u64().expect("a number")).collect()
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end_and_on() {
    let config = format!("{QUIET}[hub]\nclient_buffer = 2\nlog_messages = 4\n");
    let mut daemon = daemon().config(&config).start().await;
    let (epoch, seq) = now(&daemon).await;
    for number in 0..10 {
        create(&daemon, &format!("t{number}")).await;
        fire(&daemon, &format!("r{number}")).await;
    }
    for again in [false, true] {
        if again {
            daemon = daemon.stopped().await.start().await;
        }
        let mut path = format!("/api/v1/events?since={epoch}:{seq}&limit=7");
        let mut all = Vec::new();
        loop {
            let answer = daemon.get(&path).await;
            let page = answer.json();
            assert_eq!((answer.status, &page["complete"]), (200, &json!(true)), "{page}");
            all.extend(seqs(&page));
            let next = page["next"].as_str().expect("a place").to_owned();
            if page["more"] == false {
                assert_eq!((answer.header("link"), next), ("", format!("{epoch}:{}", seq + 20)));
                break;
            }
            assert_eq!(seqs(&page).len(), 7);
            let link = answer.header("link");
            path = link.trim_start_matches('<').split('>').next().unwrap_or_default().to_owned();
            assert!(path.contains(&next) && link.ends_with("rel=\"next\""), "{link}");
        }
        assert_eq!(all, Vec::from_iter(seq + 1..=seq + 20));
    }
    let alerts = daemon.get("/api/v1/events?types=alert").await.json();
    assert_eq!(seqs(&alerts), Vec::from_iter((1..=10).map(|n| seq + 2 * n)));
    assert!(alerts["events"][0]["data"]["rule_id"] == "r0", "{alerts}");
}

#[tokio::test]
async fn what_is_asked_wrongly_is_said() {
    let daemon = daemon().config(QUIET).start().await;
    for query in [
        "since=7",
        "limit=0",
        "limit=1001",
        "limit=x",
        "types=system_status",
        "types=",
        "x=1",
        "limit=1&limit=2",
    ] {
        let answer = daemon.get(&format!("/api/v1/events?{query}")).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (400, &json!("invalid_query")),
            "{query}"
        );
    }
    fire(&daemon, "r").await;
    let other = daemon.get("/api/v1/events?since=another:7").await.json();
    assert_eq!((&other["complete"], &other["gaps"][0]["reason"]), (&json!(false), &json!("epoch")));
    assert!(seqs(&other).is_empty());
}
