//! Programs that do not end, do not answer, and leave others behind.

use crate::support::{daemon, until};
use crate::{PACE, metric, processes, sh, until_collected, until_failed, until_metric, until_ok};

const KILLED: &str = "and was killed";

fn keys(mode: &str) -> String {
    format!(
        "deadline = \"400ms\"\nconfig = {{ mode = \"{mode}\", environment = [\"PATH\", \"MARK\"] }}"
    )
}

#[tokio::test]
async fn at_the_deadline_the_whole_group_is_killed() {
    let hangs = [
        ("once", "once", "echo 'before 1'; sleep 1000"),
        ("starting", "request", "sleep 1000"),
        ("request", "request", "read -r q; echo 'half 1'; sleep 1000"),
        ("deaf", "request", "trap '' TERM INT HUP; while :; do sleep 1000; done"),
        ("closed-stdin", "request", "exec <&-; sleep 1000"),
        ("grandchildren", "once", "sh -c 'sleep 1000 & sleep 1000' & sleep 1000"),
    ];
    let mut config = PACE.to_owned();
    for (name, mode, script) in hangs {
        config += &sh(name, script, &keys(mode));
    }
    let builder = daemon();
    let mark = builder.path().to_str().expect("UTF-8").to_owned();
    let daemon = builder.env("MARK", &mark).config(&config).start().await;
    for (name, ..) in hangs {
        until_failed(&daemon, name, KILLED).await;
    }
    for series in ["before", "half"] {
        until_metric(&daemon, series, |value| value == 1.0).await;
    }
    let off = config.replace("deadline = \"400ms\"", "enabled = false");
    daemon.reload(&off);
    let mark = format!("MARK={mark}");
    until("nothing of them is left", async || {
        processes(daemon.pid(), &mark).is_empty().then_some(())
    })
    .await;
    until_collected(&daemon, "load").await;
}

/// What a program leaves behind must not hold up its collection, nor outlive it.
#[tokio::test]
async fn a_grandchild_that_keeps_the_output_open() {
    let keys = "deadline = \"25s\"\nconfig = { environment = [\"PATH\", \"MARK\"] }";
    let config = PACE.to_owned()
        + &sh("quiet", "echo 'quiet 1'; sleep 1000 & exit 0", keys)
        + &sh("chatty", "echo 'chatty 1'; (while :; do sleep 0.01; echo; done) & exit 0", keys)
        + &sh("failed", "sleep 1000 & exit 7", keys);
    let builder = daemon();
    let mark = builder.path().to_str().expect("UTF-8").to_owned();
    let mut daemon = builder.env("MARK", &mark).config(&config).start().await;
    for name in ["quiet", "chatty"] {
        until_ok(&daemon, name).await;
        until_collected(&daemon, name).await;
        assert_eq!(metric(&daemon, name).await, Some(1.0));
    }
    until_failed(&daemon, "failed", "ended with exit status: 7").await;
    daemon.signal("TERM");
    assert_eq!(daemon.ended().await.code(), Some(0));
    let mark = format!("MARK={mark}");
    until("nothing is left", async || processes(0, &mark).is_empty().then_some(())).await;
}

#[tokio::test]
async fn streams_that_are_closed_while_the_program_runs_on() {
    let running = |mode: &str| format!("config = {{ mode = \"{mode}\" }}");
    let config = PACE.to_owned()
        + &sh("stdout-once", "echo 'a 1'; exec >&-; sleep 1000", "deadline = \"400ms\"")
        + &sh("stdout-stream", "echo 'b 1'; exec >&-; sleep 1000", &running("stream"))
        + &sh("stdout-request", "exec >&-; sleep 1000", &running("request"))
        + &sh("stderr", "exec 2>&-; sleep 0.2; echo 'c 1'", "")
        + &sh("all", "echo 'd 1'; exec <&- >&- 2>&-; sleep 0.2", "");
    let daemon = daemon().config(&config).start().await;
    for name in ["stdout-once", "stdout-stream", "stdout-request"] {
        until_failed(&daemon, name, "closed its output").await;
    }
    for name in ["stderr", "all"] {
        until_ok(&daemon, name).await;
    }
    for series in ["a", "b", "c", "d"] {
        until_metric(&daemon, series, |value| value == 1.0).await;
    }
}

/// Each takes a thread of the daemon.
#[tokio::test]
async fn many_that_hang_at_once() {
    let mut config = PACE.to_owned();
    for number in 0..80 {
        let keys = "deadline = \"25s\"\ninterval = \"20s\"\nconfig = { environment = [\"MARK\"] }";
        config += &sh(&format!("it{number}"), "exec /bin/sleep 1000", keys);
    }
    let builder = daemon();
    let mark = builder.path().to_str().expect("UTF-8").to_owned();
    let daemon = builder.env("MARK", &mark).config(&config).launch();
    let mark = format!("MARK={mark}");
    until("all of them run", async || (processes(daemon.pid(), &mark).len() == 80).then_some(()))
        .await;
    for _ in 0..3 {
        until_collected(&daemon, "load").await;
    }
}
