//! Programs that fail, crash, or cannot even be started.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::{daemon, until};
use crate::{
    PACE, collector, entry, metric, sh, until_collected, until_collector, until_failed,
    until_metric, until_ok,
};

#[tokio::test]
async fn how_a_program_ended_is_said() {
    let crashes = [
        ("three", "echo 'partial 1'; echo why >&2; exit 3", "exit status: 3; its last words: why"),
        ("silent", "exit 4", "ended with exit status: 4"),
        ("no-newline", "printf 'last words' >&2; exit 5", "its last words: last words"),
        ("segv", "kill -SEGV $$", "signal: 11 (SIGSEGV)"),
        ("abrt", "echo 'before 1'; kill -ABRT $$", "signal: 6 (SIGABRT)"),
        ("kill", "kill -KILL $$", "signal: 9 (SIGKILL)"),
    ];
    let mut config = PACE.to_owned();
    for (name, script, _) in crashes {
        config += &sh(name, script, "");
    }
    let running = "config = { mode = \"request\" }";
    config += &sh("request", "read -r q; echo 'half 1'; kill -SEGV $$", running);
    config += &sh("stream", "echo 'streamed 1'; exit 6", "config = { mode = \"stream\" }");
    let daemon = daemon().config(&config).start().await;
    for (name, _, error) in crashes {
        until_failed(&daemon, name, error).await;
    }
    until_failed(&daemon, "request", "signal: 11 (SIGSEGV)").await;
    until_failed(&daemon, "stream", "exit status: 6").await;
    // What they said before is kept.
    for series in ["partial", "before", "half", "streamed"] {
        until_metric(&daemon, series, |value| value == 1.0).await;
    }
    assert!(daemon.log().contains("collector says collector=\"three\""), "{}", daemon.log());
}

#[tokio::test]
async fn half_a_line_is_no_line() {
    let cut = "printf 'whole 1\\ncut 12'; exit 3";
    let config = PACE.to_owned() + &sh("cut", cut, "");
    let daemon = daemon().config(&config).start().await;
    until_failed(&daemon, "cut", "exit status: 3").await;
    let rejected = "gz_collector_samples_rejected_total{collector=\"cut\",reason=\"invalid\"}";
    until_metric(&daemon, rejected, |count| count >= 1.0).await;
    assert_eq!(metric(&daemon, "cut").await, None);
    assert_eq!(metric(&daemon, "whole").await, Some(1.0));
}

#[tokio::test]
async fn what_cannot_be_run_says_why_and_works_when_it_can() {
    let builder = daemon();
    let folder = builder.path().to_path_buf();
    let path = |name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    let write = |name: &str, text: &[u8], mode: u32| {
        fs::write(path(name), text).expect("a file");
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    write("plain", b"#!/bin/sh\necho 'plain 1'\n", 0o644);
    // execvp(3) would have a shell read these.
    write("no-interpreter", b"echo 'shell 1'\n", 0o755);
    let mut foreign = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x15\0\x01\0\0\0";
    // The machine is the 64-bit PowerPC, or on one the M32.
    foreign[18] = if cfg!(target_arch = "powerpc64") { 1 } else { 21 };
    write("foreign", &foreign, 0o755);
    write("lost-interpreter", b"#!/no/such/interpreter\n", 0o755);
    let cases = [
        ("missing", path("missing"), "No such file or directory"),
        ("plain", path("plain"), "Permission denied"),
        ("directory", path("."), "Permission denied"),
        ("no-interpreter", path("no-interpreter"), "Exec format error"),
        ("foreign", path("foreign"), "Exec format error"),
        ("lost-interpreter", path("lost-interpreter"), "No such file or directory"),
    ];
    let mut config = PACE.to_owned();
    for (name, program, _) in &cases {
        config += &entry(name, &[program], "");
    }
    let daemon = builder.config(&config).start().await;
    for (name, program, error) in &cases {
        until_failed(&daemon, name, &format!("cannot run {program}: {error}")).await;
    }
    assert_eq!(metric(&daemon, "shell").await, None);
    // Mended, without a word to the daemon.
    fs::set_permissions(path("plain"), fs::Permissions::from_mode(0o755)).expect("a mode");
    until_ok(&daemon, "plain").await;
    assert_eq!(collector(&daemon, "plain").await["consecutive_failures"], 0);
}

#[tokio::test]
async fn a_program_is_replaced_while_it_is_in_use() {
    let builder = daemon();
    let path = builder.path().join("program");
    let write = |version: &str| {
        let new = path.with_extension("new");
        fs::write(&new, format!("#!/bin/sh\necho 'version {version}'\n")).expect("a file");
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).expect("a mode");
        fs::rename(&new, &path).expect("renamed");
    };
    write("1");
    let config = PACE.to_owned() + &entry("it", &[path.to_str().expect("UTF-8")], "");
    let daemon = builder.config(&config).start().await;
    until_metric(&daemon, "version", |version| version == 1.0).await;
    write("2");
    until_metric(&daemon, "version", |version| version == 2.0).await;
    fs::remove_file(&path).expect("removed");
    until_failed(&daemon, "it", "No such file or directory").await;
    write("3");
    until_metric(&daemon, "version", |version| version == 3.0).await;
    until_collected(&daemon, "it").await;
}

#[tokio::test]
async fn limits_of_the_kernel() {
    // It keeps what it reads until it has seen the last lines.
    let leak = "exec tail /dev/zero";
    let files = "exec 3</dev/null 4</dev/null; exec 5</dev/null; echo 'opened 1'";
    let config = PACE.to_owned()
        + &sh("leak", leak, "config = { max_address_space = \"64MiB\" }")
        + &sh("files", files, "config = { max_open_files = 5 }")
        + &sh(
            "spin",
            "while :; do :; done",
            "config = { max_cpu_time = \"1s\" }\ndeadline = \"80s\"",
        );
    // Not until it is ready: the one that spins takes as long as the machine is slow.
    let daemon = daemon().config(&config).launch();
    until_failed(&daemon, "files", "Too many open files").await;
    assert_eq!(metric(&daemon, "opened").await, None);
    until_failed(&daemon, "leak", "memory exhausted").await;
    until_failed(&daemon, "spin", "signal: 24 (SIGXCPU)").await;
}

#[tokio::test]
async fn a_program_that_crashes_now_and_then_recovers() {
    let builder = daemon();
    let counter = builder.path().join("counter");
    let script = format!(
        "echo x >> {0}; [ $(wc -l < {0}) -gt 3 ] || kill -SEGV $$\n\
         while read -r q; do echo 'alive 1'; echo '{{\"type\":\"end\"}}'; done",
        counter.display()
    );
    let config = PACE.to_owned() + &sh("it", &script, "config = { mode = \"request\" }");
    let daemon = builder.config(&config).start().await;
    let works = |now: &Value| now["state"] == "ok" && now["total_failures"] == 3;
    until_collector(&daemon, "it", "works at the fourth start", works).await;
    until("its samples are there", async || metric(&daemon, "alive").await).await;
    let starts = "gz_plugin_starts_total{collector=\"it\"}";
    until_metric(&daemon, starts, |starts| starts == 4.0).await;
}

#[tokio::test]
async fn last_words_are_of_the_run_that_failed() {
    let builder = daemon();
    let mark = builder.path().join("mark");
    let script = format!("[ -e {0} ] && exit 4; touch {0}; echo old >&2; exit 3", mark.display());
    let config = PACE.to_owned() + &sh("it", &script, "");
    let daemon = builder.config(&config).start().await;
    let silent = |now: &Value| now["error"] == "ended with exit status: 4";
    until_collector(&daemon, "it", "fails without words", silent).await;
    daemon.until_logged("ended with exit status: 3; its last words: old").await;
}
