//! Ten thousand clients on one daemon.

use crate::crowd;
use crate::support::{Raw, may_open};
use crate::{create_task, quiet, seq, until_clients};

const CLIENTS: usize = 10_000;
/// What either process has open besides.
const OTHER_FILES: u64 = 500;

#[tokio::test]
async fn ten_thousand_clients_get_every_message() {
    if !may_open(CLIENTS as u64 + OTHER_FILES, "ten thousand clients") {
        return;
    }
    // One connection more is for the requests of the test.
    let daemon = quiet("", "[server]\nmax_connections = 10100\n").await;
    let (files, threads) = (daemon.open_files(), daemon.threads());
    let mut crowd = crowd::gather(&daemon, CLIENTS).await;
    until_clients(&daemon, CLIENTS).await;
    assert!(daemon.open_files() >= files + CLIENTS as u64);
    assert!(daemon.threads() < threads + 100, "a client takes no thread");
    for task in ["one", "two", "three"] {
        create_task(&daemon, task).await;
    }
    let mut first = None;
    for member in &mut crowd {
        let messages = [next(member).await, next(member).await, next(member).await];
        assert_eq!(messages.each_ref().map(|(task, _)| task.as_str()), ["one", "two", "three"]);
        let numbers = messages.map(|(_, seq)| seq);
        assert_eq!(*first.get_or_insert(numbers), numbers, "the same for all");
    }
    drop(crowd);
    until_clients(&daemon, 0).await;
}

/// The next update: whose it is, and its number.
async fn next(member: &mut Raw) -> (String, u64) {
    let message = crowd::message(member).await;
    assert_eq!(message["type"], "task_update", "{message}");
    (message["data"]["id"].as_str().expect("an id").to_owned(), seq(&message))
}
