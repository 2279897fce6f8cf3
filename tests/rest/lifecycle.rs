//! Tasks and alerts from their first report to their end.

use serde_json::json;

use crate::support::daemon;
use crate::{keys, send};

#[tokio::test]
async fn a_task_from_report_to_removal() {
    let daemon = daemon().start().await;
    let created = daemon.post("/api/v1/tasks", json!({"name": "Clone", "id": "t1"})).await;
    assert_eq!((created.status, created.header("location")), (201, "/api/v1/tasks/t1"));
    let task = created.json();
    assert_eq!(keys(&task), ["id", "name", "progress", "start_time", "status", "updated_at"]);
    assert_eq!((&task["status"], &task["progress"]), (&json!("running"), &json!(0)));
    assert_eq!(daemon.get("/api/v1/tasks/t1").await.json(), task);

    let details = json!({"processed": 3, "of": ["a", null]});
    let change = json!({"progress": 37.5, "details": details, "name": "Clone all"});
    let changed = daemon.patch("/api/v1/tasks/t1", change).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let changed = changed.json();
    assert_eq!((&changed["progress"], &changed["details"]), (&json!(37.5), &details));
    assert_eq!((&changed["name"], &changed["status"]), (&json!("Clone all"), &json!("running")));

    let stopped = daemon.post("/api/v1/tasks/t1/stop", json!({})).await.json();
    assert_eq!(stopped["stop_requested"], true, "{stopped}");
    assert_eq!(stopped["status"], "running", "its owner has to end it: {stopped}");
    let ended = daemon.patch("/api/v1/tasks/t1", json!({"status": "cancelled"})).await.json();
    assert!(ended["end_time"].is_string(), "{ended}");
    assert_eq!(daemon.get("/api/v1/tasks").await.json(), json!({"tasks": [ended]}));

    let deleted = daemon.delete("/api/v1/tasks/t1").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    assert_eq!(daemon.get("/api/v1/tasks").await.json(), json!({"tasks": []}));
    assert_eq!(daemon.get("/api/v1/tasks/t1").await.status, 404);
}

#[tokio::test]
async fn what_a_new_task_may_say() {
    let daemon = daemon().start().await;
    let pending = daemon.post("/api/v1/tasks", json!({"name": "a", "status": "pending"})).await;
    let pending = pending.json();
    assert_eq!(pending["status"], "pending");
    let id = pending["id"].as_str().expect("an id was chosen").to_owned();
    let stopped = daemon.post(&format!("/api/v1/tasks/{id}/stop"), json!({})).await.json();
    assert_eq!(stopped["status"], "cancelled", "nobody has begun it: {stopped}");
    let done = daemon.post("/api/v1/tasks", json!({"name": "b", "status": "completed"})).await;
    let done = done.json();
    assert_eq!((&done["progress"], done["end_time"].is_string()), (&json!(100), true), "{done}");
    let content_type = [("content-type", "Application/JSON; charset=utf-8")];
    let body = r#" {"name": "c"} "#;
    let answer = send(&daemon, "POST", "/api/v1/tasks", &content_type, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test]
async fn an_id_may_hold_any_characters() {
    let daemon = daemon().start().await;
    for id in ["a b/c?d#e", "Prüfung ✓", "100%", "%41", "\"\n", "a;b=c,d+e"] {
        let created = daemon.post("/api/v1/tasks", json!({"name": "x", "id": id})).await;
        assert_eq!(created.status, 201, "{id}: {}", created.text);
        let location = created.header("location").to_owned();
        assert!(location.starts_with("/api/v1/tasks/"), "{id}: {location:?}");
        assert_eq!(daemon.get(&location).await.json()["id"], id, "{location}");
        let ended = daemon.patch(&location, json!({"status": "failed"})).await;
        assert_eq!(ended.json()["status"], "failed", "{location}");
        assert_eq!(daemon.delete(&location).await.status, 204, "{location}");
    }
}

#[tokio::test]
async fn an_alert_fires_changes_and_is_resolved() {
    let daemon = daemon().start().await;
    let report = json!({"rule_id": "cpu", "rule_name": "High CPU", "severity": "critical",
        "message": "above 90 %", "value": 92.5, "threshold": 90});
    let fired = daemon.post("/api/v1/alerts", report.clone()).await;
    assert_eq!(fired.status, 200, "{}", fired.text);
    let fired = fired.json();
    let members = [
        "annotations",
        "id",
        "labels",
        "message",
        "rule_id",
        "rule_name",
        "severity",
        "starts_at",
        "status",
        "threshold",
        "value",
    ];
    assert_eq!(keys(&fired), members);
    assert_eq!((&fired["status"], &fired["value"]), (&json!("firing"), &json!(92.5)));
    assert_eq!(daemon.get("/api/v1/status").await.json()["status"], "critical");

    let again = json!({"rule_id": "cpu", "severity": "medium", "message": "above 80 %"});
    let again = daemon.post("/api/v1/alerts", again).await.json();
    assert_eq!((&again["id"], &again["starts_at"]), (&fired["id"], &fired["starts_at"]));
    assert_eq!((&again["rule_name"], &again["value"]), (&json!("cpu"), &json!(null)));
    assert_eq!(daemon.get("/api/v1/status").await.json()["status"], "warning");

    let path = format!("/api/v1/alerts/{}", fired["id"].as_str().expect("an id"));
    let mut shown = daemon.get(&path).await.json();
    let shown = shown.as_object_mut().expect("an object");
    let more = ["of_rule", "transitions"].map(|key| shown.remove(key).expect(key));
    assert_eq!((&more[0], more[1].as_array().map(Vec::len)), (&json!(false), Some(2)));
    assert_eq!(json!(shown), again);
    let resolved = daemon.post(&format!("{path}/resolve"), json!({})).await.json();
    assert_eq!(resolved["status"], "resolved");
    assert!(resolved["ends_at"].is_string(), "{resolved}");
    assert_eq!(daemon.get("/api/v1/alerts").await.json(), json!({"alerts": [resolved]}));
    assert_eq!(daemon.get("/api/v1/status").await.json()["status"], "healthy");

    let back = daemon.post("/api/v1/alerts", report).await.json();
    assert_eq!((&back["id"], &back["status"]), (&fired["id"], &json!("firing")));
    assert!(back.get("ends_at").is_none(), "{back}");
}
