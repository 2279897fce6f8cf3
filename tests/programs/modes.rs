//! What programs deliver in each of the three modes.

use serde_json::{Value, json};

use crate::support::{Daemon, daemon};
use crate::{PACE, collector, metric, sh, until_collector, until_metric, until_ok};

const ONCE: &str = r#"
echo '# HELP jobs_done Jobs that are done'
echo '# TYPE jobs_done counter'
echo 'jobs_done{queue="a",host="say \"hi\""} 5'
echo
echo '{"name":"depth","labels":{"queue":"b"},"value":2.5}'
echo '{"type":"sample","name":"seen_total","value":1e3}'
echo '{"type":"sample","name":"odd_total","kind":"gauge","value":7}'
printf 'last_line 1'
"#;
const STREAM: &str = r#"while :; do i=$((i + 1)); echo "lines_total $i"; sleep 0.02; done"#;
const REQUEST: &str = r#"while read -r question; do
n=$((n + 1))
[ "$question" = '{"type":"collect"}' ] && echo "answers_total $n"
echo '{"type":"end"}'
done"#;

async fn sample(daemon: &Daemon, name: &str) -> Value {
    let found = daemon.get(&format!("/api/v1/samples?name={name}")).await.json();
    found["samples"][0].clone()
}

async fn until_in_stream(daemon: &Daemon, collector: &str, name: &str) -> Value {
    let mut client = daemon.websocket().await;
    let filter = json!({"types": ["collector_update"], "collectors": [collector]});
    client.ask(json!({"type": "subscribe", "filter": filter}), "subscribed").await;
    loop {
        let update = client.next_of("collector_update").await;
        let samples = update["data"]["samples"].as_array().expect("a list").clone();
        if let Some(sample) = samples.into_iter().find(|sample| sample["name"] == name) {
            return sample;
        }
    }
}

#[tokio::test]
async fn each_mode_delivers_to_metrics_rest_and_stream() {
    let site = "labels = { site = \"lab\" }\n";
    let config = PACE.to_owned()
        + &sh("once", ONCE, site)
        + &sh("stream", STREAM, "config = { mode = \"stream\" }")
        + &sh("request", REQUEST, "config = { mode = \"request\" }");
    let daemon = daemon().config(&config).start().await;
    for name in ["once", "stream", "request"] {
        until_ok(&daemon, name).await;
    }
    let text = daemon.get("/metrics").await.text;
    for line in [
        "# TYPE jobs_done counter",
        r#"jobs_done{host="say \"hi\"",queue="a",site="lab"} 5"#,
        "# TYPE depth gauge",
        r#"depth{queue="b",site="lab"} 2.5"#,
        "# TYPE seen_total counter",
        "# TYPE odd_total gauge",
        r#"last_line{site="lab"} 1"#,
    ] {
        assert!(text.lines().any(|l| l == line), "{line}:\n{text}");
    }
    let depth = sample(&daemon, "depth").await;
    assert_eq!(depth["labels"], json!({"queue": "b", "site": "lab"}), "{depth}");
    assert_eq!((&depth["kind"], &depth["collector"]), (&json!("gauge"), &json!("once")));
    assert_eq!(until_in_stream(&daemon, "once", "seen_total").await["kind"], "counter");
    until_in_stream(&daemon, "stream", "lines_total").await;
    until_in_stream(&daemon, "request", "answers_total").await;
    for series in ["lines_total", "answers_total"] {
        let before = until_metric(&daemon, series, |value| value > 1.0).await;
        until_metric(&daemon, series, |value| value > before).await;
    }
    // Two run on, and one is run again and again.
    for name in ["stream", "request"] {
        let starts = format!("gz_plugin_starts_total{{collector=\"{name}\"}}");
        assert_eq!(metric(&daemon, &starts).await, Some(1.0));
    }
    let starts = "gz_plugin_starts_total{collector=\"once\",site=\"lab\"}";
    until_metric(&daemon, starts, |value| value > 1.0).await;
    let memory = "gz_plugin_resident_memory_bytes{collector=\"stream\"}";
    until_metric(&daemon, memory, |bytes| bytes > 4096.0).await;
}

#[tokio::test]
async fn each_way_to_end_a_collection() {
    let end = |end: &str| {
        format!("while read -r q; do echo 'kept 1'; echo '{{\"type\":\"end\",{end}}}'; done")
    };
    let request = "config = { mode = \"request\" }";
    let ways = [
        ("no_data", r#""status":"no_data","message":"no queue""#, "ok", ""),
        ("absent", r#""status":"absent","message":"no card""#, "absent", ""),
        ("config", r#""status":"config","message":"no such queue""#, "stopped", "no such queue"),
        ("unavailable", r#""status":"unavailable","message":"down""#, "failing", "down"),
        ("internal", r#""status":"internal""#, "failing", "did not say why"),
        ("panic", r#""status":"panic","message":"index""#, "failing", "index"),
    ];
    let mut config = PACE.to_owned();
    for (name, record, ..) in ways {
        config += &sh(name, &end(record), request);
        let script = format!("echo '{{\"type\":\"end\",{record}}}'");
        config += &sh(&format!("once-{name}"), &script, "");
    }
    let daemon = daemon().config(&config).start().await;
    for (name, _, state, error) in ways {
        for name in [name.to_owned(), format!("once-{name}")] {
            until_collector(&daemon, &name, state, |now| {
                let text = now["error"].as_str().unwrap_or_default();
                now["state"] == state && text.contains(error) && error.is_empty() == text.is_empty()
            })
            .await;
        }
    }
    for name in ["absent", "once-absent"] {
        let now = collector(&daemon, name).await;
        assert_eq!(
            (&now["reason"], &now["total_failures"]),
            (&json!("no card"), &json!(0)),
            "{now}"
        );
    }
    let is_told = |line: &&str| line.contains("collector=\"absent\" reason");
    let log = daemon.log();
    let told: Vec<&str> = log.lines().filter(is_told).collect();
    assert!(matches!(told[..], [line] if line.contains(" INFO nothing to measure")), "{told:?}");
    // One that failed in its own words runs on; one that broke is started anew.
    let starts = |name: &str| format!("gz_plugin_starts_total{{collector=\"{name}\"}}");
    until_metric(&daemon, &starts("panic"), |value| value > 1.0).await;
    let failures = |now: &Value| now["total_failures"].as_u64() > Some(2);
    until_collector(&daemon, "unavailable", "fails again", failures).await;
    assert_eq!(metric(&daemon, &starts("unavailable")).await, Some(1.0));
    assert!(daemon.log().contains("collector stopped collector=\"config\""), "{}", daemon.log());
}
