//! Addresses that other machines can reach: refused without TLS and a token, and warned of otherwise.

use std::process::{Command, Output};

use serde_json::json;

use crate::certificates::{Pair, config};
use crate::support::{PATIENCE, PROGRAM, daemon};

/// A command that is to end by itself. One that does not, for it serves what it was to refuse, is
/// ended with 124 (timeout(1)).
fn command(program: &str) -> Command {
    let mut command = Command::new("timeout");
    command.arg(PATIENCE.as_secs().to_string()).arg(program);
    command
}

fn text_of(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    assert_ne!(output.status.code(), Some(124), "it did not end by itself: {text}");
    text
}

/// Starts a daemon that is to refuse, and gives its code and what it says.
fn refused(with_tls: bool, with_token: bool) -> (i32, String) {
    const SERVER: &str = "host = \"0.0.0.0\"\nport = 0";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gz-monitor.toml");
    let text = match with_tls {
        true => config(folder.path(), SERVER),
        false => format!("[server]\n{SERVER}"),
    };
    Pair::new(1, 90).write(folder.path());
    std::fs::write(&file, text).expect("a file");
    let state = folder.path().join("state");
    let run = |arguments: &[&str]| {
        let mut command = command(PROGRAM);
        command.args(arguments).arg("--config").arg(&file);
        command.env("XDG_STATE_HOME", &state).env_remove("STATE_DIRECTORY");
        let output = command.output().expect("the program runs");
        (output.status.code().unwrap_or(-1), text_of(&output))
    };
    if with_token {
        let (code, err) = run(&["token", "create", "--name", "a", "--role", "viewer"]);
        assert_eq!(code, 0, "{err}");
    }
    run(&["server"])
}

#[test]
fn without_tls_and_a_token_nothing_is_opened() {
    let check = |with_tls: bool, with_token: bool, texts: &[&str]| {
        let (code, err) = refused(with_tls, with_token);
        assert_eq!(code, 78, "{err}");
        for text in texts.iter().chain(&["other machines can reach 0.0.0.0", "insecure = true"]) {
            assert!(err.contains(text), "{text}: {err}");
        }
    };
    check(false, false, &["without TLS, and nobody has to log in", "token create", "server.tls"]);
    check(false, true, &["without TLS, so that everybody on the way", "server.tls"]);
    check(true, false, &["there is no token", "token create"]);
}

#[test]
fn a_socket_of_the_service_manager_is_no_way_around() {
    let socket = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let script = r#"exec 3<&0 0</dev/null; export LISTEN_PID=$$; exec "$@""#;
    let output = command("/bin/sh")
        .args(["-c", script, "sh", PROGRAM, "server"])
        .env("LISTEN_FDS", "1")
        .env("LISTEN_FDNAMES", "http")
        .env("XDG_STATE_HOME", folder.path())
        .env_remove("STATE_DIRECTORY")
        .stdin(std::os::fd::OwnedFd::from(socket))
        .output()
        .expect("the program runs");
    let err = text_of(&output);
    assert_eq!(output.status.code(), Some(78), "{err}");
    assert!(err.contains("without TLS, and nobody has to log in"), "{err}");
    assert!(err.contains("gz-monitor.socket"), "{err}");
}

#[tokio::test]
async fn what_is_open_all_the_same_is_said() {
    let config = "[server]\nhost = \"0.0.0.0\"\ninsecure = true";
    let daemon = daemon().config(config).start().await;
    let danger = format!("other machines can reach {} without TLS, and nobody has to log in", {
        let mut all = daemon.address;
        all.set_ip([0, 0, 0, 0].into());
        all
    });
    let warnings = daemon.get("/api/v1/session").await.json()["warnings"].clone();
    assert_eq!(warnings, json!([danger]));
    daemon.until_logged(&danger).await;
}
