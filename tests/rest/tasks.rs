//! Tasks: what may be reported, what is refused, what time does to them, and what rules see of them.

use serde_json::{Value, json};

use crate::support::{Client, Daemon, daemon, until};
use crate::{keys, send};

/// Nothing by itself for as long as a test lasts.
const QUIET: &str = "[status]\ninterval = \"1h\"\n[collectors]\ninterval = \"1h\"\n";

async fn patch(daemon: &Daemon, id: &str, body: Value) -> Value {
    let answer = daemon.patch(&format!("/api/v1/tasks/{id}"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn create(daemon: &Daemon, body: Value) -> Value {
    let answer = daemon.post("/api/v1/tasks", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

/// A client of tasks only.
async fn follow(daemon: &Daemon) -> Client {
    let mut client = daemon.websocket().await;
    let subscribe = json!({"type": "subscribe", "filter": {"types": ["task_update"]}});
    client.ask(subscribe, "subscribed").await;
    client
}

#[tokio::test]
async fn a_refused_transition_says_what_is_possible() {
    let daemon = daemon().config(QUIET).start().await;
    create(&daemon, json!({"id": "t", "name": "n", "status": "pending"})).await;
    let refused = daemon.patch("/api/v1/tasks/t", json!({"status": "completed"})).await;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("illegal_transition")));
    let possible = json!(["pending", "running", "failed", "cancelled"]);
    assert_eq!(refused.json()["possible"], possible);
    patch(&daemon, "t", json!({"status": "failed"})).await;
    for answer in [
        daemon.patch("/api/v1/tasks/t", json!({"progress": 1})).await,
        daemon.post_nothing("/api/v1/tasks/t/stop").await,
    ] {
        assert_eq!(
            (answer.status, &answer.json()["possible"]),
            (409, &json!([])),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn the_example_of_the_protocols_document_to_the_letter() {
    let daemon = daemon().config(QUIET).start().await;
    let mut client = follow(&daemon).await;
    create(&daemon, json!({"id": "task-123", "name": "Bulk Clone GitHub"})).await;
    client.next_of("task_update").await;
    let details = json!({"processed": 150, "total": 200, "errors": 2});
    patch(&daemon, "task-123", json!({"progress": 75, "details": details})).await;
    let data = client.next_of("task_update").await["data"].take();
    let expected = ["details", "id", "name", "progress", "start_time", "status", "updated_at"];
    assert_eq!(keys(&data), expected);
    assert_eq!(data["progress"].to_string(), "75");
    assert_eq!(data["details"].to_string(), details.to_string());
    // Without a word of progress, the details say it.
    let details = json!({"processed": 160, "total": 200});
    let task = patch(&daemon, "task-123", json!({"details": details})).await;
    let said = ["progress", "processed", "total"].map(|key| task[key].as_u64());
    assert_eq!(said, [Some(80), Some(160), Some(200)]);
}

#[tokio::test]
async fn every_report_that_is_accepted_is_an_event_and_a_repeated_one_is_none() {
    let daemon = daemon().config(QUIET).start().await;
    let mut client = follow(&daemon).await;
    create(&daemon, json!({"id": "t", "name": "n", "total": 4})).await;
    for (update, processed) in [(1, 1), (2, 2), (2, 2), (1, 1), (3, 3)] {
        let task = patch(&daemon, "t", json!({"update": update, "processed": processed})).await;
        assert!(task["update"].as_u64() >= Some(update), "{task}");
        assert_eq!(task["processed"], task["update"], "a repeated report changes nothing: {task}");
    }
    let end = json!({"update": 4, "status": "completed"});
    let ended = patch(&daemon, "t", end.clone()).await;
    assert_eq!(patch(&daemon, "t", end).await, ended, "it is answered as before");
    let refused = daemon.patch("/api/v1/tasks/t", json!({"update": 5, "progress": 1})).await;
    assert_eq!(refused.status, 409);
    let mut seen = Vec::new();
    while seen.last().is_none_or(|data: &Value| data["status"] != "completed") {
        seen.push(client.next_of("task_update").await["data"].take());
    }
    let seen: Vec<Option<u64>> = seen.iter().map(|data| data["update"].as_u64()).collect();
    assert_eq!(seen, [None, Some(1), Some(2), Some(3), Some(4)]);
    create(&daemon, json!({"id": "last", "name": "n"})).await;
    assert_eq!(client.next_of("task_update").await["data"]["id"], "last", "nothing came after it");
}

#[tokio::test]
async fn a_request_with_a_key_creates_one_task() {
    let daemon = daemon().config(QUIET).start().await;
    let ask = async |key: &str, body: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        send(&daemon, "POST", "/api/v1/tasks", &headers, body.to_owned()).await
    };
    let first = ask("one", r#"{"name":"n"}"#).await;
    let again = ask("one", r#"{"name":"n"}"#).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!((first.json(), first.header("location")), (again.json(), again.header("location")));
    let other = ask("two", r#"{"name":"n"}"#).await;
    assert_ne!(other.json()["id"], first.json()["id"]);
    let reused = ask("one", r#"{"name":"n","id":"x"}"#).await;
    assert_eq!((reused.status, &reused.json()["code"]), (422, &json!("idempotency_key_used")));
    let strange = ask("ü", r#"{"name":"n"}"#).await;
    assert_eq!((strange.status, &strange.json()["code"]), (400, &json!("invalid_header")));
    assert_eq!(daemon.get("/api/v1/tasks").await.json()["tasks"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn numbers_and_times_that_cannot_be() {
    let daemon = daemon().config(QUIET).start().await;
    create(&daemon, json!({"id": "t", "name": "n", "total": 3})).await;
    let cases = [
        (json!({"processed": -1}), "invalid_progress", "processed is -1"),
        (json!({"processed": 4}), "invalid_progress", "processed is 4 and total 3"),
        (json!({"total": "x"}), "invalid_body", "total: "),
        (json!({"heartbeat": "10ms"}), "invalid_heartbeat", "1s to 365d"),
        (json!({"heartbeat": "soon"}), "invalid_body", "heartbeat: "),
        (json!({"heartbeat": 30}), "invalid_body", "heartbeat: "),
        (json!({"at": "yesterday"}), "invalid_body", "at: \"yesterday\" is no time of RFC 3339"),
        (json!({"update": -1}), "invalid_body", "update: "),
        (json!({"update": 1.5}), "invalid_body", "update: "),
    ];
    for (body, code, part) in cases {
        let text = body.to_string();
        let answer = daemon.patch("/api/v1/tasks/t", body).await;
        let problem = answer.json();
        assert_eq!((answer.status, &problem["code"]), (422, &json!(code)), "{text}");
        assert!(problem["detail"].as_str().is_some_and(|d| d.contains(part)), "{text}: {problem}");
    }
    let task = daemon.get("/api/v1/tasks/t").await.json();
    assert!(task.get("processed").is_none() && task.get("heartbeat").is_none(), "{task}");
}

#[tokio::test]
async fn what_is_told_late_has_its_own_times() {
    let daemon = daemon().config(QUIET).start().await;
    let start = "2026-01-01T10:00:00.000Z";
    let task =
        create(&daemon, json!({"id": "t", "name": "n", "at": "2026-01-01T11:00:00+01:00"})).await;
    assert_eq!((&task["start_time"], &task["updated_at"]), (&json!(start), &json!(start)));
    let task = patch(&daemon, "t", json!({"at": "2026-01-01T10:00:50Z", "progress": 50})).await;
    assert_eq!((&task["rate"], &task["eta"]), (&json!(null), &json!(null)), "one report is none");
    let task = patch(&daemon, "t", json!({"at": "2026-01-01T10:01:00Z", "progress": 60})).await;
    assert_eq!((&task["rate"], &task["eta"]), (&json!(1), &json!("2026-01-01T10:01:40.000Z")));
    let body = json!({"at": "2026-01-01T10:02:00Z", "status": "completed"});
    let task = patch(&daemon, "t", body).await;
    assert_eq!(task["end_time"], "2026-01-01T10:02:00.000Z");
    assert!(task.get("rate").is_none() && task.get("eta").is_none(), "{task}");
}

#[tokio::test]
async fn who_is_silent_has_stalled_once_and_speaks_again() {
    let daemon = daemon().config(QUIET).start().await;
    let mut client = follow(&daemon).await;
    let task = create(&daemon, json!({"id": "t", "name": "n", "heartbeat": "1s"})).await;
    assert_eq!(task["heartbeat"], "1s");
    client.next_of("task_update").await;
    let stalled = client.next_of("task_update").await["data"].take();
    assert_eq!((&stalled["stalled"], &stalled["status"]), (&json!(true), &json!("running")));
    assert_eq!(stalled["updated_at"], task["updated_at"], "nobody has reported");
    assert_eq!(daemon.get("/api/v1/tasks/t").await.json(), stalled);
    let task = patch(&daemon, "t", json!({"heartbeat": "0s"})).await;
    assert!(task.get("stalled").is_none() && task.get("heartbeat").is_none(), "{task}");
    assert_eq!(client.next_of("task_update").await["data"], task, "it was told once");
}

#[tokio::test]
async fn a_configuration_may_promise_for_all_and_ended_tasks_go() {
    let config = format!("{QUIET}[tasks]\nheartbeat = \"1m\"\nkeep_ended = \"0s\"\n");
    let daemon = daemon().config(&config).start().await;
    let task = create(&daemon, json!({"id": "t", "name": "n"})).await;
    assert_eq!(task["heartbeat"], "1m");
    let task = create(&daemon, json!({"id": "u", "name": "n", "heartbeat": "0s"})).await;
    assert!(task.get("heartbeat").is_none(), "{task}");
    patch(&daemon, "t", json!({"status": "completed"})).await;
    until("it is gone", async || (daemon.get("/api/v1/tasks/t").await.status == 404).then_some(()))
        .await;
    assert_eq!(daemon.get("/api/v1/tasks/u").await.status, 200);
}

/// The expressions of docs/tasks.md.
fn expressions() -> Vec<&'static str> {
    let document = include_str!("../../docs/tasks.md");
    let block = document.split("```promql\n").nth(1).and_then(|rest| rest.split("```").next());
    block.expect("a block").lines().collect()
}

/// Whether an expression finds anything, and of which task.
async fn found(daemon: &Daemon, expression: &str) -> Vec<Value> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let query = form.append_pair("query", expression).finish();
    let answer = daemon.get(&format!("/api/v1/query?{query}")).await;
    assert_eq!(answer.status, 200, "{expression}: {}", answer.text);
    let result = answer.json()["data"]["result"].take();
    let series = result.as_array().expect("a vector").iter();
    series.map(|series| series["metric"]["task"].clone()).collect()
}

#[tokio::test]
async fn rules_see_what_has_failed_what_is_stalled_and_what_was_not_done_for_a_day() {
    let config = "[collectors]\ninterval = \"100ms\"\n[tasks]\nmax_ended = 0\n";
    let mut daemon = daemon().config(config).start().await;
    let [failed, stalled, overdue] = expressions()[..] else { panic!("three expressions") };
    let expect = async |daemon: &Daemon, expression: &str, expected: &[&str]| {
        let what = format!("{expression} finds {expected:?}");
        until(&what, async || (found(daemon, expression).await == expected).then_some(())).await;
    };
    for expression in [failed, stalled] {
        expect(&daemon, expression, &[]).await;
    }
    expect(&daemon, overdue, &["backup"]).await;
    let body = json!({"name": "backup", "status": "failed"});
    create(&daemon, body).await;
    expect(&daemon, failed, &["backup"]).await;
    expect(&daemon, overdue, &["backup"]).await;
    let body = json!({"name": "backup", "status": "completed", "at": "2026-01-01T00:00:00Z"});
    create(&daemon, body).await;
    expect(&daemon, "gz_task_last_success_timestamp_seconds == 1767225600", &["backup"]).await;
    expect(&daemon, overdue, &["backup"]).await;
    expect(&daemon, failed, &["backup"]).await;
    // It is remembered when its tasks are gone, and over a restart.
    daemon = daemon.killed().start().await;
    expect(&daemon, failed, &["backup"]).await;
    assert_eq!(daemon.get("/api/v1/tasks").await.json(), json!({"tasks": []}));
    create(&daemon, json!({"name": "backup", "status": "completed"})).await;
    expect(&daemon, failed, &[]).await;
    expect(&daemon, overdue, &[]).await;
    create(&daemon, json!({"id": "s", "name": "sync", "heartbeat": "1s", "progress": 7})).await;
    expect(&daemon, stalled, &["sync"]).await;
    expect(&daemon, "gz_task_progress_percent == 7", &["sync"]).await;
    patch(&daemon, "s", json!({"heartbeat": "0s"})).await;
    expect(&daemon, stalled, &[]).await;
    let removed = found(&daemon, "gz_tasks_removed_total{reason=\"count\"} > 0").await;
    assert_eq!(removed.len(), 1, "tasks that have ended are not kept");
}
