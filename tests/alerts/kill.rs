//! SIGKILL at random instants while alerts come and go, with a client that comes back each time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Client, Daemon, daemon};
use crate::{FAST, alerts};

const KILLS: usize = 50;
/// Nothing depends on it: a kill may fall on anything.
const LIFE_MS: u64 = 1_500;

/// Conditions that come and go with the time, one of them with clocks of its own.
const RULES: &str = "flap_count = 0\n\
    [[alerts.rule]]\nid = \"a\"\nexpr = \"vector(time() % 4) < 2\"\n\
    [[alerts.rule]]\nid = \"b\"\nexpr = \"vector(time() % 7) < 3\"\nkeep_firing_for = \"1s\"\n\
    [[alerts.rule]]\nid = \"c\"\nexpr = \"vector(time() % 10) < 7\"\nfor = \"3s\"\n\
    [[alerts.rule]]\nid = \"d\"\nexpr = \"vector(1)\"\n";

/// What the client was sent.
#[derive(Default)]
struct Seen {
    place: Option<(String, u64)>,
    /// By rule: what became of its alert, in order.
    states: BTreeMap<String, Vec<String>>,
}

impl Seen {
    fn take(&mut self, message: &Value) {
        match message["type"].as_str() {
            Some("initial_state") => {
                let stream = &message["data"]["stream"];
                let epoch = stream["epoch"].as_str().expect("text").to_owned();
                let seq = stream["seq"].as_u64().expect("a number");
                let known = self.place.get_or_insert((epoch.clone(), seq));
                assert_eq!(known.0, epoch, "the line goes on");
            }
            Some("resumed") => assert_eq!(message["data"]["complete"], true, "{message}"),
            Some("gap" | "error") => panic!("{message}"),
            _ => {}
        }
        let (Some(seq), Some((_, last))) = (message["seq"].as_u64(), &mut self.place) else {
            return;
        };
        assert!(seq > *last, "{seq} after {last}: {message}");
        *last = seq;
        if message["type"] == "alert" {
            let data = &message["data"];
            let rule = data["rule_id"].as_str().expect("text").to_owned();
            let state = data["status"].as_str().expect("text").to_owned();
            self.states.entry(rule).or_default().push(state);
        }
    }

    async fn connect(&self, daemon: &Daemon) -> Client {
        match &self.place {
            Some((epoch, seq)) => daemon.resumed(&format!("{epoch}:{seq}")).await,
            None => daemon.websocket().await,
        }
    }
}

async fn follow(mut seen: Seen, mut client: Client) -> Seen {
    while let Some(message) = client.next().await {
        seen.take(&message);
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_transition_comes_twice_and_none_is_missing() {
    let mut daemon = daemon().config(&format!("{FAST}{RULES}")).start().await;
    let mut seen = Seen::default();
    // The first connection gives a place to come back to.
    seen.take(&daemon.websocket().await.next_of("initial_state").await);
    for _ in 0..KILLS {
        let client = seen.connect(&daemon).await;
        let follower = tokio::spawn(follow(seen, client));
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..LIFE_MS))).await;
        let again = daemon.killed();
        seen = follower.await.expect("a client that saw nothing wrong");
        daemon = again.launch();
    }
    // What is shown is what the client comes to know by the end of what it is owed.
    let mut client = seen.connect(&daemon).await;
    loop {
        let message = client.next().await.expect("an open connection");
        seen.take(&message);
        if message["type"] == "initial_state" {
            break;
        }
    }
    assert_eq!(seen.states["d"], ["firing"], "it never was otherwise");
    for (rule, states) in &seen.states {
        let expected = ["firing", "resolved"].into_iter().cycle();
        let course: Vec<&str> = expected.take(states.len()).collect();
        assert_eq!(*states, course, "{rule}");
    }
    assert!(seen.states["a"].len() >= 4, "something has happened: {:?}", seen.states);
    // The rest of what becomes of them, until it is seen that it is what REST says.
    let known = loop {
        let now = alerts(&daemon).await;
        let known = |alert: &Value| {
            let rule = alert["rule_id"].as_str().expect("text");
            let last = seen.states.get(rule).and_then(|states| states.last());
            let status = alert["status"].as_str().expect("text");
            status == "pending" || last.is_some_and(|last| last == status)
        };
        if now.iter().all(known) {
            break now.len();
        }
        let message = client.next().await.expect("an open connection");
        seen.take(&message);
    };
    assert!(known >= 3);
    let counts: Vec<String> =
        seen.states.iter().map(|(rule, states)| format!("{rule}: {}", states.len())).collect();
    println!("transitions of {}", counts.join(", "));
}
