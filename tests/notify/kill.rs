//! Fifty kills at random instants, while alerts fire: every one is told, and twice only under one key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use crate::receiver::Receiver;
use crate::support::{daemon, until};
use crate::{AT_ONCE, channel};

const KILLS: usize = 50;
/// A life is no longer than this.
const LIFE_MS: u64 = 600;
const WRITERS: usize = 1;
const PAUSE_MS: u64 = 100;

/// The rules whose alerts the daemon has said that it has.
type Acknowledged = Arc<Mutex<Vec<String>>>;

/// Fires one alert after the other until the daemon is gone.
async fn write(acknowledged: Acknowledged, life: usize, writer: usize, url: String) {
    let client = reqwest::Client::new();
    for number in 0.. {
        let rule = format!("r{life}-{writer}-{number}");
        let report = json!({"rule_id": rule, "severity": "high", "message": "m"}).to_string();
        let request = client.post(&url).header("content-type", "application/json").body(report);
        let Ok(answer) = request.send().await else { return };
        if answer.status() != 200 {
            return;
        }
        acknowledged.lock().expect("no panic").push(rule);
        // No faster than they are told: what waits behind others is on disk for long when its turn
        // comes, and would prove nothing.
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..PAUSE_MS))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_everything_is_told_and_twice_only_under_one_key() {
    let receiver = Receiver::start().await;
    let config = format!(
        "{AT_ONCE}max_pending = 100000\nkeep = 10\n\
         [alerts]\nmax_alerts = 1000000\n[collectors]\ninterval = \"1h\"\n\
         [notify.channel.ops]\ntype = \"webhook\"\nurl = \"{}\"\nmax_per_minute = 0\n",
        receiver.url()
    );
    let mut daemon = daemon().config(&config).start().await;
    let acknowledged = Acknowledged::default();
    for life in 0..KILLS {
        let url = daemon.url("/api/v1/alerts");
        let writers = (0..WRITERS)
            .map(|writer| tokio::spawn(write(acknowledged.clone(), life, writer, url.clone())));
        let writers: Vec<_> = writers.collect();
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..LIFE_MS))).await;
        let again = daemon.killed();
        for writer in writers {
            writer.await.expect("a writer that saw nothing wrong");
        }
        daemon = again.launch();
    }
    daemon.until_ready().await;
    // How long that takes is the machine's matter, as long as it goes on.
    let mut pending = u64::MAX;
    while pending > 0 {
        let before = pending;
        pending = until("more is delivered", async || {
            let now = channel(&daemon, "ops").await["pending"].as_u64().expect("a number");
            (now < before).then_some(now)
        })
        .await;
    }
    let acknowledged = acknowledged.lock().expect("no panic").clone();
    let told: BTreeSet<String> = receiver.seen().iter().flat_map(|seen| seen.rules()).collect();
    let lost: Vec<_> = acknowledged.iter().filter(|rule| !told.contains(*rule)).collect();
    assert!(lost.is_empty(), "acknowledged, and nobody was told: {lost:?}");
    assert!(acknowledged.len() >= KILLS, "there was load: {}", acknowledged.len());
    let (mut times, mut keys) = (BTreeMap::new(), BTreeMap::new());
    for seen in receiver.seen() {
        *times.entry(seen.key()).or_insert(0) += 1;
        for rule in seen.rules() {
            keys.entry(rule).or_insert_with(BTreeSet::new).insert(seen.key());
        }
    }
    let twice: Vec<_> = keys.iter().filter(|(_, keys)| keys.len() > 1).collect();
    assert!(twice.is_empty(), "told under more than one key: {twice:?}");
    let repeated = times.values().filter(|times| **times > 1).count();
    println!(
        "{} acknowledged, {} told, {repeated} of {} keys more than once",
        acknowledged.len(),
        keys.len(),
        times.len()
    );
}
