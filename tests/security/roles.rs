//! The table of docs/security.md, cell by cell, against a daemon that has a token of each role.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::access::Tokens;
use crate::support::{Daemon, daemon};
use crate::{Answered, ask, request};

pub const ROLES: [&str; 4] = ["none", "viewer", "operator", "admin"];
/// No stream is asked for by a test of this file.
const METHODS: [&str; 5] = ["DELETE", "GET", "PATCH", "POST", "PUT"];

/// The rows: what, and what each role gets.
fn table() -> Vec<(String, [String; 4])> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/security.md");
    let document = fs::read_to_string(path).expect("the document");
    let begin = document.find("<!-- roles -->").expect("its table");
    let end = document.find("<!-- /roles -->").expect("its end");
    let rows = document[begin..end].lines().filter(|line| line.starts_with('|')).skip(2);
    let rows = rows.map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        let what = cells.next().expect("what").replace('`', "");
        (what, [(); 4].map(|()| cells.next().expect("a cell")))
    });
    rows.collect()
}

/// The methods and paths among them.
pub fn routes() -> Vec<(String, String, [String; 4])> {
    let routes = table().into_iter().filter_map(|(what, cells)| {
        let (method, path) = what.split_once(' ')?;
        let is_route = METHODS.contains(&method) && path.starts_with('/');
        is_route.then(|| (method.to_owned(), path.to_owned(), cells))
    });
    routes.collect()
}

/// Asks as one of [`ROLES`].
async fn ask_as(
    daemon: &Daemon,
    tokens: &Tokens,
    role: &str,
    method: &str,
    path: &str,
) -> Answered {
    let (host, bearer) = (daemon.address.to_string(), format!("Bearer {}", tokens.of(role)));
    let mut headers = vec![("Host", host.as_str())];
    if role != "none" {
        headers.push(("Authorization", &bearer));
    }
    ask(daemon, &request(method, path, &headers)).await
}

/// What an answer says of whoever has asked.
pub fn cell(answered: &Answered) -> &'static str {
    match (answered.status, answered.code().as_str()) {
        (401, "token_missing") => "401",
        (403, "role_too_low") => "403",
        // A login without a token in it is let in, and not served.
        (status, _) if status == 401 || status == 403 => panic!("{answered:?}"),
        _ => "yes",
    }
}

#[tokio::test]
async fn every_cell_of_the_table_is_so() {
    let daemon = daemon().start().await;
    let tokens = Tokens::of_each_role(&daemon).await;
    let mut asked = 0;
    for (method, path, cells) in routes() {
        // A reload takes a while, and is asked for once by whom it is for.
        let path = path.replace("{id}", "nobody").replace("{*}", "app.js");
        for (role, expected) in ROLES.into_iter().zip(cells) {
            let answered = ask_as(&daemon, &tokens, role, &method, &path).await;
            assert_eq!(cell(&answered), expected, "{method} {path} as {role}: {answered:?}");
            if answered.status == 401 {
                let challenge = answered.header("www-authenticate");
                assert_eq!(challenge, r#"bearer realm="gz-monitor""#, "{method} {path}");
            }
            asked += 1;
        }
    }
    assert!(asked > 150, "{asked}");
}

#[tokio::test]
async fn every_route_that_is_described_has_a_row() {
    let daemon = daemon().start().await;
    let document = daemon.get("/api/v1/openapi.json").await.json();
    let rows: BTreeSet<(String, String)> =
        routes().into_iter().map(|(method, path, _)| (method, path)).collect();
    let paths = document["paths"].as_object().expect("paths");
    let mut described = BTreeSet::new();
    for (path, operations) in paths {
        for method in operations.as_object().expect("operations").keys() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let missing: Vec<_> = described.difference(&rows).collect();
    assert!(missing.is_empty(), "without a row in server/auth/table.rs: {missing:?}");
    let is_of_api = |(_, path): &&(String, String)| path.starts_with("/api/v1/");
    let more: Vec<_> = rows.difference(&described).filter(is_of_api).collect();
    assert!(more.is_empty(), "in the table and nowhere else: {more:?}");
}

#[tokio::test]
async fn what_has_no_row_is_for_admins() {
    let daemon = daemon().start().await;
    let tokens = Tokens::of_each_role(&daemon).await;
    for (method, path) in [
        ("GET", "/nowhere"),
        ("PUT", "/api/v1/tasks/a"),
        ("GET", "/api/v1/tasks/"),
        ("GET", "//api/v1/tasks"),
        ("GET", "/api/v1/%74asks"),
        ("GET", "/api/v1/status/../tokens"),
        ("GET", "/dashboard%2f..%2fapi/v1/tokens"),
        ("TRACE", "/"),
    ] {
        for (role, expected) in ROLES.into_iter().zip(["401", "403", "403", "yes"]) {
            let answered = ask_as(&daemon, &tokens, role, method, path).await;
            assert_eq!(cell(&answered), expected, "{method} {path} as {role}");
        }
    }
    let known = ask_as(&daemon, &tokens, "none", "OPTIONS", "/api/v1/tasks").await;
    assert_eq!((known.status, known.header("allow")), (204, "options, head, get, post"));
}

#[tokio::test]
async fn head_takes_what_get_does() {
    let daemon = daemon().start().await;
    let tokens = Tokens::of_each_role(&daemon).await;
    for (role, status) in ROLES.into_iter().zip([401, 403, 403, 200]) {
        let answered = ask_as(&daemon, &tokens, role, "HEAD", "/api/v1/audit").await;
        assert_eq!(answered.status, status, "{role}");
    }
}

/// The messages of the table, each with what the daemon answers to it.
#[tokio::test]
async fn every_message_of_the_table_is_so() {
    let daemon = daemon().start().await;
    let tokens = Tokens::of_each_role(&daemon).await;
    let messages: Vec<(String, [String; 4])> = table()
        .into_iter()
        .filter_map(|(what, cells)| Some((what.strip_prefix("message ")?.to_owned(), cells)))
        .collect();
    assert_eq!(messages.len(), 4, "each has an answer below");
    for (role, column) in ROLES.into_iter().zip(0..).skip(1) {
        let mut client = daemon.websocket_with(tokens.of(role)).await;
        for (kind, cells) in &messages {
            let answer = match kind.as_str() {
                "ping" => "pong",
                "publish" => "published",
                "subscribe" => "subscribed",
                "unsubscribe" => "unsubscribed",
                other => panic!("no answer is known to {other}"),
            };
            // What a type has no use for is overlooked.
            client.send(json!({ "type": kind, "group": "ops", "data": 1 })).await;
            let got = loop {
                let message = client.next().await.expect("an answer");
                let kind = message["type"].as_str().unwrap_or_default().to_owned();
                if kind == answer || kind == "error" {
                    break message;
                }
            };
            let cell = match got["data"]["code"].as_str() {
                Some("forbidden") => "403",
                Some(other) => panic!("{other}"),
                None => "yes",
            };
            assert_eq!(cell, cells[column], "{kind} as {role}");
        }
    }
    let refused = daemon.handshake("").await;
    assert_eq!((refused.status, refused.code()), (401, "token_missing".to_owned()));
    assert_eq!(serde_json::from_str::<Value>(&refused.body).expect("JSON")["status"], 401);
}
