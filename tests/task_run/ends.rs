//! How a command ends, what is made of it, and how its end is asked for.

use std::process::Stdio;

use serde_json::json;

use crate::support::{daemon, until};
use crate::{QUIET, output, run, text, the_task, until_task};

#[tokio::test]
async fn the_exit_code_is_the_commands_and_says_what_became_of_the_task() {
    let cases = [
        (&["true"][..], 0, "completed", "exit_code", json!(0)),
        (&["sh", "-c", "exit 3"], 3, "failed", "exit_code", json!(3)),
        (&["sh", "-c", "kill -TERM $$"], 143, "failed", "signal", json!("SIGTERM")),
        (&["sh", "-c", "kill -KILL $$"], 137, "failed", "signal", json!("SIGKILL")),
        (&["sh", "-c", "kill -INT $$"], 130, "cancelled", "signal", json!("SIGINT")),
        (&["/nonexistent/x"], 127, "failed", "error", json!(null)),
        (&["/dev/null"], 126, "failed", "error", json!(null)),
    ];
    for (command, code, status, what, expected) in cases {
        let daemon = daemon().config(QUIET).start().await;
        let output = output(&daemon, &["--name", "n"], command);
        assert_eq!(output.status.code(), Some(code), "{command:?}: {}", text(&output.stderr));
        let task = the_task(&daemon).await;
        assert_eq!((&task["status"], &task["name"]), (&json!(status), &json!("n")), "{task}");
        let said = &task["details"][what];
        assert!(*said == expected || expected.is_null() && said.is_string(), "{task}");
        assert!(task["end_time"].is_string() && task.get("rate").is_none(), "{task}");
        let speaks = !output.stderr.is_empty();
        assert_eq!(speaks, code == 126 || code == 127, "{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn signals_reach_the_command_and_all_that_it_has_started() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let daemon = daemon().config(QUIET).start().await;
        let command = ["sh", "-c", "ulimit -c 0; echo '[1/2]'; sleep 1000; true"];
        let mut run = run(daemon.path(), &daemon.url(""), &[], &command);
        let mut child = run.stdout(Stdio::piped()).spawn().expect("it runs");
        until_task(&daemon, "it runs", |task| task["processed"] == 1).await;
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.expect("kill").success());
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(code), "SIG{signal}");
        let task = the_task(&daemon).await;
        assert_eq!(task["status"], "cancelled", "{task}");
    }
}

#[tokio::test]
async fn a_request_to_stop_ends_it_gently_or_not() {
    let gentle = "trap 'echo ending; exit 7' TERM; echo '[1/2]'; while :; do sleep 0.1; done";
    let stubborn = "trap '' TERM; echo '[1/2]'; while :; do sleep 0.1; done";
    for (script, code) in [(gentle, 7), (stubborn, 137)] {
        let daemon = daemon().config(QUIET).start().await;
        let flags = ["--id", "i", "--grace", "500ms"];
        let mut run = run(daemon.path(), &daemon.url(""), &flags, &["sh", "-c", script]);
        let mut child = run.stdout(Stdio::null()).spawn().expect("it runs");
        until_task(&daemon, "it runs", |task| task["processed"] == 1).await;
        let asked = std::process::Command::new(crate::PROGRAM)
            .args(["task", "stop", "i", "--url", &daemon.url("")])
            .output()
            .expect("it runs");
        assert!(text(&asked.stdout).starts_with("asked to stop"), "{}", text(&asked.stderr));
        assert_eq!(child.wait().expect("it ends").code(), Some(code));
        let task = the_task(&daemon).await;
        assert_eq!((&task["status"], &task["stop_requested"]), (&json!("cancelled"), &json!(true)));
    }
}

#[tokio::test]
async fn what_it_leaves_running_is_not_waited_for() {
    let daemon = daemon().config(QUIET).start().await;
    let marker = daemon.path().join("marker");
    let script = format!("sleep 1000 & echo $! > {}; echo started", marker.display());
    let output = output(&daemon, &[], &["sh", "-c", &script]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "started\n".to_owned()));
    assert_eq!(the_task(&daemon).await["details"]["output"], json!(["started"]));
    let left = std::fs::read_to_string(marker).expect("a number");
    let killed = std::process::Command::new("kill").arg(left.trim()).status();
    assert!(killed.expect("kill").success(), "it was left running");
}

#[tokio::test]
async fn tasks_are_listed_and_shown() {
    let daemon = daemon().config(QUIET).start().await;
    output(&daemon, &["--id", "a", "--name", "done"], &["echo", "the last line"]);
    let flags = ["--id", "b", "--name", "going on", "--heartbeat", "5m"];
    let mut run = run(daemon.path(), &daemon.url(""), &flags, &["sleep", "1000"]);
    let mut child = run.spawn().expect("it runs");
    let ask = |arguments: &[&str]| {
        let mut command = std::process::Command::new(crate::PROGRAM);
        let output = command.arg("task").args(arguments).args(["--url", &daemon.url("")]).output();
        let output = output.expect("it runs");
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    until("it is listed", async || ask(&["list"]).1.contains("going on").then_some(())).await;
    let (_, listed, _) = ask(&["list"]);
    assert!(!listed.contains("done") && listed.starts_with("ID  STATUS"), "{listed}");
    let (_, all, _) = ask(&["list", "--all"]);
    assert!(all.contains("a   completed  100 %"), "{all}");
    let (_, shown, _) = ask(&["show", "a"]);
    assert!(shown.contains("the last line") && shown.contains("exit_code     0"), "{shown}");
    let (code, _, error) = ask(&["show", "nope"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("there is no task \"nope\"; `gz-monitor task list --all`"), "{error}");
    assert!(ask(&["stop", "b"]).1.starts_with("asked to stop"));
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    let (code, _, error) = ask(&["stop", "b"]);
    assert!(code == Some(1) && error.contains("it has ended, which is final"), "{error}");
}
