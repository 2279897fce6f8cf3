//! Programs in the life of the daemon: its end, its sudden end, and a new configuration.

use std::os::unix::process::ExitStatusExt as _;

use crate::support::{Builder, daemon, until};
use crate::{PACE, metric, processes, sh, until_collected, until_metric, until_ok};

const RUNNING: &str = "config = { mode = \"request\", environment = [\"PATH\", \"MARK\"] }";
const ANSWER: &str = "while read -r q; do echo \"pid_$NAME $$\"; echo '{\"type\":\"end\"}'; done";

fn answering(name: &str, keys: &str) -> String {
    sh(name, &format!("NAME={name}\n{ANSWER}"), &format!("{RUNNING}\n{keys}"))
}

/// One that answers, one that is blocked in its collection, and one with others behind it.
fn programs() -> String {
    let blocked = format!("deadline = \"300s\"\n{RUNNING}");
    answering("idle", "")
        + &sh("blocked", "trap '' TERM; while :; do sleep 1000; done", &blocked)
        + &sh("parent", &format!("sleep 1000 & NAME=parent\n{ANSWER}"), RUNNING)
}

fn marked(builder: Builder) -> (Builder, String) {
    let mark = builder.path().to_str().expect("UTF-8").to_owned();
    (builder.env("MARK", &mark), format!("MARK={mark}"))
}

#[tokio::test]
async fn the_end_of_the_daemon_is_the_end_of_all_that_it_started() {
    let (builder, mark) = marked(daemon());
    let mut daemon = builder.config(&(PACE.to_owned() + &programs())).launch();
    until_ok(&daemon, "idle").await;
    until_ok(&daemon, "parent").await;
    until("all run", async || (processes(daemon.pid(), &mark).len() >= 5).then_some(())).await;
    daemon.signal("TERM");
    assert_eq!(daemon.ended().await.code(), Some(0), "{}", daemon.log());
    // A kill that is sent is not done yet.
    until("nothing is left", async || processes(0, &mark).is_empty().then_some(())).await;
}

#[tokio::test]
async fn a_daemon_that_is_killed_takes_its_programs_along() {
    let (builder, mark) = marked(daemon());
    let stream = RUNNING.replace("request", "stream");
    let config = PACE.to_owned()
        + &answering("idle", "")
        + &sh("stream", "exec sleep 1000", &stream)
        + &sh("once", "exec sleep 1000", &format!("deadline = \"300s\"\n{RUNNING}"));
    let mut daemon = builder.config(&config).launch();
    until_ok(&daemon, "idle").await;
    until("all run", async || (processes(daemon.pid(), &mark).len() == 3).then_some(())).await;
    daemon.signal("KILL");
    assert_eq!(daemon.ended().await.signal(), Some(9));
    until("they are gone", async || processes(0, &mark).is_empty().then_some(())).await;
}

#[tokio::test]
async fn a_reload_touches_just_what_it_changes() {
    let (builder, mark) = marked(daemon());
    let blocked = format!("deadline = \"300s\"\n{RUNNING}");
    let config = |changes: &str, removed: bool| {
        let removed = if removed {
            String::new()
        } else {
            answering("removed", "") + &sh("blocked", "exec sleep 1000", &blocked)
        };
        PACE.to_owned() + &answering("stays", "") + &answering("changes", changes) + &removed
    };
    let daemon = builder.config(&config("", false)).launch();
    for name in ["stays", "changes", "removed"] {
        until_ok(&daemon, name).await;
    }
    until("all run", async || (processes(daemon.pid(), &mark).len() == 4).then_some(())).await;
    let stays = until_metric(&daemon, "pid_stays", |_| true).await;
    let changes = until_metric(&daemon, "pid_changes", |_| true).await;
    daemon.reload(&config("labels = { a = \"b\" }", true));
    let anew = until_metric(&daemon, "pid_changes{a=\"b\"}", |_| true).await;
    assert_ne!(anew, changes);
    // The one that was removed while its collection was under way has minutes left, but not here.
    until("two are left", async || {
        let mut left = processes(daemon.pid(), &mark);
        left.sort_unstable();
        let mut expected = [stays as u32, anew as u32];
        expected.sort_unstable();
        (left == expected).then_some(())
    })
    .await;
    until_collected(&daemon, "stays").await;
    assert_eq!(metric(&daemon, "pid_stays").await, Some(stays));
    assert_eq!(metric(&daemon, "pid_removed").await, None);
    let starts = "gz_plugin_starts_total{collector=\"stays\"}";
    assert_eq!(metric(&daemon, starts).await, Some(1.0));
}

/// One that reads its input to the end has time to clear up, and one that does not is killed.
#[tokio::test]
async fn in_request_mode_it_is_told_to_end() {
    let (builder, mark) = marked(daemon());
    let done = builder.path().join("done");
    let clears_up = format!("{ANSWER}; sleep 0.1; echo cleared up >> {}", done.display());
    let config = |labels: &str| {
        PACE.to_owned()
            + &sh(
                "clears-up",
                &format!("NAME=clears_up\n{clears_up}"),
                &format!("{RUNNING}\n{labels}"),
            )
            + &sh("lingers", &format!("NAME=lingers\n{ANSWER}; sleep 1000 & sleep 1000"), RUNNING)
    };
    let mut daemon = builder.config(&config("")).launch();
    until_ok(&daemon, "clears-up").await;
    until_ok(&daemon, "lingers").await;
    let cleared = || std::fs::read_to_string(&done).unwrap_or_default().lines().count();
    daemon.reload(&config("labels = { a = \"b\" }"));
    until_metric(&daemon, "pid_clears_up{a=\"b\"}", |_| true).await;
    // What comes next begins after that.
    assert_eq!(cleared(), 1);
    daemon.signal("TERM");
    assert_eq!(daemon.ended().await.code(), Some(0), "{}", daemon.log());
    assert_eq!(cleared(), 2);
    assert!(daemon.log().contains("did not end when it was told to"), "{}", daemon.log());
    until("nothing is left", async || processes(0, &mark).is_empty().then_some(())).await;
}
