//! Users of this machine, by the Unix socket.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{PROGRAM, daemon, is_root};
use crate::{ask_by_socket, request};

fn session(more: &[(&str, &str)]) -> String {
    request("GET", "/api/v1/session", &[&[("Host", "localhost")], more].concat())
}

async fn role(socket: &Path, more: &[(&str, &str)]) -> Value {
    let answered = ask_by_socket(socket, &session(more)).await;
    let session: Value = serde_json::from_str(&answered.body).expect("JSON");
    session["role"].clone()
}

#[tokio::test]
async fn the_daemons_own_user_is_an_admin_and_a_proxy_is_not() {
    let builder = daemon();
    let socket = builder.path().join("s");
    let config = format!("[server]\nsocket = \"{}\"\nauth.required = true", socket.display());
    let daemon = builder.config(&config).start().await;
    assert_eq!(role(&socket, &[]).await, "admin");
    for name in ["Origin", "Cookie", "X-Forwarded-For", "Via", "Forwarded", "Sec-Fetch-Site"] {
        let value = match name {
            "Origin" => "http://localhost",
            "Sec-Fetch-Site" => "same-origin",
            _ => "x",
        };
        assert_eq!(role(&socket, &[(name, value)]).await, Value::Null, "{name}");
    }
    // By TCP nobody is known.
    assert_eq!(daemon.session(&[]).await["role"], Value::Null);
    // The first token, by the socket.
    let body = r#"{"name":"first","role":"viewer"}"#;
    let head = "POST /api/v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
    let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let made = ask_by_socket(&socket, &text).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made: Value = serde_json::from_str(&made.body).expect("JSON");
    let bearer = format!("Bearer {}", made["token"].as_str().expect("a token"));
    let shown = daemon.session(&[("Authorization", &bearer)]).await;
    assert_eq!((&shown["token"], &shown["role"]), (&json!("first"), &json!("viewer")));
    // A token that is shown counts, though the user may do more.
    assert_eq!(role(&socket, &[("Authorization", &bearer)]).await, "viewer");
}

#[tokio::test]
async fn nobody_is_trusted_for_the_socket_where_that_is_said() {
    let builder = daemon();
    let socket = builder.path().join("s");
    let place = socket.display();
    let config = format!(
        "[server]\nsocket = \"{place}\"\nauth = {{ required = true, trust_local = false }}"
    );
    let _daemon = builder.config(&config).start().await;
    assert_eq!(role(&socket, &[]).await, Value::Null);
}

/// Asks as another user, with this group.
fn role_of(socket: &Path, uid: u32, gid: u32) -> String {
    // curl need not be there; a shell's tools have no Unix sockets.
    let output = Command::new(PROGRAM)
        .args(["status", "--json"])
        .env("RUNTIME_DIRECTORY", socket.parent().expect("a folder"))
        .env("HOME", "/nonexistent")
        .uid(uid)
        .gid(gid)
        .output()
        .expect("the program runs");
    String::from_utf8(output.stdout).expect("UTF-8")
        + &String::from_utf8(output.stderr).expect("UTF-8")
}

#[tokio::test]
async fn members_of_the_group_are_operators_and_others_need_a_token() {
    if !is_root("members_of_the_group_are_operators_and_others_need_a_token") {
        return;
    }
    let folder = tempfile::Builder::new().prefix("gz-local-").tempdir_in("/tmp").expect("a folder");
    open(folder.path(), 0o755);
    let socket = folder.path().join("gz-monitor.sock");
    let place = socket.display();
    // A group that every distribution has.
    let auth = "auth = { required = true, operator_group = \"daemon\" }";
    let config = format!("[server]\nsocket = \"{place}\"\n{auth}");
    let _daemon = daemon().config(&config).start().await;
    // As a socket unit with SocketMode=0666 would have it.
    open(&socket, 0o666);
    let group = group_of_daemon();
    let told = role_of(&socket, 65_534, group);
    assert!(!told.contains("refused"), "a viewer's question: {told}");
    let told = role_of(&socket, 65_534, 65_534);
    assert!(told.contains("This takes a token") && told.contains("as user 65534"), "{told}");
    let told = role_of(&socket, 0, 0);
    assert!(!told.contains("refused"), "{told}");
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

fn group_of_daemon() -> u32 {
    let groups = std::fs::read_to_string("/etc/group").expect("groups");
    let line = groups.lines().find(|line| line.starts_with("daemon:")).expect("the group daemon");
    line.split(':').nth(2).and_then(|number| number.parse().ok()).expect("its number")
}
