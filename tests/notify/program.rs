//! Programs that are told of alerts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{daemon, until};
use crate::{AT_ONCE, fire, until_channel};

/// A program in a folder.
fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    path
}

#[tokio::test]
async fn a_program_gets_the_alerts_on_its_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let text = format!(
        "#!/bin/sh\ncat > {out}.new\necho \"$GZ_MONITOR_STATUS $1\" >> {out}.new\nmv {out}.new {out}\necho paged\n",
        out = out.display()
    );
    let program = script(folder.path(), "page", &text);
    let config = format!(
        "{AT_ONCE}[notify.channel.page]\ntype = \"command\"\ncommand = [{program:?}, \"a; b $(c)\"]\n"
    );
    let daemon = daemon().config(&config).start().await;
    fire(&daemon, "cpu", "high").await;
    let told = until("it has run", async || fs::read_to_string(&out).ok()).await;
    let (body, rest) = told.split_once('\n').unwrap_or((&told, ""));
    let (body, rest) = match body.rfind('}') {
        Some(end) => (&body[..=end], format!("{}\n{rest}", &body[end + 1..])),
        None => (body, rest.to_owned()),
    };
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["alerts"][0]["rule_id"], "cpu");
    assert_eq!(rest.trim(), "firing a; b $(c)", "no shell has read it");
    let fine = until_channel(&daemon, "page", |channel| channel["sent"] == 1).await;
    assert_eq!(fine["state"], "ok");
}

#[tokio::test]
async fn one_that_fails_or_hangs_or_is_not_there_is_told_of_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let pid = folder.path().join("pid");
    let fails = script(folder.path(), "fails", "#!/bin/sh\necho no signal >&2\nexit 3\n");
    let text = format!("#!/bin/sh\nsleep 600 &\necho $! > {}\nwait\n", pid.display());
    let hangs = script(folder.path(), "hangs", &text);
    let channel = |name: &str, program: &str| {
        format!(
            "[notify.channel.{name}]\ntype = \"command\"\ncommand = [{program:?}]\ntimeout = \"1s\"\n"
        )
    };
    let config = [
        AT_ONCE.to_owned(),
        channel("fails", &fails.display().to_string()),
        channel("hangs", &hangs.display().to_string()),
        channel("absent", "/nonexistent/program"),
    ]
    .concat();
    let daemon = daemon().config(&config).start().await;
    fire(&daemon, "cpu", "high").await;
    for (name, expected) in [
        ("fails", "exit status: 3; its last words: no signal"),
        ("absent", "cannot run /nonexistent/program"),
        ("hangs", ""),
    ] {
        let has_failed =
            |channel: &Value| channel["error"].as_str().is_some_and(|e| e.contains(expected));
        let shown = until_channel(&daemon, name, has_failed).await;
        assert_eq!(shown["pending"], json!(1), "{name} is tried again");
    }
    let pid = fs::read_to_string(pid).expect("it has started");
    until("what it has started is gone", async || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        // Somebody else may have to wait for it still.
        stat.map_or(Some(()), |stat| stat.contains(") Z ").then_some(()))
    })
    .await;
}
