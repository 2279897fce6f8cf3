//! Every refusal: its status, its code, and words that help.

use serde_json::json;

use crate::support::{Answer, Daemon, daemon};
use crate::{keys, send};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// Asserts that `answer` is a problem of this status and code whose detail names `helps`.
fn is_problem(answer: &Answer, what: &str, status: u16, code: &str, helps: &str) {
    let text = &answer.text;
    assert_eq!(answer.status, status, "{what}: {text}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
    let problem = answer.json();
    let mut members = keys(&problem);
    members.retain(|member| *member != "possible" || code != "illegal_transition");
    assert_eq!(members, ["code", "detail", "status", "title"], "{what}");
    assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)), "{what}");
    let detail = problem["detail"].as_str().expect("words");
    assert!(detail.contains(helps), "{what}: {detail:?} does not say {helps:?}");
}

/// A daemon with a task that runs, one that is done, and an alert that is resolved.
async fn prepared() -> (Daemon, String) {
    let daemon = daemon().start().await;
    for (id, status) in [("run", "running"), ("done", "completed")] {
        let task = json!({"id": id, "name": "x", "status": status});
        assert_eq!(daemon.post("/api/v1/tasks", task).await.status, 201);
    }
    let alert = json!({"rule_id": "r", "severity": "low", "message": "m"});
    let alert = daemon.post("/api/v1/alerts", alert).await.json();
    let path = format!("/api/v1/alerts/{}", alert["id"].as_str().expect("an id"));
    assert_eq!(daemon.post(&format!("{path}/resolve"), json!({})).await.status, 200);
    (daemon, path)
}

/// Sends each body of JSON to `path`, and expects to be refused with these.
async fn refuses(method: &str, path: &str, cases: &[(&str, u16, &str, &str)]) {
    let (daemon, _) = prepared().await;
    let state = async || {
        let (tasks, alerts) = (daemon.get("/api/v1/tasks"), daemon.get("/api/v1/alerts"));
        (tasks.await.json(), alerts.await.json())
    };
    let before = state().await;
    for (body, status, code, helps) in cases {
        let answer = send(&daemon, method, path, JSON, (*body).to_owned()).await;
        is_problem(&answer, &format!("{method} {path} {body:.80}"), *status, code, helps);
    }
    assert_eq!(state().await, before, "a refusal changes nothing");
}

#[tokio::test]
async fn new_tasks() {
    let long_name = json!({"name": "n".repeat(257)}).to_string();
    let long_id = json!({"name": "x", "id": "i".repeat(129)}).to_string();
    let details = json!({"name": "x", "details": "d".repeat(16 << 10)}).to_string();
    let cases = [
        ("", 400, "invalid_json", "EOF"),
        (r#"{"name":"#, 400, "invalid_json", "line 1 column 8"),
        ("name=x", 400, "invalid_json", "line 1"),
        (r#"{"name":"x"} {}"#, 400, "invalid_json", "trailing"),
        ("[]", 422, "invalid_body", "must be a JSON object"),
        (r#"[null,"x",null,null,null]"#, 422, "invalid_body", "must be a JSON object"),
        ("null", 422, "invalid_body", "must be a JSON object"),
        ("{}", 422, "invalid_body", "`name`"),
        (r#"{"name":5}"#, 422, "invalid_body", "name: "),
        (
            r#"{"name":"x","progress":"abc"}"#,
            422,
            "invalid_body",
            r#"progress: invalid type: string "abc""#,
        ),
        (r#"{"name":"x","status":"asleep"}"#, 422, "invalid_body", "`cancelled`"),
        (r#"{"name":"x","nme":"y"}"#, 422, "invalid_body", "unknown field `nme`"),
        (r#"{"name":"x","name":"y"}"#, 422, "invalid_body", "duplicate field `name`"),
        (
            r#"{"name":"x","progress":101}"#,
            422,
            "invalid_progress",
            "101; it must be a number from 0 to 100",
        ),
        (r#"{"name":"x","progress":-0.5}"#, 422, "invalid_progress", "0 to 100"),
        (r#"{"name":""}"#, 422, "invalid_length", "name has 0 bytes; it may have 1 to 256"),
        (&long_name, 422, "invalid_length", "name has 257 bytes"),
        (r#"{"name":"x","id":""}"#, 422, "invalid_length", "id has 0 bytes"),
        (&long_id, 422, "invalid_length", "id has 129 bytes; it may have 1 to 128"),
        (&details, 422, "invalid_length", "details has 16386 bytes; it may have 1 to 16384"),
        (r#"{"name":"x","id":"run"}"#, 409, "task_exists", "\"run\""),
    ];
    refuses("POST", "/api/v1/tasks", &cases).await;
}

#[tokio::test]
async fn changes_of_tasks() {
    let cases = [
        (
            r#"{"status":"pending"}"#,
            409,
            "illegal_transition",
            "\"run\" is running; it cannot become pending",
        ),
        (r#"{"progress":101}"#, 422, "invalid_progress", "101"),
        (r#"{"progress":"abc"}"#, 422, "invalid_body", "progress: "),
        (r#"{"name":""}"#, 422, "invalid_length", "name"),
        (r#"{"id":"other"}"#, 422, "invalid_body", "unknown field `id`"),
        ("{", 400, "invalid_json", "line 1"),
    ];
    refuses("PATCH", "/api/v1/tasks/run", &cases).await;
    let cases = [
        (r#"{"status":"running"}"#, 409, "illegal_transition", "\"done\" is completed"),
        (r#"{"progress":5}"#, 409, "illegal_transition", "\"done\" is completed"),
    ];
    refuses("PATCH", "/api/v1/tasks/done", &cases).await;
}

#[tokio::test]
async fn reports_of_alerts() {
    let long = json!({"rule_id": "q", "severity": "low", "message": "m".repeat(4097)}).to_string();
    let cases = [
        (r#"{"rule_id":"q","message":"m"}"#, 422, "invalid_body", "`severity`"),
        (r#"{"rule_id":"q","severity":"worst","message":"m"}"#, 422, "invalid_body", "`critical`"),
        (
            r#"{"rule_id":"q","severity":"low","message":"m","value":"1"}"#,
            422,
            "invalid_body",
            "value: ",
        ),
        (r#"{"rule_id":"q","severity":"low","message":""}"#, 422, "invalid_length", "message"),
        (&long, 422, "invalid_length", "message has 4097 bytes; it may have 1 to 4096"),
        (r#"{"rule_id":"","severity":"low","message":"m"}"#, 422, "invalid_length", "rule_id"),
        (r#"{"rule_id":"q","severity":"low","message":"m","x":1}"#, 422, "invalid_body", "`x`"),
        ("{", 400, "invalid_json", "line 1"),
    ];
    refuses("POST", "/api/v1/alerts", &cases).await;
}

#[tokio::test]
async fn what_is_not_there_or_not_now() {
    let (daemon, alert) = prepared().await;
    let resolve = format!("{alert}/resolve");
    let cases = [
        ("GET", "/api/v1/tasks/nope", 404, "task_not_found", "\"nope\""),
        ("PATCH", "/api/v1/tasks/nope", 404, "task_not_found", "\"nope\""),
        ("DELETE", "/api/v1/tasks/nope", 404, "task_not_found", "\"nope\""),
        ("POST", "/api/v1/tasks/nope/stop", 404, "task_not_found", "\"nope\""),
        ("GET", "/api/v1/tasks/a%2Fb", 404, "task_not_found", "\"a/b\""),
        ("GET", "/api/v1/tasks/%ff", 400, "invalid_path", "UTF-8"),
        ("GET", "/api/v1/alerts/nope", 404, "alert_not_found", "\"nope\""),
        ("POST", "/api/v1/alerts/nope/resolve", 404, "alert_not_found", "\"nope\""),
        ("POST", &resolve, 409, "alert_resolved", "resolved already"),
        ("DELETE", "/api/v1/tasks/run", 409, "task_active", "running"),
        ("POST", "/api/v1/tasks/done/stop", 409, "illegal_transition", "completed"),
        ("GET", "/nope", 404, "unknown_path", "openapi.json"),
        ("GET", "/api/v1", 404, "unknown_path", "openapi.json"),
        ("POST", "/api/v1/nope", 404, "unknown_path", "openapi.json"),
        ("GET", "/api/v1/tasks/run/start", 404, "unknown_path", "openapi.json"),
        ("GET", "/dashboard/nope.js", 404, "unknown_path", "nope.js"),
        ("GET", "/dashboard/mod.rs", 404, "unknown_path", "mod.rs"),
        ("GET", "/api/v1/samples?nmae=x", 400, "invalid_query", "nmae: there are name and label"),
        ("GET", "/api/v1/samples?label=cpu", 400, "invalid_query", "label=NAME=VALUE"),
        ("GET", "/api/v1/samples?name=a&name=b", 400, "invalid_query", "name"),
        ("GET", "/ws", 426, "handshake_refused", "Upgrade: websocket"),
    ];
    for (method, path, status, code, helps) in cases {
        let body = if method == "PATCH" { "{}" } else { "" };
        let answer = send(&daemon, method, path, JSON, body).await;
        is_problem(&answer, &format!("{method} {path}"), status, code, helps);
    }
}

#[tokio::test]
async fn wrong_methods() {
    let daemon = daemon().start().await;
    for (method, path, allow) in [
        ("PUT", "/api/v1/tasks", "OPTIONS, HEAD, GET, POST"),
        ("POST", "/api/v1/tasks/x", "OPTIONS, HEAD, GET, PATCH, DELETE"),
        ("GET", "/api/v1/tasks/x/stop", "OPTIONS, POST"),
        ("DELETE", "/api/v1/status", "OPTIONS, HEAD, GET"),
        ("POST", "/metrics", "OPTIONS, HEAD, GET"),
        ("POST", "/dashboard/app.js", "OPTIONS, HEAD, GET"),
        ("BREW", "/healthz", "OPTIONS, HEAD, GET"),
    ] {
        let answer = send(&daemon, method, path, &[], "").await;
        let what = format!("{method} {path}");
        is_problem(&answer, &what, 405, "method_not_allowed", method);
        assert_eq!(answer.header("allow"), allow, "{what}");
    }
}

#[tokio::test]
async fn bodies_that_are_not_json_or_too_large() {
    let daemon = daemon().config("[server]\nmax_body_size = \"4KiB\"").start().await;
    let path = "/api/v1/tasks";
    let post = async |headers, body: String| send(&daemon, "POST", path, headers, body).await;
    let small = r#"{"name":"x"}"#.to_owned();
    let answer = post(&[], small.clone()).await;
    is_problem(&answer, "no type", 415, "not_json", "application/json");
    let answer = post(&[("content-type", "text/plain")], small).await;
    is_problem(&answer, "another type", 415, "not_json", "\"text/plain\"");
    let body = |padding: usize| format!("{{\"name\":\"x\"{}}}", " ".repeat(padding - 12));
    let answer = post(JSON, body(4097)).await;
    is_problem(&answer, "too large", 413, "body_too_large", "server.max_body_size");
    assert_eq!(post(JSON, body(4096)).await.status, 201, "at the limit");
}

#[tokio::test]
async fn more_tasks_and_alerts_than_may_be() {
    let config = "[tasks]\nmax_tasks = 1\n[alerts]\nmax_alerts = 1";
    let daemon = daemon().config(config).start().await;
    let task = json!({"name": "x"});
    assert_eq!(daemon.post("/api/v1/tasks", task.clone()).await.status, 201);
    let answer = daemon.post("/api/v1/tasks", task).await;
    is_problem(&answer, "tasks", 507, "too_many_tasks", "as many as may be");
    let alert = |rule: &str| json!({"rule_id": rule, "severity": "low", "message": "m"});
    assert_eq!(daemon.post("/api/v1/alerts", alert("a")).await.status, 200);
    assert_eq!(daemon.post("/api/v1/alerts", alert("a")).await.status, 200, "the same again");
    let answer = daemon.post("/api/v1/alerts", alert("b")).await;
    is_problem(&answer, "alerts", 507, "too_many_alerts", "as many as may be");
}
