//! The life of an alert of a rule: fired, silenced, taken on, lowered, resolved.

use serde_json::json;

use crate::support::{daemon, until};
use crate::{FAST, RUNNING, alerts, rules, until_status};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_fired_silenced_taken_on_and_resolved() {
    let mut daemon = daemon().config(&format!("{FAST}{RUNNING}")).start().await;
    let mut client = daemon.websocket().await;
    let initial = client.next_of("initial_state").await;
    assert_eq!(initial["data"]["alert_stats"]["total_rules"], 1);
    daemon.post("/api/v1/tasks", json!({"id": "t", "name": "job"})).await;
    let fired = client.next_of("alert").await["data"].clone();
    assert_eq!(fired["status"], "firing", "{fired}");
    assert_eq!(fired["message"], "1 are running");
    assert_eq!(fired["labels"], json!({"status": "running", "team": "ops"}));
    assert_eq!(fired["annotations"], json!({"runbook": "see running"}));
    assert_eq!((&fired["value"], &fired["threshold"]), (&json!(1.0), &json!(0.0)));
    assert_eq!(daemon.get("/api/v1/status").await.json()["status"], "warning");
    let id = fired["id"].as_str().expect("an id");

    // Nobody outside resolves it, nor fires it.
    let refused = daemon.post(&format!("/api/v1/alerts/{id}/resolve"), json!({})).await;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("alert_of_rule")));
    let report = json!({"rule_id": "running", "severity": "low", "message": "m"});
    assert_eq!(daemon.post("/api/v1/alerts", report).await.status, 409);

    let silence = json!({"matchers": ["team=ops"], "duration": "1h", "by": "ada"});
    let silence = daemon.post("/api/v1/silences", silence).await;
    assert_eq!(silence.status, 201, "{}", silence.text);
    let message = client.next_of("alert").await;
    assert_eq!(message["data"]["status"], "silenced", "{message}");
    assert_eq!(daemon.get("/api/v1/status").await.json()["status"], "healthy");
    let mut another = daemon.websocket().await;
    let stats = another.next_of("initial_state").await["data"]["alert_stats"].clone();
    let expected = json!({"total_rules": 1, "total_alerts": 1, "firing_alerts": 0,
        "resolved_alerts": 0, "silenced_alerts": 1});
    assert_eq!(stats, expected);

    // It is silent after a kill as well, and the task is still there.
    daemon = daemon.killed().start().await;
    assert_eq!(until_status(&daemon, "running", "silenced").await["starts_at"], fired["starts_at"]);
    let mut client = daemon.websocket().await;
    client.next_of("initial_state").await;
    let silence = silence.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(daemon.delete(&format!("/api/v1/silences/{silence}")).await.status, 204);
    assert_eq!(daemon.delete(&format!("/api/v1/silences/{silence}")).await.status, 404);
    assert_eq!(client.next_of("alert").await["data"]["status"], "firing");

    let taken = json!({"by": "bob", "comment": "on it"});
    let taken = daemon.post(&format!("/api/v1/alerts/{id}/acknowledge"), taken).await;
    assert_eq!(taken.json()["acknowledgement"]["by"], "bob", "{}", taken.text);
    let message = client.next_of("alert").await;
    assert_eq!(message["data"]["acknowledgement"]["comment"], "on it", "{message}");

    daemon.patch("/api/v1/tasks/t", json!({"status": "completed"})).await;
    let resolved = client.next_of("alert").await["data"].clone();
    assert_eq!((&resolved["status"], &resolved["id"]), (&json!("resolved"), &json!(id)));
    assert!(resolved["ends_at"].is_string(), "{resolved}");
    let details = daemon.get(&format!("/api/v1/alerts/{id}")).await.json();
    let changes = details["transitions"].as_array().expect("a list").iter();
    let changes: Vec<&str> = changes.map(|it| it["status"].as_str().expect("text")).collect();
    assert_eq!(changes, ["firing", "silenced", "firing", "firing", "resolved"], "{details}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_saw_an_alert_learns_that_it_was_lowered() {
    let config = format!("{FAST}[[alerts.rule]]\nid = \"r\"\nexpr = \"vector(1)\"\n");
    let daemon = daemon().config(&format!("{config}severity = \"critical\"\n")).start().await;
    let mut client = daemon.websocket().await;
    let filter = json!({"types": ["alert"], "alert_level": "high"});
    client.ask(json!({"type": "subscribe", "filter": filter}), "subscribed").await;
    until_status(&daemon, "r", "firing").await;
    daemon.reload(&format!("{config}severity = \"low\"\n"));
    let lowered = until("it is lowered", || async {
        alerts(&daemon).await.into_iter().find(|alert| alert["severity"] == "low")
    })
    .await;
    let mut levels = Vec::new();
    while levels.last().is_none_or(|level| level != "low") {
        levels.push(client.next_of("alert").await["data"]["severity"].clone());
    }
    assert!(levels.len() <= 2, "{levels:?}");
    assert_eq!(lowered["status"], "firing");
    // What becomes of it then is not this client's any more: the next it hears of is another alert.
    daemon.reload(FAST);
    until_status(&daemon, "r", "resolved").await;
    let report = json!({"rule_id": "other", "severity": "high", "message": "m"});
    daemon.post("/api/v1/alerts", report).await;
    assert_eq!(client.next_of("alert").await["data"]["rule_id"], "other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_cannot_be_evaluated_says_so_once_and_holds_up_no_other() {
    let config = format!(
        "{FAST}max_alerts_per_rule = 1\n\
         [[alerts.rule]]\nid = \"many\"\nexpr = \"gz_tasks >= 0\"\n\
         [[alerts.rule]]\nid = \"one\"\nexpr = \"vector(1)\"\n"
    );
    let daemon = daemon().config(&config).start().await;
    until_status(&daemon, "one", "firing").await;
    let failing = until("the rule fails", || async {
        rules(&daemon).await.remove("many").filter(|rule| rule["health"] == "err")
    })
    .await;
    let error = failing["lastError"].as_str().expect("an error");
    assert!(error.contains("alerts.max_alerts_per_rule"), "{error}");
    let rounds = |text: String| -> f64 {
        let line = text.lines().find(|line| line.starts_with("gz_alert_rounds_total "));
        line.and_then(|line| line.rsplit(' ').next()).map_or(0.0, |n| n.parse().expect("a number"))
    };
    until("several rounds", || async {
        (rounds(daemon.get("/metrics").await.text) >= 4.0).then_some(())
    })
    .await;
    assert_eq!(daemon.log().matches("rule not evaluated").count(), 1, "{}", daemon.log());
}
