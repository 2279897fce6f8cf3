//! A client that comes back, on the same daemon and on the next one.

use serde_json::{Value, json};

use crate::support::daemon;
use crate::{QUIET, Resumed, create, fire, now, place, progress};

#[tokio::test]
async fn it_gets_what_it_has_missed_then_the_state_and_then_what_comes() {
    for kill in [false, true] {
        let mut daemon = daemon().config(QUIET).start().await;
        let mut client = daemon.websocket().await;
        let (epoch, _) = place(&client.next_of("initial_state").await);
        create(&daemon, "t").await;
        let last = client.next_of("task_update").await["seq"].as_u64().expect("a number");
        drop(client);
        for percent in 1..=5 {
            progress(&daemon, "t", percent).await;
        }
        fire(&daemon, "r").await;
        if kill {
            daemon = daemon.killed().start().await;
        }
        let mut client = daemon.resumed(&format!("{epoch}:{last}")).await;
        let resumed = Resumed::read(&mut client).await;
        assert!(resumed.is_complete(), "{}", resumed.resumed);
        assert_eq!(resumed.seqs(), Vec::from_iter(last + 1..=last + 6));
        let kinds = resumed.events.iter().map(|event| event["data"]["progress"].as_u64());
        assert_eq!(
            Vec::from_iter(kinds),
            [1, 2, 3, 4, 5].map(Some).into_iter().chain([None]).collect::<Vec<_>>()
        );
        let (same, to) = place(&resumed.initial);
        assert_eq!((&same, &json!(to)), (&epoch, &resumed.resumed["to"]));
        assert_eq!(resumed.resumed["from"], last);
        progress(&daemon, "t", 6).await;
        let next = client.next().await.expect("a message");
        assert_eq!((&next["seq"], &next["data"]["progress"]), (&json!(to + 1), &json!(6)));
    }
}

#[tokio::test]
async fn a_subscription_that_resumes_repeats_nothing_of_this_connection() {
    let daemon = daemon().config(QUIET).start().await;
    let (epoch, seq) = now(&daemon).await;
    for id in ["a", "b"] {
        create(&daemon, id).await;
    }
    let mut client = daemon.websocket().await;
    client.next_of("initial_state").await;
    // The default filter brings these at once.
    fire(&daemon, "r").await;
    create(&daemon, "c").await;
    let live = client.next_of("task_update").await;
    let filter = json!({"types": ["alert", "task_update"], "task_ids": ["b", "c"]});
    let subscribe =
        json!({"type": "subscribe", "filter": filter, "since": format!("{epoch}:{seq}")});
    client.ask(subscribe.clone(), "subscribed").await;
    let resumed = Resumed::read(&mut client).await;
    assert!(resumed.is_complete());
    assert_eq!(resumed.seqs(), [seq + 2], "{live}");
    // What was sent again is not sent a third time, and what was left out is sent now.
    let wider = json!({"type": "subscribe", "since": format!("{epoch}:{seq}")});
    client.ask(wider, "subscribed").await;
    assert_eq!(Resumed::read(&mut client).await.seqs(), [seq + 1]);
    client.ask(subscribe, "subscribed").await;
    assert!(Resumed::read(&mut client).await.seqs().is_empty());
    progress(&daemon, "b", 3).await;
    assert_eq!(client.next().await.expect("a message")["seq"], seq + 5);
}

#[tokio::test]
async fn a_client_that_changes_its_filter_without_end_cannot_resume_on_the_same_connection() {
    let daemon = daemon().config(QUIET).start().await;
    let (epoch, seq) = now(&daemon).await;
    let mut client = daemon.websocket().await;
    for _ in 0..40 {
        client.ask(json!({"type": "subscribe"}), "subscribed").await;
    }
    let since = json!({"type": "subscribe", "since": format!("{epoch}:{seq}")});
    assert_eq!(client.ask(since, "error").await["data"]["code"], "invalid_since");
}

#[tokio::test]
async fn a_place_that_cannot_be_is_an_error_and_the_connection_stays() {
    let daemon = daemon().config(QUIET).start().await;
    for since in ["", "45", "x:y", "a:-1", "%22", "a:1:2"] {
        let mut client = daemon.resumed(since).await;
        let error = client.next().await.expect("an answer");
        assert_eq!(
            (&error["type"], &error["data"]["code"]),
            (&json!("error"), &json!("invalid_since"))
        );
        assert_eq!(client.next().await.expect("a message")["type"], "initial_state");
    }
    let mut client = daemon.websocket().await;
    client.next_of("initial_state").await;
    for since in [json!("45"), json!(45), json!(["a:1"]), json!("a:b")] {
        let error = client.ask(json!({"type": "subscribe", "since": since}), "error").await;
        assert_eq!(error["data"]["code"], "invalid_since", "{error}");
        let text = error["data"]["message"].as_str().expect("text");
        assert!(text.contains("EPOCH:SEQ"), "{text}");
    }
    // A place that nobody has reached is not of this line.
    let (epoch, _) = now(&daemon).await;
    let mut client = daemon.resumed(&format!("{epoch}:99999999")).await;
    let resumed = Resumed::read(&mut client).await;
    assert_eq!(resumed.resumed["complete"], false);
}

#[tokio::test]
async fn what_is_no_longer_kept_is_told_and_the_rest_is_sent() {
    let config = format!(
        "{QUIET}[history]\nevents_size = \"64KiB\"\n[hub]\nclient_buffer = 2\nlog_messages = 5\n"
    );
    let daemon = daemon().config(&config).start().await;
    let (epoch, seq) = now(&daemon).await;
    create(&daemon, "t").await;
    let details = "x".repeat(10_000);
    for _ in 0..20 {
        let answer = daemon.patch("/api/v1/tasks/t", json!({"details": details})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let mut client = daemon.resumed(&format!("{epoch}:{seq}")).await;
    let resumed = Resumed::read(&mut client).await;
    let seqs = resumed.seqs();
    let (first, last) = (seqs[0], seqs[seqs.len() - 1]);
    assert!(!resumed.is_complete() && seqs.len() >= 5 && last == seq + 21, "{seqs:?}");
    let gap = json!({"from": seq + 1, "to": first - 1, "reason": "retention"});
    assert_eq!(resumed.gaps, [gap]);
    assert_eq!(seqs, Vec::from_iter(first..=last), "no hole in what is left");
    // Who has had all that is gone has lost nothing.
    let mut client = daemon.resumed(&format!("{epoch}:{}", first - 1)).await;
    let resumed: Resumed = Resumed::read(&mut client).await;
    assert!(resumed.is_complete());
    assert_eq!(resumed.seqs(), seqs);
    let data: &Value = &resumed.events[0]["data"];
    assert_eq!(data["details"], details);
}
