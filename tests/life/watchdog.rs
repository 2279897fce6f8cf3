//! The watchdog is fed while every part of the daemon gets on, and no longer.

use std::time::Duration;

use crate::support::{Builder, daemon};
use crate::systemd::Manager;

/// A third of it is the time between two rounds.
const WATCHDOG_USEC: &str = "600000";

/// Long enough for some rounds.
const ROUNDS: Duration = Duration::from_secs(1);

fn watched(manager: &Manager) -> Builder {
    daemon().env("NOTIFY_SOCKET", &manager.path()).env("WATCHDOG_USEC", WATCHDOG_USEC)
}

#[tokio::test]
async fn a_part_that_hangs_is_named_and_the_watchdog_starves() {
    for part in ["scheduler", "pipeline", "evaluator", "http"] {
        let manager = Manager::new();
        let daemon = watched(&manager).env("GZ_MONITOR_DEBUG_HANG", part).launch();
        manager.until("READY=1");
        (0..3).for_each(|_| drop(manager.until("WATCHDOG=1")));
        daemon.signal("USR1");
        manager.until(&format!("STATUS=not answering: {part}"));
        while let Some(message) = manager.next_within(ROUNDS) {
            assert!(!message.contains("WATCHDOG=1"), "{part}: {message}");
        }
        let line = format!("the watchdog is not fed parts=\"{part}\"");
        daemon.until_logged(&line).await;
    }
}

#[tokio::test]
async fn the_thread_for_it_ends_with_the_daemon() {
    let manager = Manager::new();
    let mut daemon = watched(&manager).launch();
    manager.until("WATCHDOG=1");
    daemon.signal("TERM");
    assert_eq!(daemon.ended().await.code(), Some(0));
    assert!(!daemon.log().contains("do not answer"), "{}", daemon.log());
}

#[tokio::test]
async fn none_is_fed_where_there_is_none() {
    let manager = Manager::new();
    let _daemon = daemon().env("NOTIFY_SOCKET", &manager.path()).launch();
    manager.until("READY=1");
    while let Some(message) = manager.next_within(ROUNDS) {
        assert!(!message.contains("WATCHDOG"), "{message}");
    }
}
