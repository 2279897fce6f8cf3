//! The API's description agrees with the API: no route more, none less, and every answer fits.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::schema::{faults, resolve};
use crate::support::{Daemon, daemon};
use crate::{keys, send};

/// Every operation under `/api/v1`.
const OPERATIONS: [(&str, &str); 52] = [
    ("GET", "/api/v1/alerts"),
    ("POST", "/api/v1/alerts"),
    ("GET", "/api/v1/alerts/{id}"),
    ("POST", "/api/v1/alerts/{id}/acknowledge"),
    ("POST", "/api/v1/alerts/{id}/resolve"),
    ("GET", "/api/v1/audit"),
    ("GET", "/api/v1/clients"),
    ("DELETE", "/api/v1/clients/{id}"),
    ("GET", "/api/v1/collectors"),
    ("POST", "/api/v1/collectors/{id}/restart"),
    ("GET", "/api/v1/doctor"),
    ("GET", "/api/v1/events"),
    ("GET", "/api/v1/groups"),
    ("POST", "/api/v1/groups/{name}/messages"),
    ("GET", "/api/v1/health"),
    ("GET", "/api/v1/label/{id}/values"),
    ("GET", "/api/v1/labels"),
    ("POST", "/api/v1/labels"),
    ("GET", "/api/v1/metadata"),
    ("GET", "/api/v1/metrics"),
    ("GET", "/api/v1/notifications"),
    ("GET", "/api/v1/notify/channels"),
    ("POST", "/api/v1/notify/channels/{id}/test"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/plugins"),
    ("POST", "/api/v1/reload"),
    ("GET", "/api/v1/query"),
    ("POST", "/api/v1/query"),
    ("GET", "/api/v1/query_range"),
    ("POST", "/api/v1/query_range"),
    ("GET", "/api/v1/rules"),
    ("GET", "/api/v1/rules/replay"),
    ("GET", "/api/v1/samples"),
    ("GET", "/api/v1/series"),
    ("POST", "/api/v1/series"),
    ("DELETE", "/api/v1/session"),
    ("GET", "/api/v1/session"),
    ("POST", "/api/v1/session"),
    ("GET", "/api/v1/silences"),
    ("POST", "/api/v1/silences"),
    ("DELETE", "/api/v1/silences/{id}"),
    ("GET", "/api/v1/status"),
    ("GET", "/api/v1/status/buildinfo"),
    ("GET", "/api/v1/tasks"),
    ("POST", "/api/v1/tasks"),
    ("DELETE", "/api/v1/tasks/{id}"),
    ("GET", "/api/v1/tasks/{id}"),
    ("PATCH", "/api/v1/tasks/{id}"),
    ("POST", "/api/v1/tasks/{id}/stop"),
    ("GET", "/api/v1/tokens"),
    ("POST", "/api/v1/tokens"),
    ("DELETE", "/api/v1/tokens/{id}"),
];

const METHODS: [&str; 5] = ["DELETE", "GET", "PATCH", "POST", "PUT"];

async fn document(daemon: &Daemon) -> Value {
    let answer = daemon.get("/api/v1/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    answer.json()
}

/// Calls `see` for each object in `value`.
fn walk(value: &Value, see: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(members) => {
            see(value);
            members.values().for_each(|member| walk(member, see));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        _ => {}
    }
}

#[tokio::test]
async fn the_description_is_whole() {
    let daemon = daemon().start().await;
    let document = document(&daemon).await;
    assert_eq!(keys(&document), ["components", "info", "openapi", "paths", "security"]);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(document["info"]["title"].is_string());
    let mut references = BTreeSet::new();
    walk(&document, &mut |object| {
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            resolve(&document, reference);
            references.insert(reference.to_owned());
        }
    });
    for schema in keys(&document["components"]["schemas"]) {
        let reference = format!("#/components/schemas/{schema}");
        assert!(references.contains(&reference), "{schema} is described but never used");
    }
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let what = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{what}");
            let responses = operation["responses"].as_object().expect("responses");
            assert!(responses.keys().any(|code| code.starts_with('2')), "{what}");
            assert!(responses.contains_key("default"), "{what} says what an error is like");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let has_id = parameters.iter().any(|p| p["in"] == "path" && p["required"] == true);
            assert_eq!(has_id, path.contains('{'), "{what} names what is in its path");
        }
    }
}

#[tokio::test]
async fn it_has_every_route_and_no_other() {
    let daemon = daemon().start().await;
    let document = document(&daemon).await;
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        described
            .extend(keys(item).into_iter().map(|method| (method.to_uppercase(), path.clone())));
    }
    let known = OPERATIONS.map(|(method, path)| (method.to_owned(), path.to_owned()));
    assert_eq!(described, BTreeSet::from(known));
    // The list is that of the router itself, so that a new route cannot be forgotten here.
    let source = include_str!("../../src/server/routes.rs");
    let (_, api) = source.split_once("fn api()").expect("the routes under /api/v1");
    let routed = api.split(".at(").skip(1).filter_map(|rest| rest.split('"').nth(1));
    let routed: BTreeSet<String> = routed
        .map(|path| format!("/api/v1{}", path.replace(":id", "{id}").replace(":name", "{name}")))
        .collect();
    assert_eq!(routed, OPERATIONS.map(|(_, path)| path.to_owned()).into());
    for path in routed {
        let asked = path.replace("{id}", "x").replace("{name}", "x");
        for method in METHODS {
            let answer = send(&daemon, method, &asked, &[], "").await;
            let is_listed = OPERATIONS.contains(&(method, path.as_str()));
            assert_eq!(answer.status != 405, is_listed, "{method} {path}: {}", answer.text);
            assert_ne!(answer.json()["code"], "unknown_path", "{method} {path}");
        }
    }
}

/// Sends a request and asserts that its answer, a success or not, is as described.
async fn fits(daemon: &Daemon, document: &Value, method: &str, path: &str, body: Value) -> Value {
    let json = [("content-type", "application/json")];
    let answer = send(daemon, method, path, &json, body.to_string()).await;
    let parts: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    let (template, item) = document["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .find(|(template, _)| {
            let wanted: Vec<&str> = template.split('/').collect();
            wanted.len() == parts.len()
                && wanted.iter().zip(&parts).all(|(want, is)| want.starts_with('{') || want == is)
        })
        .unwrap_or_else(|| panic!("{path} is not described"));
    let responses = &item[method.to_lowercase()]["responses"];
    let (kind, response) = match responses.get(answer.status.to_string()) {
        Some(response) => ("application/json", response),
        None => {
            assert!(answer.status >= 400, "{method} {template}: {} undescribed", answer.status);
            match responses["default"]["$ref"].as_str() {
                Some(reference) => ("application/problem+json", resolve(document, reference)),
                None => ("application/json", &responses["default"]),
            }
        }
    };
    if let Some(schema) = response["content"].get(kind).and_then(|content| content.get("schema")) {
        let faults = faults(document, schema, &answer.json());
        assert!(faults.is_empty(), "{method} {path}: {faults:#?}\n{}", answer.text);
    }
    answer.json()
}

#[tokio::test]
async fn every_answer_fits_its_schema() {
    // The root has no files, so that some collectors fail and say so.
    let root = tempfile::tempdir().expect("a folder");
    let rule = "[[alerts.rule]]\nid = \"r\"\nexpr = \"vector(1)\"\nfor = \"1h\"\n";
    let channel = "[notify.channel.out]\ntype = \"command\"\ncommand = [\"/bin/true\"]\n";
    let config = format!("{channel}[collectors]\nroot = \"{}\"\n{rule}", root.path().display());
    let daemon = daemon().config(&config).start().await;
    let document = document(&daemon).await;
    let mut client = daemon.websocket().await;
    let filter = json!({"types": ["all"], "alert_level": "high", "task_ids": ["t"]});
    client.ask(json!({"type": "subscribe", "filter": filter}), "subscribed").await;
    let details = json!({"any": [1, null, {"thing": true}]});
    for (method, path, body) in [
        ("POST", "/api/v1/tasks", json!({"id": "t", "name": "n", "details": details})),
        ("POST", "/api/v1/tasks", json!({"id": "t", "name": "n"})),
        ("PATCH", "/api/v1/tasks/t", json!({"progress": 12.5})),
        ("POST", "/api/v1/tasks/t/stop", json!({})),
        ("PATCH", "/api/v1/tasks/t", json!({"status": "failed"})),
        ("GET", "/api/v1/tasks/t", json!(null)),
        ("GET", "/api/v1/tasks/u", json!(null)),
        ("GET", "/api/v1/tasks", json!(null)),
        ("GET", "/api/v1/status", json!(null)),
        ("GET", "/api/v1/metrics", json!(null)),
        ("GET", "/api/v1/health", json!(null)),
        ("GET", "/api/v1/collectors", json!(null)),
        ("GET", "/api/v1/clients", json!(null)),
        ("GET", "/api/v1/plugins", json!(null)),
        ("GET", "/api/v1/samples", json!(null)),
        ("GET", "/api/v1/events?limit=2", json!(null)),
        ("GET", "/api/v1/events?since=another:7&types=task_update", json!(null)),
        ("GET", "/api/v1/events?since=7", json!(null)),
        ("POST", "/api/v1/groups/ops/messages", json!("text")),
        ("POST", "/api/v1/groups/a%20b/messages", json!(1)),
        ("GET", "/api/v1/groups?limit=2", json!(null)),
        ("GET", "/api/v1/groups?limit=0", json!(null)),
        ("GET", "/api/v1/events?groups=ops&types=group_message", json!(null)),
        ("GET", "/api/v1/samples?nmae=x", json!(null)),
        ("GET", "/api/v1/query?query=node_load1", json!(null)),
        ("GET", "/api/v1/query?query=vector(1)", json!(null)),
        ("GET", "/api/v1/query?query=1", json!(null)),
        ("GET", "/api/v1/query?query=%22x%22", json!(null)),
        ("GET", "/api/v1/query?query=gz_build_info%5B1m%5D", json!(null)),
        ("GET", "/api/v1/query?query=(", json!(null)),
        ("POST", "/api/v1/query", json!(null)),
        ("GET", "/api/v1/query_range?query=vector(1)&start=1&end=9&step=1", json!(null)),
        ("GET", "/api/v1/series?match%5B%5D=gz_build_info", json!(null)),
        ("GET", "/api/v1/series", json!(null)),
        ("GET", "/api/v1/labels", json!(null)),
        ("GET", "/api/v1/label/version/values", json!(null)),
        ("GET", "/api/v1/metadata", json!(null)),
        ("GET", "/api/v1/rules", json!(null)),
        ("GET", "/api/v1/rules/replay?since=1h", json!(null)),
        ("GET", "/api/v1/rules/replay?rule=x", json!(null)),
        ("POST", "/api/v1/silences", json!({"matchers": ["a=b"], "duration": "1h", "by": "x"})),
        ("POST", "/api/v1/silences", json!({"matchers": ["a"], "duration": "1h", "by": "x"})),
        ("GET", "/api/v1/silences", json!(null)),
        ("DELETE", "/api/v1/silences/x", json!(null)),
        ("GET", "/api/v1/status/buildinfo", json!(null)),
        ("GET", "/api/v1/openapi.json", json!(null)),
        ("POST", "/api/v1/reload", json!(null)),
        ("DELETE", "/api/v1/tasks/t", json!(null)),
        ("DELETE", "/api/v1/tasks/t", json!(null)),
    ] {
        fits(&daemon, &document, method, path, body).await;
    }
    answers_about_an_alert_fit(&daemon, &document).await;
}

async fn answers_about_an_alert_fit(daemon: &Daemon, document: &Value) {
    let report = json!({"rule_id": "s", "severity": "critical", "message": "m", "value": 1});
    let alert = fits(daemon, document, "POST", "/api/v1/alerts", report).await;
    let path = format!("/api/v1/alerts/{}", alert["id"].as_str().expect("an id"));
    let taken = json!({"by": "x", "comment": "y"});
    fits(daemon, document, "POST", &format!("{path}/acknowledge"), taken).await;
    for (method, path) in [
        ("GET", path.as_str()),
        ("POST", &format!("{path}/resolve")),
        ("GET", path.as_str()),
        ("POST", &format!("{path}/resolve")),
        ("GET", "/api/v1/alerts"),
        ("GET", "/api/v1/notify/channels"),
        ("POST", "/api/v1/notify/channels/out/test"),
        ("POST", "/api/v1/notify/channels/none/test"),
        ("GET", "/api/v1/notifications?limit=1"),
        ("GET", "/api/v1/notifications?state=lost"),
    ] {
        fits(daemon, document, method, path, json!(null)).await;
    }
}
