//! Programs that say too much. The daemon's memory stays bounded.

use std::fs;
use std::time::Instant;

use crate::support::{Daemon, daemon};
use crate::{PACE, metric, sh, until_collected, until_failed, until_metric, until_ok};

const GROWTH_MAX_KIB: u64 = 32 << 10;

/// A field of proc_pid_status(5) that is in kB.
fn memory_kib(daemon: &Daemon, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("its status");
    let text = status.lines().find_map(|line| line.strip_prefix(field)).expect("a field");
    text.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn rejected(name: &str, reason: &str) -> String {
    format!("gz_collector_samples_rejected_total{{collector=\"{name}\",reason=\"{reason}\"}}")
}

/// Starts a daemon without them, then has them run, and checks the growth at its highest.
async fn check_growth(programs: &str, check: impl AsyncFn(&Daemon)) {
    let daemon = daemon().config(PACE).start().await;
    until_collected(&daemon, "load").await;
    let before = memory_kib(&daemon, "VmRSS:");
    daemon.reload(&(PACE.to_owned() + programs));
    check(&daemon).await;
    let growth = memory_kib(&daemon, "VmHWM:").saturating_sub(before);
    assert!(growth < GROWTH_MAX_KIB, "grew by {growth} KiB");
    until_collected(&daemon, "load").await;
}

#[tokio::test]
async fn endless_output_and_endless_lines() {
    // To print so much takes its time on a machine that does other things: no deadline is to come first.
    let bounded = "deadline = \"60s\"\nconfig = { max_output = \"1MiB\" }";
    let running = "deadline = \"60s\"\nconfig = { mode = \"stream\", max_output = \"1MiB\" }";
    let programs = sh("output", "exec yes 'flood 1'", bounded)
        + &sh("output-stream", "exec yes 'flooded 1'", running)
        + &sh("line", "exec tr '\\0' x < /dev/zero", "deadline = \"60s\"")
        + &sh("stderr", "yes 'oh no' >&2", bounded)
        + &sh("stderr-only", "exec yes >&2", bounded);
    let began = Instant::now();
    check_growth(&programs, async |daemon: &Daemon| {
        for name in ["output", "output-stream", "stderr"] {
            until_failed(daemon, name, "printed more than 1MiB in one collection").await;
        }
        until_failed(daemon, "stderr-only", "closed its output").await;
        until_failed(daemon, "line", "printed more than 16MiB in one collection").await;
        until_metric(daemon, &rejected("line", "invalid"), |count| count >= 1.0).await;
        until_metric(daemon, "flood", |value| value == 1.0).await;
        // Twenty lines a minute, however many minutes there were.
        let most = 20 * (began.elapsed().as_secs() as usize / 60 + 2);
        let log = daemon.log();
        let said = log.matches("oh no").count() - log.matches("its last words: oh no").count();
        assert!((1..=most).contains(&said), "{said} lines");
    })
    .await;
}

#[tokio::test]
async fn a_line_longer_than_allowed_is_lost_and_nothing_else() {
    let script = "echo 'before 1'; head -c 300 /dev/zero | tr '\\0' x; echo; echo 'after 1'";
    let config = PACE.to_owned() + &sh("it", script, "config = { max_line = \"256B\" }");
    let daemon = daemon().config(&config).start().await;
    until_ok(&daemon, "it").await;
    until_metric(&daemon, &rejected("it", "invalid"), |count| count >= 1.0).await;
    for series in ["before", "after"] {
        assert_eq!(metric(&daemon, series).await, Some(1.0), "{series}");
    }
}

#[tokio::test]
async fn a_million_samples_in_one_collection() {
    let programs =
        sh("it", "exec seq -f 'm%.0f 1' 1000000", "interval = \"1h\"\ndeadline = \"60s\"");
    check_growth(&programs, async |daemon: &Daemon| {
        until_ok(daemon, "it").await;
        // Ten thousand are taken, of which one is of the daemon's.
        let lost = until_metric(daemon, &rejected("it", "limit"), |count| count > 0.0).await;
        assert_eq!(lost % 990_001.0, 0.0, "{lost}");
        assert_eq!(metric(daemon, "m9999").await, Some(1.0));
        assert_eq!(metric(daemon, "m10000").await, None);
        assert!(metric(daemon, "gz_plugin_starts_total{collector=\"it\"}").await.is_some());
    })
    .await;
}
