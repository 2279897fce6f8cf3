//! What becomes of notifications when their receivers, or the daemon, are in trouble.

use std::collections::BTreeSet;

use serde_json::json;

use crate::receiver::{Manner, Receiver};
use crate::support::{Daemon, daemon, until};
use crate::{AT_ONCE, fire, notifications, resolve, until_channel};

fn config(receiver: &Receiver, more: &str) -> String {
    format!(
        "{AT_ONCE}{more}[notify.channel.ops]\ntype = \"webhook\"\nurl = \"{}\"\ntimeout = \"300ms\"\n\
         max_per_minute = 0\n",
        receiver.url()
    )
}

async fn started(receiver: &Receiver) -> Daemon {
    daemon().config(&config(receiver, "")).start().await
}

#[tokio::test]
async fn a_receiver_that_fails_in_every_way_gets_it_when_it_is_back() {
    let mut receiver = Receiver::start().await;
    let daemon = started(&receiver).await;
    receiver.be(Manner::Answers(500));
    fire(&daemon, "cpu", "high").await;
    let key = receiver.until_seen(2).await[0].key();
    for (manner, said) in [
        (Manner::HangsUp, "connection closed"),
        (Manner::Hangs, "no answer within 300ms"),
        (Manner::AnswersWith(302, "location", "http://127.0.0.1:1/"), "302 Found"),
        (Manner::Answers(401), "401 Unauthorized"),
    ] {
        receiver.be(manner);
        let seen = receiver.seen().len();
        receiver.until_seen(seen + 1).await;
        let is_said = |error: &serde_json::Value| error.as_str().is_some_and(|e| e.contains(said));
        let shown = until_channel(&daemon, "ops", |channel| is_said(&channel["error"])).await;
        assert_eq!((&shown["state"], &shown["pending"]), (&json!("failing"), &json!(1)));
    }
    receiver.go().await;
    let is_refused =
        |error: &serde_json::Value| error.as_str().is_some_and(|e| e.contains("refused"));
    until_channel(&daemon, "ops", |channel| is_refused(&channel["error"])).await;
    receiver.come_back().await;
    receiver.be(Manner::Answers(204));
    let taken = receiver.until_taken(1).await;
    assert_eq!(taken[0].key(), key);
    let keys: BTreeSet<String> = receiver.seen().iter().map(|seen| seen.key()).collect();
    assert_eq!(keys, BTreeSet::from([key]), "every attempt bears the same key");
    let shown = until_channel(&daemon, "ops", |channel| channel["sent"] == 1).await;
    assert!(shown["state"] == "ok" && shown["retried"].as_u64() >= Some(6), "{shown}");
}

#[tokio::test]
async fn a_receiver_says_when_to_come_back() {
    let receiver = Receiver::start().await;
    let daemon = started(&receiver).await;
    receiver.be(Manner::AnswersWith(429, "retry-after", "86000"));
    fire(&daemon, "a", "high").await;
    fire(&daemon, "b", "high").await;
    receiver.until_seen(1).await;
    let shown = until_channel(&daemon, "ops", |channel| channel["retried"] == 1).await;
    let until: jiff::Timestamp =
        shown["rests_until"].as_str().expect("a time").parse().expect("one");
    assert!(until.duration_since(jiff::Timestamp::now()).as_hours() >= 23, "{shown}");
    assert_eq!(receiver.seen().len(), 1, "b waits too");
    // Whoever reloads has mended something.
    receiver.be(Manner::Answers(200));
    daemon.signal("HUP");
    receiver.until_taken(2).await;
}

#[tokio::test]
async fn what_will_never_be_taken_and_what_is_too_old_is_given_up_and_said_so() {
    let receiver = Receiver::start().await;
    let config = config(&receiver, "max_age = \"1s\"\n");
    let daemon = daemon().config(&config).start().await;
    receiver.be(Manner::Answers(400));
    fire(&daemon, "bad", "high").await;
    until_channel(&daemon, "ops", |channel| channel["lost"]["refused"] == 1).await;
    assert_eq!(receiver.seen().len(), 1, "it is not tried again");
    receiver.be(Manner::Answers(503));
    fire(&daemon, "old", "high").await;
    until_channel(&daemon, "ops", |channel| channel["lost"]["age"] == 1).await;
    let given_up = notifications(&daemon, "?state=failed").await;
    assert_eq!((given_up.len(), &given_up[0]["state"]), (2, &json!("failed")));
    assert!(given_up[0]["answer"].as_str().expect("a text").starts_with("503"), "{given_up:?}");
    let log = daemon.log();
    assert_eq!(log.matches("a notification was given up").count(), 2, "{log}");
}

#[tokio::test]
async fn a_restart_tells_nobody_twice_and_forgets_nothing() {
    let receiver = Receiver::start().await;
    let daemon = started(&receiver).await;
    let told = fire(&daemon, "told", "high").await;
    receiver.until_taken(1).await;
    until_channel(&daemon, "ops", |channel| channel["sent"] == 1).await;
    receiver.be(Manner::Answers(500));
    let waiting = fire(&daemon, "waiting", "high").await;
    let key = receiver.until_seen(2).await[1].key();
    let daemon = daemon.stopped().await.start().await;
    assert_eq!(notifications(&daemon, "?state=pending").await[0]["alerts"], json!([waiting]));
    receiver.be(Manner::Answers(200));
    let taken = receiver.until_taken(2).await;
    assert_eq!(taken[1].key(), key);
    resolve(&daemon, &told).await;
    resolve(&daemon, &waiting).await;
    let taken = receiver.until_taken(4).await;
    let kinds: Vec<_> = taken.iter().map(|seen| seen.body["kind"].clone()).collect();
    assert_eq!(kinds, ["firing", "firing", "resolved", "resolved"]);
}

#[tokio::test]
async fn a_reload_changes_channels_and_loses_nothing() {
    let (old, new) = (Receiver::start().await, Receiver::start().await);
    let daemon = started(&old).await;
    old.be(Manner::Answers(500));
    fire(&daemon, "cpu", "high").await;
    let key = old.until_seen(1).await[0].key();
    // Its channel is gone for a while.
    let other = config(&new, "").replace("channel.ops", "channel.web");
    daemon.reload(&other);
    daemon.until_logged("notify.channel").await;
    fire(&daemon, "disk", "high").await;
    new.until_taken(1).await;
    let waiting = notifications(&daemon, "?channel=ops&state=pending").await;
    assert_eq!(waiting[0]["id"], json!(key));
    daemon.reload(&config(&new, ""));
    let taken = new.until_taken(2).await;
    assert!(taken.iter().any(|seen| seen.key() == key), "{taken:?}");
}

#[tokio::test]
async fn what_fires_already_is_told_to_the_first_channel_there_is() {
    let receiver = Receiver::start().await;
    let daemon = daemon().config("").start().await;
    let id = fire(&daemon, "cpu", "high").await;
    let over = fire(&daemon, "over", "high").await;
    resolve(&daemon, &over).await;
    daemon.reload(&config(&receiver, ""));
    let taken = receiver.until_taken(1).await;
    assert_eq!(taken[0].body["alerts"][0]["id"], json!(id));
    assert_eq!(notifications(&daemon, "").await.len(), 1);
}

#[tokio::test]
async fn without_a_disk_people_are_told_all_the_same_and_once_it_is_back_nobody_twice() {
    let receiver = Receiver::start().await;
    let daemon = started(&receiver).await;
    let told = fire(&daemon, "told", "high").await;
    receiver.until_taken(1).await;
    until_channel(&daemon, "ops", |channel| channel["sent"] == 1).await;
    receiver.be(Manner::Answers(500));
    fire(&daemon, "waiting", "high").await;
    let waiting = receiver.until_seen(2).await[1].key();
    // What is written to a file without a name would be lost.
    let state = daemon.path().join("state/gz-monitor");
    for end in ["", "-wal", "-shm"] {
        std::fs::remove_file(state.join(format!("gz-monitor.db{end}"))).expect("it was there");
    }
    receiver.be(Manner::Answers(200));
    fire(&daemon, "homeless", "high").await;
    // The three, that the disk fails, and that it works again.
    let rules = |seen: Vec<crate::receiver::Seen>| -> BTreeSet<String> {
        seen.iter().flat_map(|seen| seen.rules()).collect()
    };
    until("everybody knows", async || {
        let all = ["told", "waiting", "homeless", "storage"].map(str::to_owned);
        (rules(receiver.taken()) == BTreeSet::from(all)).then_some(())
    })
    .await;
    assert!(receiver.taken().iter().any(|seen| seen.key() == waiting), "under the same key");
    daemon.until_logged("notifications are kept again").await;
    until("all is delivered", async || {
        notifications(&daemon, "?state=pending").await.is_empty().then_some(())
    })
    .await;
    // The new database knows what the old one did.
    let again = daemon.stopped().await;
    let count = receiver.taken().len();
    let daemon = again.start().await;
    resolve(&daemon, &told).await;
    let taken = receiver.until_taken(count + 1).await;
    assert_eq!(taken.len(), count + 1, "{:?}", rules(taken[count..].to_vec()));
    assert_eq!(taken[count].body["kind"], json!("resolved"));
}
