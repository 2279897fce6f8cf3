//! The Unix socket, and the commands that reach a daemon by it.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Builder, Daemon, PROGRAM, daemon, until};
use crate::{collector, until_collected};

/// A daemon whose runtime folder is its own.
fn with_runtime_folder() -> Builder {
    let builder = daemon();
    let folder = builder.path().display().to_string();
    builder.env("RUNTIME_DIRECTORY", &format!("{folder}:/run/other"))
}

fn socket(daemon: &Daemon) -> PathBuf {
    daemon.path().join("gz-monitor.sock")
}

/// A command as systemd would run it beside the daemon: exit code, standard output and error.
fn beside(daemon: &Daemon, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("RUNTIME_DIRECTORY", daemon.path()).stdin(Stdio::null());
    let output = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("a file").mode() & 0o7777
}

#[tokio::test]
async fn a_reload_tells_what_has_changed_and_what_is_wrong() {
    let daemon = with_runtime_folder().start().await;
    let file = daemon.path().join("gz-monitor.toml");
    let reload = || beside(&daemon, &["reload"]);

    let text =
        "[collectors]\ninterval = \"2s\"\n[[collector]]\nplugin = \"load\"\nenabled = false\n";
    fs::write(&file, text).expect("a file");
    let (code, out, err) = reload();
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let changes = "collectors.interval 5s -> 2s\ncollector[load] added\n";
    assert_eq!(out, changes);
    assert_eq!(collector(&daemon, "load").await, json!(null), "it is in force already");
    assert_eq!(reload(), (0, "reloaded: nothing has changed\n".to_owned(), String::new()));

    let wrong = "[server]\nprot = 1\n[log]\nlevel = \"loud\"\n";
    fs::write(&file, wrong).expect("a file");
    let (code, out, err) = reload();
    let config = file.display().to_string();
    let (_, _, checked) = beside(&daemon, &["check-config", "--config", &config]);
    let problems = |text: &str| text.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((code, out.as_str(), problems(&err)), (78, "", problems(&checked)), "{err}");
    assert_eq!(err.lines().count(), 3, "{err}");

    let text = format!("[server]\nsocket = \"{}\"\n", file.display());
    fs::write(&file, text).expect("a file");
    let (code, _, err) = reload();
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("there is something that is not a socket"), "{err}");
    assert_eq!(collector(&daemon, "cpu").await["interval"], "2s");
    until_collected(&daemon, "cpu").await;
}

#[tokio::test]
async fn it_is_for_owner_and_group_and_gone_at_the_end() {
    let builder = with_runtime_folder();
    let path = builder.path().join("gz-monitor.sock");
    // Of a daemon that was killed.
    drop(UnixListener::bind(&path).expect("a socket"));
    let mut daemon = builder.start().await;
    assert_eq!(mode(&path), 0o660);
    assert!(!path.with_extension("sock.new").exists());

    let (code, out, _) = beside(&daemon, &["status"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains(&format!(", {})\n", path.display())), "{out}");
    let (code, out, _) = beside(&daemon, &["plugin", "restart", "load"]);
    assert_eq!((code, out.as_str()), (0, "load starts anew\n"));
    daemon.until_logged("restarted by request").await;

    let config = daemon.path().join("gz-monitor.toml").display().to_string();
    let (code, _, err) = beside(&daemon, &["server", "--port", "0", "--config", &config]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("another daemon answers there"), "{err}");
    assert!(UnixStream::connect(&path).is_ok(), "the first one is served");

    daemon.signal("TERM");
    assert_eq!(daemon.ended().await.code(), Some(0));
    assert!(!path.exists());
}

#[tokio::test]
async fn clients_of_the_stream_come_by_it_too() {
    let daemon = with_runtime_folder().start().await;
    let mut command = Command::new(PROGRAM);
    command.arg("watch").env("RUNTIME_DIRECTORY", daemon.path()).stdout(Stdio::piped());
    let mut watch = command.spawn().expect("the program starts");
    let client = until("a client", async || {
        let clients = daemon.get("/api/v1/clients").await.json();
        clients["clients"].as_array()?.first().cloned()
    })
    .await;
    assert_eq!(client["address"], "unix", "{client}");
    let sent = until("it has been sent something", async || {
        let clients = daemon.get("/api/v1/clients").await.json();
        clients["clients"][0]["messages_sent"].as_u64().filter(|count| *count > 1)
    })
    .await;
    assert!(sent > 1);
    watch.kill().expect("killed");
    watch.wait().expect("its end");
}

#[tokio::test]
async fn a_reload_moves_it() {
    let daemon = with_runtime_folder().start().await;
    let (old, new) = (socket(&daemon), daemon.path().join("new.sock"));
    daemon.reload(&format!("[server]\nsocket = \"{}\"\n", new.display()));
    until("the new one is there", async || UnixStream::connect(&new).ok()).await;
    until("the old one is gone", async || (!old.exists()).then_some(())).await;
    assert!(fs::symlink_metadata(&new).expect("a file").file_type().is_socket());
    daemon.reload("[server]\nsocket = \"\"\n");
    until("there is none", async || (!new.exists()).then_some(())).await;
    daemon.until_ready().await;
}

#[tokio::test]
async fn a_reload_by_http_and_by_signal_take_turns() {
    let daemon = daemon().start().await;
    let file = daemon.path().join("gz-monitor.toml");
    for round in 1..=5_u32 {
        let text = format!("[[collector]]\nplugin = \"load\"\ninterval = \"{round}s\"\n");
        fs::write(&file, text).expect("a file");
        daemon.signal("HUP");
        let answers = tokio::join!(
            daemon.post_nothing("/api/v1/reload"),
            daemon.post_nothing("/api/v1/reload"),
        );
        let changed = [&answers.0, &answers.1].map(|answer| {
            assert_eq!(answer.status, 200, "{}", answer.text);
            answer.json()["changes"].as_array().map(Vec::len)
        });
        assert!(changed.contains(&Some(0)), "only the first finds something new: {changed:?}");
        assert_eq!(collector(&daemon, "load").await["interval"], format!("{round}s"));
    }
    fs::write(&file, "[server]\nprot = 1\n").expect("a file");
    let refused = daemon.post_nothing("/api/v1/reload").await;
    let problem: Value = refused.json();
    assert_eq!((refused.status, &problem["code"]), (422, &json!("invalid_configuration")));
    let problems = problem["problems"].as_array().expect("a list");
    assert_eq!(problems.len(), 1, "{problem}");
    assert!(
        problems[0].as_str().is_some_and(|line| line.contains(":2: server.prot: ")),
        "{problem}"
    );
}
