//! What `GET` answers: the members of each answer to the letter, queries, `HEAD` and `OPTIONS`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::{self, Daemon, daemon, until};
use crate::{keys, list, send};

/// The body of a `GET` that succeeds, and is fresh JSON.
async fn get(daemon: &Daemon, path: &str) -> Value {
    let answer = daemon.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    assert_eq!(answer.header("content-type"), "application/json", "{path}");
    assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    answer.json()
}

const STATUS: [&str; 8] = [
    "active_tasks",
    "cpu_usage",
    "disk_usage",
    "memory_usage",
    "network_io",
    "status",
    "total_requests",
    "uptime",
];
const METRICS: [&str; 7] = [
    "active_tasks",
    "avg_response_time",
    "cpu_usage",
    "error_rate",
    "memory_usage_mb",
    "total_requests",
    "uptime",
];
const COLLECTOR: [&str; 18] = [
    "config_error",
    "consecutive_failures",
    "counter_resets",
    "error",
    "interval",
    "last_duration",
    "last_rejected",
    "last_reset",
    "last_success",
    "name",
    "plugin",
    "reason",
    "rejected",
    "resident_memory_bytes",
    "samples",
    "starts",
    "state",
    "total_failures",
];
const CLIENT: [&str; 10] = [
    "address",
    "bytes_sent",
    "connected_at",
    "deflate",
    "encoding",
    "filter",
    "id",
    "lag",
    "lag_bytes",
    "messages_sent",
];
const SAMPLE: [&str; 7] = ["collector", "kind", "labels", "name", "timestamp", "unit", "value"];

#[tokio::test]
async fn the_state_of_the_host() {
    let daemon = daemon().start().await;
    let status = get(&daemon, "/api/v1/status").await;
    assert_eq!(keys(&status), STATUS);
    assert_eq!(keys(&status["network_io"]), ["bytes_in", "bytes_out"]);
    assert_eq!(status["status"], "healthy");
    assert!(status["memory_usage"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{status}");
    let metrics = get(&daemon, "/api/v1/metrics").await;
    assert_eq!(keys(&metrics), METRICS);
    assert_eq!(metrics["error_rate"].to_string(), "0.0");
    let health = get(&daemon, "/api/v1/health").await;
    assert_eq!(keys(&health), ["checks", "ready", "status"]);
    assert_eq!((&health["ready"], &health["status"]), (&json!(true), &json!("ok")), "{health}");
    for check in list(&health["checks"]) {
        assert_eq!(keys(check), ["name", "ok"]);
    }
}

#[tokio::test]
async fn collectors_and_clients() {
    let daemon = daemon().start().await;
    let collectors = get(&daemon, "/api/v1/collectors").await;
    assert_eq!(keys(&collectors), ["collectors"]);
    let names: Vec<&Value> = list(&collectors["collectors"]).iter().map(|c| &c["name"]).collect();
    for name in ["cpu", "load", "memory", "system", "processes", "gz-monitor"] {
        assert!(names.contains(&&json!(name)), "{name} in {names:?}");
    }
    for collector in list(&collectors["collectors"]) {
        assert_eq!(keys(collector), COLLECTOR);
        assert_eq!(collector["state"], "ok", "{collector}");
    }
    assert_eq!(get(&daemon, "/api/v1/clients").await, json!({"clients": []}));
    let mut client = daemon.websocket().await;
    let filter = json!({"types": ["alert"], "alert_level": "high"});
    client.ask(json!({"type": "subscribe", "filter": filter}), "subscribed").await;
    let clients = get(&daemon, "/api/v1/clients").await;
    let [client] = &list(&clients["clients"])[..] else { panic!("one client in {clients}") };
    assert_eq!(keys(client), CLIENT);
    assert_eq!(client["filter"], filter);
}

#[tokio::test]
async fn plugins() {
    let daemon = daemon().start().await;
    let answer = get(&daemon, "/api/v1/plugins").await;
    assert_eq!(keys(&answer), ["plugins", "refused"]);
    for plugin in list(&answer["plugins"]) {
        assert_eq!(keys(plugin), ["abi", "file", "kind", "name", "summary", "version"]);
    }
    let plugin = |name: &str| {
        let it = list(&answer["plugins"]).iter().find(|plugin| plugin["name"] == name);
        it.unwrap_or_else(|| panic!("{name} in {answer}"))
    };
    let load = json!({
        "name": "load", "kind": "built-in", "summary": "Load averages", "version": null,
        "abi": null, "file": null,
    });
    assert_eq!(plugin("load"), &load);
    assert_eq!(plugin("command")["kind"], "program");
    let builder = support::daemon();
    let folder = builder.path().join("plugins");
    let builder = builder.file("plugins/none.so", "no library");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("a mode");
    let file = folder.join("none.so");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("a mode");
    let folder = folder.display().to_string();
    let daemon = builder.argument("--plugin-dir").argument(folder).start().await;
    let refused = get(&daemon, "/api/v1/plugins").await["refused"].take();
    let [refused] = &list(&refused)[..] else { panic!("one file in {refused}") };
    assert_eq!(keys(refused), ["file", "reason"]);
    assert_eq!(refused["file"], json!(file));
    assert!(refused["reason"].as_str().is_some_and(|reason| reason.contains("666")), "{refused}");
}

#[tokio::test]
async fn samples_by_name_and_label() {
    let daemon = daemon().start().await;
    let all = get(&daemon, "/api/v1/samples").await;
    assert_eq!(keys(&all), ["samples"]);
    for sample in list(&all["samples"]) {
        assert_eq!(keys(sample), SAMPLE);
    }
    let load = get(&daemon, "/api/v1/samples?name=node_load1").await;
    let [load] = &list(&load["samples"])[..] else { panic!("one series in {load}") };
    assert_eq!((&load["collector"], &load["labels"]), (&json!("load"), &json!({})));
    let idle = "/api/v1/samples?name=node_cpu_seconds_total&label=mode=idle&label=cpu=0";
    let idle = get(&daemon, idle).await;
    let [idle] = &list(&idle["samples"])[..] else { panic!("one series in {idle}") };
    assert_eq!(idle["labels"], json!({"cpu": "0", "mode": "idle"}));
    assert_eq!((&idle["kind"], &idle["unit"]), (&json!("counter"), &json!("seconds")));
    // A value may hold what separates parameters, if it is encoded.
    for query in ["name=no_such_metric", "label=mode=idle&label=mode=user", "label=a=%26=%3D"] {
        let none = get(&daemon, &format!("/api/v1/samples?{query}")).await;
        assert_eq!(none, json!({"samples": []}), "{query}");
    }
}

#[tokio::test]
async fn head_and_options() {
    let daemon = daemon().start().await;
    let paths = [
        ("/api/v1/status", "OPTIONS, HEAD, GET"),
        ("/api/v1/tasks", "OPTIONS, HEAD, GET, POST"),
        ("/api/v1/tasks/x", "OPTIONS, HEAD, GET, PATCH, DELETE"),
        ("/api/v1/tasks/x/stop", "OPTIONS, POST"),
        ("/metrics", "OPTIONS, HEAD, GET"),
        ("/dashboard", "OPTIONS, HEAD, GET"),
    ];
    for (path, allowed) in paths {
        let options = send(&daemon, "OPTIONS", path, &[], "").await;
        assert_eq!((options.status, options.header("allow")), (204, allowed), "{path}");
        if !allowed.contains("HEAD") {
            continue;
        }
        let (head, get) = (send(&daemon, "HEAD", path, &[], "").await, daemon.get(path).await);
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn requests_are_counted() {
    let daemon = daemon().config("[collectors]\ninterval = \"100ms\"").start().await;
    let requests = async || get(&daemon, "/api/v1/status").await["total_requests"].as_u64();
    let before = requests().await;
    until("the count rises", async || (requests().await > before).then_some(())).await;
    send(&daemon, "PUT", "/api/v1/status", &[], "").await;
    until("the refusal is counted by its code", async || {
        let path = "/api/v1/samples?name=gz_http_requests_total&label=code=405";
        get(&daemon, path).await["samples"][0]["value"].as_u64()
    })
    .await;
}
