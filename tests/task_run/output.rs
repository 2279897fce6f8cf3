//! What a command prints: unchanged on its way, and told by the task.

use serde_json::{Value, json};

use crate::support::daemon;
use crate::{QUIET, Told, events, output, text, the_task, until_task};

#[tokio::test]
async fn both_streams_pass_unchanged() {
    let daemon = daemon().config(QUIET).start().await;
    let script = r"printf 'a\r10%%\r\n\000\377\033[1mb'; printf 'c\n\r\rd' >&2; exit 5";
    let output = output(&daemon, &[], &["sh", "-c", script]);
    assert_eq!(output.stdout, b"a\r10%\r\n\0\xff\x1b[1mb");
    assert_eq!(output.stderr, b"c\n\r\rd");
    assert_eq!(output.status.code(), Some(5));
    let lines = the_task(&daemon).await["details"]["output"].take();
    let mut lines: Vec<&str> =
        lines.as_array().expect("lines").iter().filter_map(Value::as_str).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["10%", "c", "d", "\u{fffd}b"]);
}

#[tokio::test]
async fn progress_is_read_and_the_last_lines_are_kept() {
    let daemon = daemon().config(QUIET).start().await;
    let mut command = Told::start(daemon.path(), &daemon.url(""), &["--lines", "2"]);
    command.print("100% cotton\n[1/4] one\n");
    let task = until_task(&daemon, "it is at one", |task| task["processed"] == 1).await;
    assert_eq!((&task["progress"], &task["total"]), (&json!(25), &json!(4)));
    command.print("50%\r75%");
    until_task(&daemon, "it is at 75 %", |task| task["progress"] == 75).await;
    command.print("\r{\"processed\":3,\"total\":4,\"details\":{\"errors\":2}}\nlast\n");
    until_task(&daemon, "it is at three", |task| task["processed"] == 3).await;
    let output = command.end();
    assert_eq!(output.status.code(), Some(0));
    let task = the_task(&daemon).await;
    let details = json!({"command": "cat", "errors": 2, "exit_code": 0,
        "output": ["{\"processed\":3,\"total\":4,\"details\":{\"errors\":2}}", "last"]});
    assert_eq!(task["details"], details);
    assert_eq!((&task["progress"], &task["status"]), (&json!(100), &json!("completed")));
}

#[tokio::test]
async fn a_flood_is_told_in_few_words_and_its_last_one_is_never_lost() {
    let daemon = daemon().config(QUIET).start().await;
    let script = "i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo \"[$i/6000] x\"; done; exit 1";
    let output = output(&daemon, &["--heartbeat", "0s"], &["sh", "-c", script]);
    assert_eq!(text(&output.stdout).lines().count(), 5000);
    let events = events(&daemon).await;
    let (first, last) = (&events[0], events.last().expect("an end"));
    assert_eq!((&last["status"], &last["processed"]), (&json!("failed"), &json!(5000)));
    assert_eq!(last["details"]["output"].as_array().map(Vec::len), Some(20));
    // However slow this machine is: no more than ten a second.
    let time = |task: &Value, key: &str| -> jiff::Timestamp {
        task[key].as_str().and_then(|time| time.parse().ok()).expect("a time")
    };
    let lasted = time(last, "end_time").duration_since(time(first, "start_time"));
    let most = lasted.as_millis() / 100 + 3;
    assert!(events.len() as i128 <= most, "{} in {lasted:?}", events.len());
}

#[tokio::test]
async fn details_fit_whatever_the_daemon_allows() {
    let config = format!("{QUIET}[tasks]\nmax_details_size = \"300B\"\n");
    let daemon = daemon().config(&config).start().await;
    let script = "for i in 1 2 3 4 5 6 7 8 9; do printf 'line %0200d\\n' $i; done; echo last";
    output(&daemon, &["--lines", "100"], &["sh", "-c", script]);
    let details = the_task(&daemon).await["details"].take();
    assert_eq!(details["exit_code"], 0, "{details}");
    let lines = details["output"].as_array().expect("lines");
    assert_eq!(lines.last(), Some(&json!("last")), "the newest ones stay: {details}");
}

#[tokio::test]
async fn a_reader_that_goes_away_is_the_commands_affair() {
    let daemon = daemon().config(QUIET).start().await;
    let mut run = crate::run(daemon.path(), &daemon.url(""), &[], &["yes"]);
    let mut child = run.stdout(std::process::Stdio::piped()).spawn().expect("it runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(141), "by SIGPIPE, as without us");
    assert_eq!(the_task(&daemon).await["details"]["signal"], "SIGPIPE");
}
