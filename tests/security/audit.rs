//! What was changed by whom: that all of it is written down, and that it is still there after a restart.

use serde_json::{Value, json};

use crate::access::Tokens;
use crate::roles::routes;
use crate::support::{Daemon, daemon, until};
use crate::{Answered, ask, request};

async fn page(daemon: &Daemon, query: &str, headers: &[(&str, &str)]) -> Value {
    let answered = daemon.get_with(&format!("/api/v1/audit{query}"), headers).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    serde_json::from_str(&answered.body).expect("JSON")
}

/// The entries of a page, each as its number and its path.
fn told(page: &Value) -> Vec<(u64, String)> {
    let entries = page["changes"].as_array().expect("a list").iter();
    let told = entries.map(|entry| {
        let path = entry["path"].as_str().expect("a path").to_owned();
        (entry["number"].as_u64().expect("a number"), path)
    });
    told.collect()
}

/// Has something asked for that nobody has: it is written down under its own path.
async fn change(daemon: &Daemon, name: &str) {
    let answered = daemon.delete(&format!("/api/v1/tasks/{name}")).await;
    assert_eq!(answered.status, 404, "{answered:?}");
}

async fn until_on_disk(daemon: &Daemon, count: u64) {
    let line = format!("\ngz_audit_entries {count}\n");
    until(&line, || async { daemon.get("/metrics").await.text.contains(&line).then_some(()) })
        .await;
}

const FAST: &str = "[collectors]\ninterval = \"100ms\"\n";

#[tokio::test]
async fn it_is_there_after_a_restart_and_after_a_kill() {
    let daemon = daemon().config(FAST).start().await;
    for name in ["a", "b", "c"] {
        change(&daemon, name).await;
    }
    let daemon = daemon.stopped().await.start().await;
    let after = page(&daemon, "", &[]).await;
    let path = |name: &str| format!("/api/v1/tasks/{name}");
    assert_eq!(told(&after), [(3, path("c")), (2, path("b")), (1, path("a"))]);
    assert_eq!((&after["total"], &after["more"]), (&json!(0), &json!(false)));
    assert_eq!(after["changes"][0]["who"], "anybody");
    change(&daemon, "d").await;
    until_on_disk(&daemon, 4).await;
    let daemon = daemon.killed().start().await;
    change(&daemon, "e").await;
    // Memory and disk are one list, whichever way one goes through it.
    let mut numbers = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = page(&daemon, &query, &[]).await;
        numbers.extend(told(&page).into_iter().map(|(number, _)| number));
        if page["more"] == false {
            break;
        }
        query = format!("?limit=2&before={}", numbers.last().expect("a number"));
    }
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
    let mut names = Vec::new();
    let mut last = 1;
    loop {
        let page = page(&daemon, &format!("?limit=2&since={last}"), &[]).await;
        let found = told(&page);
        last = found.last().map_or(last, |(number, _)| *number);
        names.extend(found.into_iter().map(|(_, path)| path));
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(names, ["b", "c", "d", "e"].map(path));
    let refused = daemon.get("/api/v1/audit?since=x").await;
    assert_eq!((refused.status, &refused.json()["code"]), (400, &json!("invalid_query")));
}

#[tokio::test]
async fn a_flood_is_one_entry_at_a_time_and_only_so_many_are_kept() {
    let config = format!("{FAST}[history]\naudit_entries = 3\n");
    let daemon = daemon().config(&config).start().await;
    for _ in 0..300 {
        change(&daemon, "same").await;
    }
    let all = page(&daemon, "?limit=1000", &[]).await;
    let count = |entry: &Value| entry["count"].as_u64().expect("a count");
    let entries = all["changes"].as_array().expect("a list").len();
    assert!(entries < 100, "{entries} entries");
    assert_eq!(all["changes"].as_array().expect("a list").iter().map(count).sum::<u64>(), 300);
    assert_eq!(all["total"], 300);
    for name in ["a", "b", "c", "d"] {
        change(&daemon, name).await;
    }
    let daemon = daemon.stopped().await.start().await;
    let kept = told(&page(&daemon, "", &[]).await);
    let path = |name: &str| format!("/api/v1/tasks/{name}");
    let names: Vec<&str> = kept.iter().map(|(_, path)| path.as_str()).collect();
    assert_eq!(names, ["d", "c", "b"].map(path));
    assert_eq!(kept[0].0, entries as u64 + 4, "no number is used again");
}

#[tokio::test]
async fn without_storage_the_last_are_remembered() {
    let config = "[storage]\nenabled = false\n[server.auth]\nmax_audit_entries = 2";
    let daemon = daemon().config(config).start().await;
    for name in ["a", "b", "c"] {
        change(&daemon, name).await;
    }
    let names: Vec<String> =
        told(&page(&daemon, "", &[]).await).into_iter().map(|(_, path)| path).collect();
    assert_eq!(names, ["/api/v1/tasks/c", "/api/v1/tasks/b"]);
    let daemon = daemon.stopped().await.start().await;
    assert_eq!(told(&page(&daemon, "", &[]).await), []);
}

/// Every route that is not for looking.
#[tokio::test]
async fn every_change_is_written_down() {
    let daemon = daemon().start().await;
    let tokens = Tokens::of_each_role(&daemon).await;
    let bearer = format!("Bearer {}", tokens.of("admin"));
    let admin = [("Authorization", &*bearer)];
    let looks = ["query", "query_range", "labels", "series"].map(|end| format!("/api/v1/{end}"));
    let mut asked = 0;
    for (method, path, _) in routes() {
        if method == "GET" || looks.contains(&path) {
            continue;
        }
        let path = path.replace("{id}", "nobody").replace("{name}", "ops");
        let answered = daemon.send_with(&method, &path, &admin).await;
        let page = page(&daemon, "?limit=1", &admin).await;
        let last = &page["changes"][0];
        // Without a status it is a report of how far a task has got.
        if method == "PATCH" {
            assert_ne!(last["method"], "PATCH", "{last}");
            continue;
        }
        let told = [&last["who"], &last["method"], &last["path"], &last["status"]];
        let expected = json!(["token admin", method, path, answered.status]);
        assert_eq!(json!(told), expected, "{last}");
        asked += 1;
    }
    assert!(asked > 14, "{asked}");
}

#[tokio::test]
async fn how_far_a_task_has_got_is_data_and_that_it_ends_is_a_change() {
    let daemon = daemon().start().await;
    daemon.post("/api/v1/tasks", json!({"id": "a", "name": "a"})).await;
    for progress in [10, 20] {
        let answered = daemon.patch("/api/v1/tasks/a", json!({ "progress": progress })).await;
        assert_eq!(answered.status, 200, "{answered:?}");
    }
    let ended = daemon.patch("/api/v1/tasks/a", json!({"status": "completed"})).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    let page = page(&daemon, "", &[]).await;
    let methods: Vec<&Value> =
        page["changes"].as_array().expect("a list").iter().map(|one| &one["method"]).collect();
    assert_eq!(methods, ["PATCH", "POST"]);
}

#[tokio::test]
async fn what_clients_of_the_stream_say_to_groups_is_written_down() {
    let daemon = daemon().start().await;
    let tokens = Tokens::of_each_role(&daemon).await;
    let mut client = daemon.websocket_with(tokens.of("operator")).await;
    client.ask(json!({"type": "publish", "group": "ops", "data": 1}), "published").await;
    client.ask(json!({"type": "publish", "group": "a b", "data": 1}), "error").await;
    let mut viewer = daemon.websocket_with(tokens.of("viewer")).await;
    viewer.ask(json!({"type": "publish", "group": "ops", "data": 1}), "error").await;
    let bearer = format!("Bearer {}", tokens.of("admin"));
    let page = page(&daemon, "", &[("Authorization", &bearer)]).await;
    let entries = page["changes"].as_array().expect("a list").iter();
    let said: Vec<&Value> = entries.filter(|entry| entry["method"] == "publish").collect();
    let last = said.last().expect("the first of them");
    let keys = ["who", "role", "path", "status", "count"].map(|key| last[key].clone());
    let path = "/api/v1/groups/ops/messages";
    assert_eq!(json!(keys), json!(["token operator", "operator", path, 200, 1]));
    assert!(last["from"].as_str().expect("an address").starts_with("127.0.0.1:"));
    assert!(said.iter().all(|entry| entry["who"] == "token operator"), "{said:?}");
}

#[tokio::test]
async fn of_tokens_that_come_and_go_in_their_file_nobody_knows_by_whom() {
    let daemon = daemon().start().await;
    let token = daemon.make_token("me", "admin", &[]);
    daemon.until_known(&token).await;
    assert_eq!(daemon.token(&["create", "--name", "other", "--role", "viewer"]).0, 0);
    assert_eq!(daemon.token(&["revoke", "other"]).0, 0);
    let bearer = format!("Bearer {token}");
    let by_request = |method: &'static str, path: &'static str, body: &'static str| {
        let text = request(method, path, &[("Host", "localhost"), ("Authorization", &bearer)]);
        let (head, _) = text.split_once("\r\nContent-Length").unwrap_or((&text, ""));
        let text = match body {
            "" => text.clone(),
            body => format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
        };
        let daemon = &daemon;
        async move { ask(daemon, &text).await }
    };
    let made: Answered =
        by_request("POST", "/api/v1/tokens", r#"{"name":"third","role":"viewer"}"#).await;
    assert_eq!(made.status, 201, "{made:?}");
    let entries = until("both are written down", || async {
        let page = page(&daemon, "", &[("Authorization", &bearer)]).await;
        let entries = page["changes"].as_array().expect("a list").clone();
        let told: Vec<String> = entries
            .iter()
            .map(|entry| format!("{} {} {}", entry["who"], entry["method"], entry["path"]))
            .collect();
        told.iter().any(|line| line.contains("POST")).then_some(told)
    })
    .await;
    let text = entries.join("\n").replace('"', "");
    assert!(text.contains("file create /api/v1/tokens/me"), "{text}");
    assert!(text.contains("token me POST /api/v1/tokens"), "{text}");
    assert!(!text.contains("third"), "what was asked for is told once: {text}");
}
