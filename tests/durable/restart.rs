//! A daemon that is started again: its tasks, its alerts, its number line.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::support::{Daemon, PROGRAM, daemon, until};
use crate::{QUIET, create, fire, now, place, progress};

/// A database of this folder's daemon.
fn file(daemon: &Daemon, name: &str) -> std::path::PathBuf {
    daemon.path().join("state/gz-monitor").join(name)
}

#[tokio::test]
async fn tasks_and_alerts_are_what_was_acknowledged() {
    for stop in [false, true] {
        let mut daemon = daemon().config(QUIET).start().await;
        let details = json!({"any": [1, null, "ü"], "n": 1.5});
        let body = json!({"id": "a", "name": "A", "progress": 12.5, "details": details});
        daemon.post("/api/v1/tasks", body).await;
        daemon.post("/api/v1/tasks/a/stop", json!({})).await;
        for (id, status) in [("b", "completed"), ("c", "failed"), ("d", "pending")] {
            let body = json!({"id": id, "name": id, "status": status});
            assert_eq!(daemon.post("/api/v1/tasks", body).await.status, 201);
        }
        assert_eq!(daemon.delete("/api/v1/tasks/c").await.status, 204);
        let full = json!({"rule_id": "r", "rule_name": "R", "severity": "critical",
            "message": "m", "value": 92.5, "threshold": 90});
        let alert = daemon.post("/api/v1/alerts", full).await.json();
        let other = fire(&daemon, "other").await;
        let path = format!("/api/v1/alerts/{}/resolve", other["id"].as_str().expect("an id"));
        assert_eq!(daemon.post(&path, json!({})).await.status, 200);
        let paths = ["/api/v1/tasks", "/api/v1/alerts"];
        let before = [daemon.get(paths[0]).await.json(), daemon.get(paths[1]).await.json()];
        assert_eq!(before[0]["tasks"].as_array().map(Vec::len), Some(3), "{}", before[0]);
        let again = if stop { daemon.stopped().await } else { daemon.killed() };
        daemon = again.start().await;
        for (path, before) in paths.into_iter().zip(before) {
            assert_eq!(daemon.get(path).await.json(), before);
        }
        // It fires still, and is not fired anew.
        let updated = fire(&daemon, "r").await;
        assert_eq!((&updated["starts_at"], &updated["id"]), (&alert["starts_at"], &alert["id"]));
        assert_eq!(daemon.get("/api/v1/status").await.json()["status"], "warning");
    }
}

#[tokio::test]
async fn the_line_goes_on_without_a_hole_after_a_stop_and_behind_its_reserve_after_a_kill() {
    let mut daemon = daemon().config(QUIET).start().await;
    create(&daemon, "t").await;
    let mut before = now(&daemon).await;
    for stop in [true, false, true] {
        daemon = if stop { daemon.stopped().await } else { daemon.killed() }.start().await;
        let after = now(&daemon).await;
        assert_eq!(after.0, before.0, "the epoch goes on");
        match stop {
            true => assert_eq!(after.1, before.1),
            false => assert!(after.1 > before.1, "{after:?} after {before:?}"),
        }
        progress(&daemon, "t", 1).await;
        before = now(&daemon).await;
        assert_eq!(before.1, after.1 + 1);
    }
}

#[tokio::test]
async fn a_line_that_cannot_be_proven_gets_another_name_and_goes_on_above() {
    // What is done to the files while no daemon runs, and whether the tasks are still there.
    type Deed = (&'static str, fn(&Daemon), bool);
    let deeds: [Deed; 4] = [
        (
            "the database is gone",
            |d| fs::remove_file(file(d, "gz-monitor.db")).expect("gone"),
            false,
        ),
        ("the proof is gone", |d| fs::remove_file(file(d, "gz-monitor.line")).expect("gone"), true),
        (
            "an old copy is put back",
            |d| {
                fs::copy(file(d, "copy"), file(d, "gz-monitor.db")).expect("a copy");
            },
            true,
        ),
        ("the proof is nonsense", |d| fs::write(file(d, "gz-monitor.line"), "x").expect("x"), true),
    ];
    for (what, deed, has_tasks) in deeds {
        let first = daemon().config(QUIET).start().await;
        create(&first, "t").await;
        // Closed in order, one file is all there is.
        let mut second = first.stopped().await.launch();
        second.signal("TERM");
        assert!(second.ended().await.success());
        fs::copy(file(&second, "gz-monitor.db"), file(&second, "copy")).expect("a copy");
        let third = second.stopped_already().start().await;
        progress(&third, "t", 50).await;
        let before = now(&third).await;
        let mut third = third;
        third.signal("TERM");
        assert!(third.ended().await.success());
        deed(&third);
        let fourth = third.stopped_already().start().await;
        let after = now(&fourth).await;
        assert_ne!(after.0, before.0, "{what}");
        assert!(after.1 >= before.1 || what.starts_with("the proof"), "{what}: {after:?}");
        let tasks = fourth.get("/api/v1/tasks").await.json();
        assert_eq!(tasks["tasks"].as_array().is_some_and(|t| !t.is_empty()), has_tasks, "{what}");
        let since = format!("{}:{}", before.0, before.1);
        let mut client = fourth.resumed(&since).await;
        let resumed = crate::Resumed::read(&mut client).await;
        assert!(!resumed.is_complete() && resumed.events.is_empty(), "{what}");
        assert_eq!(resumed.gaps[0]["reason"], "epoch", "{what}");
        assert_eq!(place(&resumed.initial), after, "{what}");
    }
}

#[tokio::test]
async fn a_broken_file_is_set_aside_and_said_loudly() {
    let nonsense = |path: &std::path::Path| fs::write(path, vec![b'x'; 20_000]).expect("written");
    let cut = |path: &std::path::Path| {
        let file = fs::OpenOptions::new().write(true).open(path).expect("a file");
        let half = file.metadata().expect("a size").len() / 2;
        file.set_len(half).expect("cut");
    };
    let breaks: [&dyn Fn(&std::path::Path); 2] = [&nonsense, &cut];
    for break_it in breaks {
        let mut first = daemon().config(QUIET).start().await;
        for number in 0..50 {
            create(&first, &format!("t{number}")).await;
        }
        let before = now(&first).await;
        first.signal("TERM");
        assert!(first.ended().await.success());
        break_it(&file(&first, "gz-monitor.db"));
        let broken = fs::read(file(&first, "gz-monitor.db")).expect("a file");
        let second = first.stopped_already().start().await;
        let log = second.log();
        assert!(log.contains("THE DATABASE IS BROKEN"), "{log}");
        let folder = file(&second, "");
        let names = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
        let aside: Vec<_> =
            names.filter(|path| path.to_string_lossy().contains(".db.broken-2")).collect();
        assert_eq!(aside.len(), 1, "{aside:?}");
        assert_eq!(fs::read(&aside[0]).expect("a file"), broken, "nothing of it is lost");
        assert_ne!(now(&second).await.0, before.0);
        create(&second, "new").await;
    }
}

#[tokio::test]
async fn a_second_daemon_does_without_unless_it_was_told_where() {
    let first = daemon().config(QUIET).start().await;
    let state = first.path().join("state").display().to_string();
    let second = daemon().env("XDG_STATE_HOME", &state).start().await;
    assert!(second.log().contains("another gz-monitor of this user"), "{}", second.log());
    let task = second.post("/api/v1/tasks", json!({"id": "t", "name": "n"})).await.json();
    assert_eq!(task["durable"], false);
    assert_eq!(first.get("/api/v1/tasks/t").await.status, 404);

    let folder = first.path().join("state/gz-monitor").display().to_string();
    let told = Command::new(PROGRAM)
        .args(["server", "--port", "0", "--config"])
        .arg(first.path().join("gz-monitor.toml"))
        .env("GZ_MONITOR__STORAGE__PATH", &folder)
        .output();
    let told = told.expect("it runs");
    let error = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(1), "{error}");
    for part in ["gz-monitor.db: another gz-monitor uses it", "storage.path"] {
        assert!(error.contains(part), "{error}");
    }
    // Nobody has waited for the lock: it is free when its holder is gone.
    drop(first.killed().start().await);
}

#[tokio::test]
async fn nothing_is_kept_if_nothing_is_to_be_kept() {
    for config in ["[storage]\nenabled = false", "[storage]\npath = \"\""] {
        let daemon = daemon().config(config).start().await;
        let task = daemon.post("/api/v1/tasks", json!({"id": "t", "name": "n"})).await.json();
        assert_eq!(task["durable"], false, "{config}");
        let ended = daemon.patch("/api/v1/tasks/t", json!({"status": "failed"})).await;
        assert_eq!(ended.status, 200);
        let deleted = daemon.delete("/api/v1/tasks/t").await;
        assert_eq!((deleted.status, deleted.json()), (200, json!({"durable": false})));
        assert!(!daemon.path().join("state").exists());
        let events = daemon.get("/api/v1/events").await.json();
        assert_eq!(events["events"].as_array().map(Vec::len), Some(2), "{events}");
    }
}

#[tokio::test]
async fn it_says_how_storage_is_doing() {
    let config = "[collectors]\ninterval = \"200ms\"";
    let daemon = daemon().config(config).start().await;
    create(&daemon, "t").await;
    until("the numbers are there", async || {
        let text = daemon.get("/metrics").await.text;
        let has = |line: &str| text.lines().any(|l| l == line);
        let all = has("gz_storage_events 1") && has("gz_storage_degraded 0");
        (all && text.contains("gz_storage_commit_duration_seconds_total ")).then_some(())
    })
    .await;
}
