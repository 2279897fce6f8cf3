//! Rules in files: those of Prometheus, those that come with gz-monitor, bad ones, and reloads.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Daemon, daemon, run, until};
use crate::{FAST, RUNNING, rules, until_status};

/// As Prometheus' documentation has them (Alerting rules; Templating alert rules).
const PUBLISHED: &str = r#"
groups:
- name: example
  labels:
    team: myteam
  rules:
  - alert: HighRequestLatency
    expr: job:request_latency_seconds:mean5m{job="myjob"} > 0.5
    for: 10m
    keep_firing_for: 5m
    labels:
      severity: page
    annotations:
      summary: High request latency
- name: templates
  rules:

  # Alert for any instance that is unreachable for >5 minutes.
  - alert: InstanceDown
    expr: up == 0
    for: 5m
    labels:
      severity: page
    annotations:
      summary: "Instance {{ $labels.instance }} down"
      description: "{{ $labels.instance }} of job {{ $labels.job }} has been down for more than 5 minutes."

  # Alert for any instance that has a median request latency >1s.
  - alert: APIHighRequestLatency
    expr: api_http_request_latencies_second{quantile="0.5"} > 1
    for: 10m
    annotations:
      summary: "High request latency on {{ $labels.instance }}"
      description: "{{ $labels.instance }} has a median request latency above 1s (current value: {{ $value }}s)"
"#;

/// The value of a series, once a query gives one.
async fn until_value(daemon: &Daemon, query: &str) -> Value {
    until(&format!("{query} has a value"), || async {
        let answer = daemon.get(&format!("/api/v1/query?query={query}")).await.json();
        answer["data"]["result"].get(0).cloned()
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recording_rules_have_series_which_rules_and_metrics_know() {
    // The second reads the first; the third fails, and hurts nobody.
    let text = "groups:\n- name: g\n  interval: 1s\n  labels: { team: ops }\n  rules:\n  \
                - record: host:seven\n    expr: vector(7)\n    labels: { site: here }\n  \
                - record: host:eight\n    expr: host:seven + 1\n  \
                - record: host:twice\n    expr: '{__name__=~\"node_memory_Mem(Total|Free)_bytes\"}'\n  \
                - alert: Eight\n    expr: host:eight == 8\n";
    let daemon = daemon().config(FAST).file("alerts.d/node.yml", text).start().await;
    until_status(&daemon, "node/g/Eight", "firing").await;
    let seven = until_value(&daemon, "host:seven").await;
    let metric = json!({"__name__": "host:seven", "site": "here", "team": "ops"});
    assert_eq!((&seven["metric"], &seven["value"][1]), (&metric, &json!("7")));
    let metrics = daemon.get("/metrics").await.text;
    assert!(metrics.contains("host:eight{site=\"here\",team=\"ops\"} 8\n"), "{metrics}");
    let all = rules(&daemon).await;
    let rule = &all["node/g/host:seven"];
    assert_eq!((&rule["type"], &rule["health"]), (&json!("recording"), &json!("ok")), "{rule}");
    assert_eq!((&rule["name"], &rule["query"]), (&json!("host:seven"), &json!("vector(7)")));
    let rule = &all["node/g/host:twice"];
    assert_eq!(rule["health"], "err", "{rule}");
    assert_eq!(rule["lastError"], "two of its series have the same labels");
    daemon.until_logged("two of its series have the same labels").await;

    // A reload with another rule has another series, and ends the first.
    let text = "groups:\n- name: g\n  rules:\n  - record: host:nine\n    expr: vector(9)\n";
    fs::write(daemon.path().join("alerts.d/node.yml"), text).expect("a file");
    daemon.signal("HUP");
    until_value(&daemon, "host:nine").await;
    until("the old series ends", || async {
        let answer = daemon.get("/api/v1/query?query=host:seven").await.json();
        answer["data"]["result"].as_array().is_some_and(Vec::is_empty).then_some(())
    })
    .await;
    // Without any, there is no collector for them.
    fs::write(daemon.path().join("alerts.d/node.yml"), "").expect("a file");
    daemon.signal("HUP");
    until("the collector ends", || async {
        let collectors = daemon.get("/api/v1/collectors").await.text;
        (!collectors.contains("recording-rules")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_files_of_prometheus_are_taken_as_they_are() {
    let text = "groups:\n- name: g\n  interval: 2s\n  rules:\n  - alert: Always\n    \
                expr: vector(1) > 0\n    labels: { severity: warning }\n    annotations:\n      \
                summary: it is {{ $value }}\n";
    let daemon = daemon()
        .config(FAST)
        .file("alerts.d/published.yml", PUBLISHED)
        .file("alerts.d/own.yaml", text)
        .start()
        .await;
    let all = rules(&daemon).await;
    let ids: Vec<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(
        ids,
        [
            "own/g/Always",
            "published/example/HighRequestLatency",
            "published/templates/APIHighRequestLatency",
            "published/templates/InstanceDown"
        ]
    );
    let latency = &all["published/example/HighRequestLatency"];
    assert_eq!(latency["severity"], "critical");
    assert_eq!(latency["labels"], json!({"severity": "page", "team": "myteam"}));
    assert_eq!((&latency["duration"], &latency["keepFiringFor"]), (&json!(600.0), &json!(300.0)));
    assert_eq!(all["own/g/Always"]["interval"], 2.0);
    let fired = until_status(&daemon, "own/g/Always", "firing").await;
    assert_eq!((&fired["severity"], &fired["message"]), (&json!("medium"), &json!("it is 1")));
    assert_eq!(fired["rule_name"], "Always");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_that_are_installed_can_be_evaluated_here() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("etc/alerts.d/host.toml");
    let text = fs::read_to_string(path).expect("the installed rules");
    let daemon = daemon().config(FAST).file("alerts.d/host.toml", &text).start().await;
    let count = text.matches("[[alerts.rule]]").count() - 1;
    until("most rules are evaluated", || async {
        let rules = rules(&daemon).await;
        assert_eq!(rules.len(), count);
        let failing: Vec<_> = rules.values().filter(|rule| rule["health"] == "err").collect();
        assert!(failing.is_empty(), "{failing:#?}");
        // Two have an interval of their own, which is longer.
        let done = rules.values().filter(|rule| rule["health"] == "ok").count();
        (done >= count - 2).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_file_leaves_the_old_rules_and_a_good_one_their_states() {
    let daemon = daemon().config(&format!("{FAST}{RUNNING}")).start().await;
    daemon.post("/api/v1/tasks", json!({"id": "t", "name": "job"})).await;
    let fired = until_status(&daemon, "running", "firing").await;

    let folder = daemon.path().join("alerts.d");
    fs::create_dir(&folder).expect("a folder");
    fs::write(
        folder.join("bad.yml"),
        "groups:\n- name: g\n  rules:\n  - alert: a\n    expr: up +\n",
    )
    .expect("a file");
    fs::write(folder.join("bad.toml"), "[server]\nport = 1\n[alerts]\ninterval = \"5s\"\n")
        .expect("a file");
    let refused = daemon.post("/api/v1/reload", json!({})).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let problems = refused.json()["problems"].to_string();
    for part in [
        "bad.yml:5: alerts.rule[bad/g/a].expr: 1:5: parse error",
        "bad.toml:2: server: only",
        "bad.toml:4: alerts.interval: only",
    ] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
    let config = daemon.path().join("gz-monitor.toml");
    let config = config.to_str().expect("UTF-8");
    let (code, _, errors) = run(&["check-config", "--config", config]);
    assert_eq!((code, errors.contains("bad.yml:5")), (78, true), "{errors}");
    assert_eq!(rules(&daemon).await.len(), 1);

    fs::remove_file(folder.join("bad.yml")).expect("gone");
    fs::write(
        folder.join("bad.toml"),
        "[[alerts.rule]]\nid = \"more\"\nexpr = \"vector(2)\"\n\
         [[alerts.rule]]\nid = \"running\"\nexpr = \"vector(0) > 1\"\nseverity = \"low\"\n",
    )
    .expect("a file");
    let applied = daemon.post("/api/v1/reload", json!({})).await;
    assert_eq!(applied.json()["changes"], json!(["alerts.rule[more] added"]), "{}", applied.text);
    until_status(&daemon, "more", "firing").await;
    // What the main file says wins, and the alert goes on.
    assert_eq!(until_status(&daemon, "running", "firing").await["starts_at"], fired["starts_at"]);
    daemon.reload(&format!("{FAST}[[alerts.rule]]\nid = \"running\"\nenabled = false\n"));
    until_status(&daemon, "running", "resolved").await;
    assert_eq!(rules(&daemon).await.keys().collect::<Vec<_>>(), ["more"]);
}
