//! Who has taken an alert on or silenced some: by what they have shown, whatever they say.

use serde_json::{Value, json};

use crate::support::{Daemon, daemon};
use crate::{Answered, ask, ask_by_socket};

/// A `POST` with this body.
fn posted(path: &str, headers: &[(&str, &str)], body: &Value) -> String {
    let body = body.to_string();
    let mut text = format!("POST {path} HTTP/1.1\r\nContent-Type: application/json\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

/// A body that says who it is from, or does not.
fn with(by: Option<&str>, mut body: Value) -> Value {
    if let Some(by) = by {
        body["by"] = by.into();
    }
    body
}

/// The requests that have an author, each with a way to the author in its answer.
fn signed(id: &str, by: Option<&str>) -> [(String, Value, &'static str); 2] {
    let silence = json!({"matchers": ["severity=low"], "duration": "1h"});
    [
        (
            format!("/api/v1/alerts/{id}/acknowledge"),
            with(by, json!({"comment": "mine"})),
            "/acknowledgement/by",
        ),
        ("/api/v1/silences".to_owned(), with(by, silence), "/by"),
    ]
}

fn author(answered: &Answered, way: &str) -> String {
    assert!(matches!(answered.status, 200 | 201), "{answered:?}");
    let body: Value = serde_json::from_str(&answered.body).expect("JSON");
    body.pointer(way).and_then(Value::as_str).expect("an author").to_owned()
}

async fn alert(daemon: &Daemon) -> String {
    let report = json!({"rule_id": "r", "severity": "low", "message": "m"});
    let fired = daemon.post("/api/v1/alerts", report).await;
    assert_eq!(fired.status, 200, "{fired:?}");
    fired.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_token_is_named_and_what_its_owner_says_comes_behind_it() {
    let daemon = daemon().start().await;
    let id = alert(&daemon).await;
    let token = daemon.make_token("ops", "operator", &[]);
    daemon.until_known(&token).await;
    let bearer = format!("Bearer {token}");
    let headers = [("Host", "localhost"), ("Authorization", &*bearer)];
    for (says, expected) in [
        (None, "ops"),
        (Some("ops"), "ops"),
        (Some("ada"), "ops, as ada"),
        (Some("root"), "ops, as root"),
    ] {
        for (path, body, way) in signed(&id, says) {
            let answered = ask(&daemon, &posted(&path, &headers, &body)).await;
            assert_eq!(author(&answered, way), expected, "{path} {says:?}");
        }
    }
    let shown = daemon.get_with(&format!("/api/v1/alerts/{id}"), &headers[1..]).await;
    assert!(shown.body.contains("acknowledged by ops, as root: mine"), "{}", shown.body);
}

#[tokio::test]
async fn a_user_of_this_machine_is_named_by_the_socket() {
    let builder = daemon();
    let socket = builder.path().join("s");
    let config = format!("[server]\nsocket = \"{}\"", socket.display());
    let daemon = builder.config(&config).start().await;
    let id = alert(&daemon).await;
    let own = nix::unistd::User::from_uid(nix::unistd::geteuid());
    let own = own.expect("users").expect("this user").name;
    for (says, expected) in [(None, own.clone()), (Some("ada"), format!("{own}, as ada"))] {
        for (path, body, way) in signed(&id, says) {
            let text = posted(&path, &[("Host", "localhost")], &body);
            assert_eq!(author(&ask_by_socket(&socket, &text).await, way), expected, "{path}");
            // A proxy on it speaks for others.
            let headers = [("Host", "localhost"), ("X-Forwarded-For", "192.0.2.1")];
            let proxied = ask_by_socket(&socket, &posted(&path, &headers, &body)).await;
            match says {
                Some(says) => assert_eq!(author(&proxied, way), says, "{path}"),
                None => assert_eq!(proxied.status, 422, "{proxied:?}"),
            }
        }
    }
}

#[tokio::test]
async fn where_nobody_shows_anything_they_have_to_say_who_they_are() {
    let daemon = daemon().start().await;
    let id = alert(&daemon).await;
    for (path, body, way) in signed(&id, Some("ada")) {
        let answered = ask(&daemon, &posted(&path, &[("Host", "localhost")], &body)).await;
        assert_eq!(author(&answered, way), "ada");
    }
    for says in [None, Some("")] {
        for (path, body, _) in signed(&id, says) {
            let refused = ask(&daemon, &posted(&path, &[("Host", "localhost")], &body)).await;
            assert_eq!(refused.status, 422, "{refused:?}");
            assert!(refused.body.contains("by"), "{refused:?}");
        }
    }
}
