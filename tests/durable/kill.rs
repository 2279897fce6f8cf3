//! SIGKILL at random instants, again and again, under load, with a client that comes back each time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, Daemon, daemon, until};

const KILLS: usize = 50;
const WRITERS: usize = 4;
/// Nothing depends on it: a kill may fall on anything.
const LIFE_MS: u64 = 250;

/// What the writers were told, and what the client was sent.
#[derive(Default)]
struct Ledger {
    /// The last change that each writer has tried; each has numbers of its own.
    tried: [AtomicU64; WRITERS],
    /// Those that were acknowledged as stored.
    acknowledged: Mutex<Vec<(usize, u64)>>,
    /// What the client was sent: the message's number, the writer, the change.
    delivered: Mutex<Vec<(u64, usize, u64)>>,
    /// The last number that the client has seen, and the epoch.
    place: Mutex<Option<(String, u64)>>,
}

async fn write(ledger: Arc<Ledger>, writer: usize, url: String) {
    let client = reqwest::Client::new();
    loop {
        let number = ledger.tried[writer].fetch_add(1, Ordering::Relaxed) + 1;
        let body = json!({"details": number}).to_string();
        let request = client.patch(&url).header("content-type", "application/json").body(body);
        // Half an answer is none.
        let Ok(answer) = request.send().await else { return };
        let Ok(body) = answer.bytes().await else { return };
        let task: Value = serde_json::from_slice(&body).expect("JSON");
        assert!(task["durable"].is_null(), "{task}");
        assert_eq!(task["details"], number, "{task}");
        ledger.acknowledged.lock().expect("no panic").push((writer, number));
    }
}

fn writer_of(id: &str) -> usize {
    id.strip_prefix('w').and_then(|number| number.parse().ok()).expect("one of ours")
}

/// Reads what comes and checks its order; returns when the connection ends, or at `resumed` if
/// that is all there is to be read.
async fn follow(ledger: Arc<Ledger>, mut client: Client, floor: Floor, only_resume: bool) {
    while let Some(message) = client.next().await {
        let data = &message["data"];
        match message["type"].as_str().expect("text") {
            "initial_state" => {
                let (epoch, seq) = crate::place(&message);
                let mut place = ledger.place.lock().expect("no panic");
                let known = place.get_or_insert((epoch.clone(), seq));
                assert_eq!(known.0, epoch, "the line goes on");
                // What is shown has been delivered.
                for task in data["active_tasks"].as_array().expect("a list") {
                    check_state(floor, task);
                }
            }
            "resumed" => {
                assert_eq!(data["complete"], true, "{data}");
                if only_resume {
                    return;
                }
            }
            "gap" | "error" => panic!("{message}"),
            kind => {
                let Some(seq) = message["seq"].as_u64() else { continue };
                let mut place = ledger.place.lock().expect("no panic");
                let (_, last) = place.as_mut().expect("the initial state came first");
                assert!(seq > *last, "{seq} after {last}: {message}");
                *last = seq;
                if kind == "task_update" && !data["details"].is_null() {
                    let writer = writer_of(data["id"].as_str().expect("an id"));
                    let number = data["details"].as_u64().expect("a number");
                    ledger.delivered.lock().expect("no panic").push((seq, writer, number));
                }
            }
        }
    }
}

/// The last change of each writer that was acknowledged.
type Floor = [Option<u64>; WRITERS];

fn floor(ledger: &Ledger) -> Floor {
    let acknowledged = ledger.acknowledged.lock().expect("no panic");
    std::array::from_fn(|writer| {
        let own = acknowledged.iter().filter(|(of, _)| *of == writer);
        own.map(|(_, number)| *number).max()
    })
}

/// A task is at least where its writer was told before that it is.
fn check_state(floor: Floor, task: &Value) {
    let last = floor[writer_of(task["id"].as_str().expect("an id"))];
    assert!(
        task["details"].as_u64() >= last,
        "{last:?} was acknowledged, and this is left: {task}"
    );
}

async fn connect(ledger: &Ledger, daemon: &Daemon, life: usize) -> Client {
    let place = ledger.place.lock().expect("no panic").clone();
    match place {
        None => daemon.websocket().await,
        Some((epoch, seq)) if life.is_multiple_of(2) => {
            daemon.resumed(&format!("{epoch}:{seq}")).await
        }
        Some((epoch, seq)) => {
            let mut client = daemon.websocket().await;
            let since = format!("{epoch}:{seq}");
            client.next_of("initial_state").await;
            client.send(json!({"type": "subscribe", "since": since})).await;
            client
        }
    }
}

/// What came before the answer to a subscription is remembered, and comes in its place.
async fn follow_subscribed(ledger: Arc<Ledger>, mut client: Client, floor: Floor) {
    let mut early = Vec::new();
    loop {
        let Some(message) = client.next().await else { return };
        if message["type"] == "subscribed" {
            break;
        }
        early.push(message);
    }
    let mut replayed = Vec::new();
    loop {
        let Some(message) = client.next().await else { return };
        match message["type"].as_str() {
            Some("resumed") => {
                assert_eq!(message["data"]["complete"], true, "{message}");
                break;
            }
            Some("task_update") => replayed.push(message),
            _ => panic!("{message}"),
        }
    }
    replayed.extend(early.into_iter().filter(|message| message["seq"].is_u64()));
    replayed.sort_by_key(|message| message["seq"].as_u64());
    {
        let mut place = ledger.place.lock().expect("no panic");
        let (_, last) = place.as_mut().expect("a place");
        for message in replayed {
            let seq = message["seq"].as_u64().expect("a number");
            assert!(seq > *last, "{seq} comes twice: {message}");
            *last = seq;
            let data = &message["data"];
            if message["type"] == "task_update" && !data["details"].is_null() {
                let writer = writer_of(data["id"].as_str().expect("an id"));
                let number = data["details"].as_u64().expect("a number");
                ledger.delivered.lock().expect("no panic").push((seq, writer, number));
            }
        }
    }
    follow(ledger, client, floor, false).await;
}

/// The details of every event in the log, by the events' numbers.
async fn kept(daemon: &Daemon) -> BTreeMap<u64, Value> {
    let mut kept = BTreeMap::new();
    let mut path = "/api/v1/events?limit=1000".to_owned();
    loop {
        let page = daemon.get(&path).await.json();
        for event in page["events"].as_array().expect("a list") {
            kept.insert(event["seq"].as_u64().expect("a number"), event["data"]["details"].clone());
        }
        if page["more"] == false {
            break;
        }
        path =
            format!("/api/v1/events?limit=1000&since={}", page["next"].as_str().expect("a place"));
    }
    kept
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_nothing_is_missing_and_nothing_comes_twice() {
    let config = "[status]\ninterval = \"100ms\"\n[collectors]\ninterval = \"1h\"\n\
        [hub]\nclient_buffer = 16\nlog_messages = 64\n";
    let mut daemon = daemon().config(config).start().await;
    for writer in 0..WRITERS {
        crate::create(&daemon, &format!("w{writer}")).await;
    }
    let ledger = Arc::new(Ledger::default());
    for life in 0..KILLS {
        let floor = floor(&ledger);
        let client = connect(&ledger, &daemon, life).await;
        let is_first = ledger.place.lock().expect("no panic").is_none();
        let follower = if is_first || life.is_multiple_of(2) {
            tokio::spawn(follow(ledger.clone(), client, floor, false))
        } else {
            tokio::spawn(follow_subscribed(ledger.clone(), client, floor))
        };
        let writers = (0..WRITERS).map(|writer| {
            let url = daemon.url(&format!("/api/v1/tasks/w{writer}"));
            tokio::spawn(write(ledger.clone(), writer, url))
        });
        let writers: Vec<_> = writers.collect();
        if life == 0 {
            until("the client has a place", async || {
                ledger.place.lock().expect("no panic").clone()
            })
            .await;
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..LIFE_MS))).await;
        let again = daemon.killed();
        for task in writers {
            task.await.expect("a writer that saw nothing wrong");
        }
        follower.await.expect("a client that saw nothing wrong");
        daemon = again.launch();
    }
    // The last one brings all that is owed.
    let last = connect(&ledger, &daemon, 0).await;
    follow(ledger.clone(), last, floor(&ledger), true).await;

    let delivered = ledger.delivered.lock().expect("no panic").clone();
    let acknowledged = ledger.acknowledged.lock().expect("no panic").clone();
    assert!(delivered.len() >= KILLS && acknowledged.len() >= KILLS, "there was load");
    let mut times: BTreeMap<(usize, u64), usize> = BTreeMap::new();
    for (_, writer, number) in &delivered {
        *times.entry((*writer, *number)).or_default() += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "delivered twice: {twice:?}");
    let missing: Vec<_> =
        acknowledged.iter().filter(|change| !times.contains_key(change)).collect();
    assert!(missing.is_empty(), "acknowledged, but never delivered: {missing:?}");
    // What was delivered is in the log, in the same places.
    let kept = kept(&daemon).await;
    let gone = delivered.iter().filter(|(seq, _, number)| kept.get(seq) != Some(&json!(number)));
    let gone: Vec<_> = gone.collect();
    assert!(gone.is_empty(), "delivered, but not kept: {gone:?}");
    println!(
        "{} acknowledged, {} delivered, {} kept",
        acknowledged.len(),
        delivered.len(),
        kept.len()
    );
}
