//! A daemon that is not there: the command does not care, and the daemon hears of it later.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{PROGRAM, until};
use crate::{output, quiet, run, text, the_task, until_task};

#[tokio::test]
async fn a_run_without_a_daemon_is_delivered_when_there_is_one() {
    let (builder, url) = quiet();
    let folder = builder.path().to_owned();
    let waiting = folder.join("state/gz-monitor/undelivered");
    let flags = ["--wait", "0s", "--name", "backup", "--id", "i"];
    let script = "echo '[1/3] copied'; sleep 1; exit 4";
    let alone = run(&folder, &url, &flags, &["sh", "-c", script]).output().expect("it runs");
    assert_eq!((alone.status.code(), text(&alone.stdout)), (Some(4), "[1/3] copied\n".to_owned()));
    let said = text(&alone.stderr);
    for part in ["task \"i\" (backup) is not delivered", "no daemon answers", "task deliver"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(fs::read_dir(&waiting).expect("a folder").count(), 1);

    let daemon = builder.start().await;
    let deliver = || {
        let mut command = Command::new(PROGRAM);
        command.args(["task", "deliver", "--url", &url]);
        let output = command.env("XDG_STATE_HOME", folder.join("state")).output();
        text(&output.expect("it runs").stdout)
    };
    assert_eq!(deliver(), "delivered: i (backup)\n");
    assert_eq!(deliver(), "nothing waits\n");
    let task = the_task(&daemon).await;
    assert_eq!((&task["status"], &task["processed"]), (&json!("failed"), &json!(1)));
    let time = |key: &str| -> jiff::Timestamp {
        task[key].as_str().and_then(|time| time.parse().ok()).expect("a time")
    };
    let lasted = time("end_time").duration_since(time("start_time"));
    assert!(lasted.as_millis() >= 1000, "it has its own times: {task}");
}

#[tokio::test]
async fn the_next_run_takes_it_along() {
    let (builder, url) = quiet();
    let folder = builder.path().to_owned();
    run(&folder, &url, &["--wait", "0s", "--id", "first"], &["true"]).output().expect("it runs");
    let daemon = builder.start().await;
    let mut second = run(&folder, &url, &["--id", "second"], &["sleep", "1000"]);
    let mut second = second.spawn().expect("it runs");
    until("the first is there", async || {
        let first = daemon.get("/api/v1/tasks/first").await.json();
        (first["status"] == "completed").then_some(())
    })
    .await;
    daemon.post_nothing("/api/v1/tasks/second/stop").await;
    assert_eq!(second.wait().expect("it ends").code(), Some(143));
}

#[tokio::test]
async fn a_daemon_that_comes_late_hears_all_that_matters() {
    let (builder, url) = quiet();
    let mut command = crate::Told::start(builder.path(), &url, &["--wait", "60s"]);
    command.print("[1/9] a\n[2/9] b\n");
    let daemon = builder.start().await;
    until_task(&daemon, "it is at two", |task| task["processed"] == 2).await;
    // What it keeps is lost, and it is told anew.
    let builder = daemon.killed();
    fs::remove_dir_all(builder.path().join("state")).expect("removed");
    let daemon = builder.start().await;
    command.print("[3/9] c\n");
    until_task(&daemon, "it is at three", |task| task["processed"] == 3).await;
    assert_eq!(command.end().status.code(), Some(0));
    assert_eq!(the_task(&daemon).await["status"], "completed");
}

#[tokio::test]
async fn what_the_daemon_refuses_is_said_and_changes_nothing() {
    let (builder, _) = quiet();
    let daemon = builder.start().await;
    let first = output(&daemon, &["--id", "i"], &["echo", "one"]);
    assert_eq!((first.status.code(), first.stderr.len()), (Some(0), 0));
    let again = output(&daemon, &["--id", "i"], &["sh", "-c", "exit 9"]);
    assert_eq!(again.status.code(), Some(9));
    let said = text(&again.stderr);
    assert!(said.contains("was not reported as task \"i\""), "{said}");
    let answer = daemon.get("/api/v1/tasks/i").await.json();
    assert_eq!(answer["status"], "completed", "{answer}");
}

#[tokio::test]
async fn a_broken_configuration_keeps_no_command_from_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("broken.toml");
    fs::write(&file, "[server]\nport = \"x\"\n").expect("a file");
    let output = Command::new(PROGRAM)
        .arg("--config")
        .arg(&file)
        .args(["task", "run", "--wait", "0s", "--", "sh", "-c", "echo ran; exit 2"])
        .env("XDG_STATE_HOME", folder.path())
        .output()
        .expect("it runs");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), "ran\n".to_owned()));
    assert!(text(&output.stderr).contains("broken.toml"), "{}", text(&output.stderr));
}

#[tokio::test]
async fn heartbeats_are_sent_and_their_end_is_noticed() {
    let (builder, url) = quiet();
    let folder = builder.path().to_owned();
    let daemon = builder.start().await;
    let flags = ["--heartbeat", "3s", "--id", "i"];
    let mut run = run(&folder, &url, &flags, &["sleep", "1000"]);
    let mut child = run.spawn().expect("it runs");
    // Its updates without news.
    let task = until_task(&daemon, "it is heard", |task| task["update"].as_u64() > Some(3)).await;
    assert!(task.get("stalled").is_none() && task["progress"] == 0, "{task}");
    let stop = |name: &str| {
        let kill = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
        assert!(kill.expect("kill").success());
    };
    stop("STOP");
    until_task(&daemon, "it has stalled", |task| task["stalled"] == true).await;
    stop("CONT");
    until_task(&daemon, "it is heard again", |task| task.get("stalled").is_none()).await;
    daemon.post_nothing("/api/v1/tasks/i/stop").await;
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    let _: Value = the_task(&daemon).await;
}
