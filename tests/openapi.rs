//! The API's reference is what the daemon says of itself: what it describes is there.

mod support;

use reqwest::Method;
use serde_json::Value;
use support::daemon;

#[tokio::test]
async fn every_operation_that_is_described_exists() {
    let daemon = daemon().start().await;
    let document = daemon.get("/api/v1/openapi.json").await.json();
    let paths = document["paths"].as_object().expect("paths");
    assert!(!paths.is_empty());
    for (path, operations) in paths {
        for method in operations.as_object().expect("operations").keys() {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let path = path.replace("{id}", "none");
            let answer = daemon.request(method.clone(), &path, Some("{}".to_owned())).await;
            let code = &answer.json()["code"];
            let is_unknown = code == "unknown_path" || code == "method_not_allowed";
            assert!(!is_unknown, "{method} {path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let daemon = daemon().start().await;
    let document = daemon.get("/api/v1/openapi.json").await.json();
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect_references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}
