//! A disk that fills, one that cannot be written, none at all: the stream goes on and says so.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Builder, Daemon, daemon, until};
use crate::{QUIET, Resumed, create, now};

/// A small file system of its own, which takes root to make.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None`, and a line that says so, for who may not mount.
    pub fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let is_mounted = run("mount", &["-t", "tmpfs", "-o", "size=2m", "tmpfs"], folder.path());
        if !is_mounted {
            let _ = writeln!(io::stderr(), "SKIPPED: mounting a file system takes root");
        }
        is_mounted.then_some(Self(folder))
    }

    pub fn remount(&self, how: &str) {
        assert!(run("mount", &["-o", &format!("remount,{how}")], self.0.path()), "remounted {how}");
    }

    pub fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// Leaves no room.
    pub fn fill(&self) {
        let mut size = 1 << 20;
        for number in 0.. {
            let path = self.0.path().join(format!("filler-{number}"));
            if fs::write(path, vec![0; size]).is_err() {
                if size < 4096 {
                    return;
                }
                size /= 2;
            }
        }
    }

    pub fn free(&self) {
        for entry in fs::read_dir(self.0.path()).expect("a folder").flatten() {
            if entry.file_name().to_string_lossy().starts_with("filler") {
                fs::remove_file(entry.path()).expect("removed");
            }
        }
    }

    fn daemon(&self) -> Builder {
        let path = self.state();
        daemon().config(&format!("{QUIET}[storage]\npath = \"{}\"\n", path.display()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run("umount", &["-l"], self.0.path());
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) -> bool {
    let output = Command::new(program).args(arguments).arg(path).output();
    output.is_ok_and(|output| output.status.success())
}

/// The state of the alert that tells of trouble.
async fn alert(daemon: &Daemon) -> Value {
    let all = daemon.get("/api/v1/alerts").await.json();
    let all = all["alerts"].as_array().expect("a list");
    all.iter().find(|alert| alert["rule_id"] == "storage").cloned().unwrap_or_default()
}

pub async fn until_alert_is(daemon: &Daemon, status: &str) -> Value {
    until(&format!("the storage alert is {status}"), async || {
        Some(alert(daemon).await).filter(|alert| alert["status"] == status)
    })
    .await
}

/// Changes a task until the answer says that it is not on disk.
async fn until_not_durable(daemon: &Daemon) {
    let details = "x".repeat(15_000);
    for _ in 0..400 {
        let answer = daemon.patch("/api/v1/tasks/t", json!({"details": details})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        if answer.json()["durable"] == false {
            return;
        }
    }
    panic!("the disk never failed");
}

#[tokio::test]
async fn a_disk_that_fills_and_has_room_again() {
    let Some(disk) = SmallDisk::mount() else { return };
    let daemon = disk.daemon().start().await;
    let (epoch, seq) = now(&daemon).await;
    let mut client = daemon.websocket().await;
    client.next_of("initial_state").await;
    create(&daemon, "t").await;
    disk.fill();
    until_not_durable(&daemon).await;
    let firing = until_alert_is(&daemon, "firing").await;
    assert_eq!(firing["severity"], "high", "{firing}");
    assert!(firing["message"].as_str().is_some_and(|text| text.contains("full")), "{firing}");
    let health = daemon.get("/api/v1/health").await.json();
    let checks = health["checks"].as_array().expect("a list");
    assert!(checks.iter().any(|c| c["name"] == "storage" && c["ok"] == false), "{health}");
    let made =
        daemon.post("/api/v1/tasks", json!({"id": "u", "name": "u", "status": "failed"})).await;
    assert_eq!((made.status, &made.json()["durable"]), (201, &json!(false)));
    let gone = daemon.delete("/api/v1/tasks/u").await;
    assert_eq!((gone.status, gone.json()), (200, json!({"durable": false})));
    // The stream has gone on.
    assert_eq!(client.next_of("alert").await["data"]["rule_id"], "storage");
    while client.next_of("task_update").await["data"]["id"] != "u" {}

    disk.free();
    until_alert_is(&daemon, "resolved").await;
    create(&daemon, "v").await;
    let before =
        [daemon.get("/api/v1/tasks").await.json(), daemon.get("/api/v1/alerts").await.json()];
    let (_, last) = now(&daemon).await;
    let daemon = daemon.killed().start().await;
    let after =
        [daemon.get("/api/v1/tasks").await.json(), daemon.get("/api/v1/alerts").await.json()];
    assert_eq!(before, after, "what was in memory is on disk");
    let mut client = daemon.resumed(&format!("{epoch}:{seq}")).await;
    let resumed = Resumed::read(&mut client).await;
    assert!(resumed.is_complete(), "{} {:?}", resumed.resumed, resumed.gaps);
    assert_eq!(resumed.seqs(), Vec::from_iter(seq + 1..=last), "with no hole");
}

#[tokio::test]
async fn what_dies_with_a_full_disk_is_told() {
    let Some(disk) = SmallDisk::mount() else { return };
    let daemon = disk.daemon().start().await;
    create(&daemon, "t").await;
    let (epoch, seq) = now(&daemon).await;
    disk.fill();
    until_not_durable(&daemon).await;
    let killed = daemon.killed();
    disk.free();
    let daemon = killed.start().await;
    assert_eq!(now(&daemon).await.0, epoch, "the line goes on all the same");
    let mut client = daemon.resumed(&format!("{epoch}:{seq}")).await;
    let resumed = Resumed::read(&mut client).await;
    assert!(!resumed.is_complete(), "{}", resumed.resumed);
    assert_eq!(resumed.gaps[0]["reason"], "storage", "{:?}", resumed.gaps);
    // Who was there later has missed nothing.
    let (epoch, seq) = now(&daemon).await;
    let mut client = daemon.resumed(&format!("{epoch}:{seq}")).await;
    assert!(Resumed::read(&mut client).await.is_complete());
}

#[tokio::test]
async fn a_daemon_starts_without_a_disk_and_goes_on_when_there_is_one() {
    for stop in [true, false] {
        a_disk_that_cannot_be_written(stop).await;
    }
}

async fn a_disk_that_cannot_be_written(stop: bool) {
    let Some(disk) = SmallDisk::mount() else { return };
    let daemon = disk.daemon().start().await;
    create(&daemon, "t").await;
    let before = now(&daemon).await;
    // A file system with a file that is open for writing is not made read-only otherwise.
    let daemon = if stop { daemon.stopped().await } else { daemon.killed() };
    disk.remount("ro");
    let daemon = daemon.start().await;
    until_alert_is(&daemon, "firing").await;
    assert_ne!(now(&daemon).await.0, before.0, "nobody could continue this line");
    let tasks = daemon.get("/api/v1/tasks").await.json();
    assert_eq!(tasks["tasks"][0]["id"], "t", "what is on the disk is read: {tasks}");
    let made = daemon.post("/api/v1/tasks", json!({"id": "u", "name": "u"})).await;
    assert_eq!((made.status, &made.json()["durable"]), (201, &json!(false)));
    disk.remount("rw");
    until_alert_is(&daemon, "resolved").await;
    create(&daemon, "v").await;
    let line = now(&daemon).await;
    let daemon = daemon.killed().start().await;
    let after = now(&daemon).await;
    assert!(after.0 == line.0 && after.1 > line.1, "{after:?} after {line:?}");
    let tasks = daemon.get("/api/v1/tasks").await.json();
    let ids: Vec<_> = tasks["tasks"].as_array().expect("a list").iter().map(|t| &t["id"]).collect();
    assert_eq!(ids, ["t", "u", "v"]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made() {
    let config = format!("{QUIET}[storage]\npath = \"/proc/gz-monitor\"\n");
    let daemon = daemon().config(&config).start().await;
    let firing = until_alert_is(&daemon, "firing").await;
    assert!(firing["message"].as_str().is_some_and(|m| m.contains("/proc/gz-monitor")), "{firing}");
    let made = daemon.post("/api/v1/tasks", json!({"id": "t", "name": "n"})).await;
    assert_eq!((made.status, &made.json()["durable"]), (201, &json!(false)));
    let (epoch, seq) = now(&daemon).await;
    daemon.patch("/api/v1/tasks/t", json!({"progress": 1})).await;
    let mut client = daemon.resumed(&format!("{epoch}:{seq}")).await;
    assert_eq!(Resumed::read(&mut client).await.seqs(), [seq + 1], "from the log");
}

#[tokio::test]
async fn a_commit_that_takes_too_long_holds_nobody_up() {
    let config = format!("{QUIET}[storage]\ncommit_timeout = \"100ms\"\n");
    let daemon = daemon().config(&config).start().await;
    let (epoch, seq) = now(&daemon).await;
    create(&daemon, "t").await;
    // Who writes has to wait for the lock, as for a disk that does not answer.
    let path = daemon.path().join("state/gz-monitor/gz-monitor.db");
    let other = rusqlite::Connection::open(path).expect("opened");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let answer = daemon.patch("/api/v1/tasks/t", json!({"progress": 1})).await;
    assert_eq!(answer.json()["durable"], false, "{}", answer.text);
    let firing = until_alert_is(&daemon, "firing").await;
    assert!(firing["message"].as_str().is_some_and(|m| m.contains("commit_timeout")), "{firing}");
    other.execute_batch("ROLLBACK").expect("unlocked");
    until_alert_is(&daemon, "resolved").await;
    create(&daemon, "u").await;
    let (_, last) = now(&daemon).await;
    let daemon = daemon.killed().start().await;
    let mut client = daemon.resumed(&format!("{epoch}:{seq}")).await;
    let resumed = Resumed::read(&mut client).await;
    assert!(resumed.is_complete(), "{}", resumed.resumed);
    assert_eq!(resumed.seqs(), Vec::from_iter(seq + 1..=last));
    assert_eq!(daemon.get("/api/v1/tasks/t").await.json()["progress"], 1);
}

#[tokio::test]
async fn a_database_that_is_deleted_while_it_runs_is_begun_anew() {
    let daemon = daemon().config(QUIET).start().await;
    create(&daemon, "t").await;
    for end in ["", "-wal", "-shm"] {
        let path = daemon.path().join(format!("state/gz-monitor/gz-monitor.db{end}"));
        fs::remove_file(path).expect("removed");
    }
    until_not_durable(&daemon).await;
    until_alert_is(&daemon, "resolved").await;
    create(&daemon, "u").await;
    let daemon = daemon.killed().start().await;
    let tasks = daemon.get("/api/v1/tasks").await.json();
    assert_eq!(tasks["tasks"].as_array().map(Vec::len), Some(2), "{tasks}");
}
