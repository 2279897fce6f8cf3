//! A run that outlives its daemon, three times, before the eyes of a client that comes back.

use serde_json::{Value, json};

use crate::support::{Client, Daemon};
use crate::{Told, quiet, until_task};

/// A client that remembers its place in the stream, and all events.
#[derive(Default)]
struct Witness {
    epoch: String,
    seq: u64,
    events: Vec<Value>,
}

impl Witness {
    /// Comes back, takes what it has missed, and goes on until an event is as it waits for.
    async fn follow(&mut self, daemon: &Daemon, is_last: impl Fn(&Value) -> bool) {
        let mut client = match self.epoch.is_empty() {
            true => daemon.websocket().await,
            false => daemon.resumed(&format!("{}:{}", self.epoch, self.seq)).await,
        };
        loop {
            let message = client.next().await.expect("an open connection");
            match message["type"].as_str() {
                Some("task_update") => {
                    self.take(&message);
                    if is_last(&message["data"]) {
                        return self.leave(client);
                    }
                }
                Some("resumed") => assert_eq!(message["data"]["complete"], true, "{message}"),
                Some("initial_state") => self.place(&message["data"]["stream"]),
                Some("gap") => panic!("{message}"),
                _ => {}
            }
        }
    }

    fn take(&mut self, message: &Value) {
        let seq = message["seq"].as_u64().expect("a number");
        assert!(seq > self.seq, "an event comes once, in its order: {message}");
        self.seq = seq;
        self.events.push(message["data"].clone());
    }

    fn place(&mut self, stream: &Value) {
        let epoch = stream["epoch"].as_str().expect("a name");
        assert!(self.epoch.is_empty() || self.epoch == epoch, "the line goes on");
        (self.epoch, self.seq) = (epoch.to_owned(), stream["seq"].as_u64().expect("a number"));
    }

    /// As a connection is lost: without a word.
    fn leave(&self, client: Client) {
        drop(client);
    }
}

#[tokio::test]
async fn every_state_once_over_two_restarts_and_a_kill() {
    let (builder, url) = quiet();
    let folder = builder.path().to_owned();
    let mut daemon = builder.start().await;
    let mut witness = Witness::default();
    let flags = ["--name", "import", "--id", "i", "--heartbeat", "0s", "--wait", "60s"];
    let mut command = Told::start(&folder, &url, &flags);
    until_task(&daemon, "it has begun", |_| true).await;
    let at = |count: u64| move |task: &Value| task["processed"] == count;
    // The witness comes when the task is there, and sees its beginning among the events.
    let beginning = daemon.get("/api/v1/events?types=task_update").await.json();
    witness.take(&beginning["events"][0]);
    command.print("[1/5] one\n");
    witness.follow(&daemon, at(1)).await;

    for (count, is_killed) in [(2, false), (3, true), (4, false)] {
        let again = if is_killed { daemon.killed() } else { daemon.stopped().await };
        // It goes on, and nobody hears it.
        command.print(&format!("[{count}/5] more\n"));
        daemon = again.start().await;
        witness.follow(&daemon, at(count)).await;
    }
    command.print("[5/5] last\n");
    let again = daemon.stopped().await;
    let mut child = command;
    drop(child.0.stdin.take());
    daemon = again.start().await;
    witness.follow(&daemon, |task| task["status"] == "completed").await;
    let output = child.end();
    assert_eq!(output.status.code(), Some(0), "{}", crate::text(&output.stderr));
    assert_eq!(crate::text(&output.stdout).lines().count(), 5);

    let told: Vec<_> =
        witness.events.iter().map(|task| (&task["status"], &task["processed"])).collect();
    let (running, none) = (json!("running"), Value::Null);
    let counts: Vec<Value> = (1..=5).map(|count: u64| json!(count)).collect();
    assert_eq!(told[0], (&running, &none));
    let rest: Vec<_> = counts[..4].iter().map(|count| (&running, count)).collect();
    assert_eq!(told[1..5], rest);
    // The last step may have been told before the end, or with it.
    let completed = json!("completed");
    let ends: [&[(&Value, &Value)]; 2] =
        [&[(&completed, &counts[4])], &[(&running, &counts[4]), (&completed, &counts[4])]];
    assert!(ends.contains(&&told[5..]), "{told:?}");
    let numbers: Vec<_> = witness.events.iter().map(|task| task["update"].as_u64()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "no report was taken twice: {numbers:?}");
}
