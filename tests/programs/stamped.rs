//! Samples of programs that bear a time of their own.

use serde_json::{Value, json};

use crate::support::{Daemon, daemon, until};
use crate::{PACE, metric, sh, until_metric, until_ok};

/// The sample of this name, as `/api/v1/samples` has it.
async fn sample(daemon: &Daemon, name: &str) -> Value {
    until(&format!("{name} is there"), async || {
        let answer = daemon.get(&format!("/api/v1/samples?name={name}")).await.json();
        Some(answer["samples"][0].clone()).filter(|sample| !sample.is_null())
    })
    .await
}

#[tokio::test]
async fn a_near_time_is_kept_and_a_far_one_refused() {
    let now = jiff::Timestamp::now().as_second();
    let (near, far) = (now - 60, now + 3600);
    let script = format!(
        "echo 'text_near 1 {near}250'
        echo 'text_far 1 {far}000'
        echo 'text_old 1 5'
        echo 'open_near 1 {near}.5'
        echo '{{\"name\":\"json_near\",\"value\":1,\"timestamp\":{near}125}}'
        echo '{{\"name\":\"json_far\",\"value\":1,\"timestamp\":{far}000}}'
        echo 'plain 1'"
    );
    let daemon = daemon().config(&(PACE.to_owned() + &sh("it", &script, ""))).start().await;
    until_ok(&daemon, "it").await;
    let second = jiff::Timestamp::from_second(near).expect("a time");
    let text = |fraction: &str| format!("{second:.0}").replace('Z', &format!(".{fraction}Z"));
    for (name, fraction) in [("text_near", "250"), ("open_near", "500"), ("json_near", "125")] {
        assert_eq!(sample(&daemon, name).await["timestamp"], text(fraction), "{name}");
        assert_eq!(metric(&daemon, name).await, Some(1.0), "no time stamp in the exposition");
    }
    let plain = sample(&daemon, "plain").await["timestamp"].as_str().map(str::to_owned);
    assert!(plain > Some(text("999")), "{plain:?}");
    let series = "gz_collector_samples_rejected_total{collector=\"it\",reason=\"timestamp\"}";
    until_metric(&daemon, series, |count| count >= 3.0).await;
    for name in ["text_far", "text_old", "json_far"] {
        assert_eq!(metric(&daemon, name).await, None, "{name}");
    }
    let mut client = daemon.websocket().await;
    let filter = json!({"types": ["collector_update"], "collectors": ["it"]});
    client.ask(json!({"type": "subscribe", "filter": filter}), "subscribed").await;
    let update = client.next_of("collector_update").await;
    let samples = update["data"]["samples"].as_array().expect("samples");
    let of = |name: &str| samples.iter().find(|sample| sample["name"] == name).expect(name);
    assert_eq!(of("text_near")["timestamp"], text("250"));
    assert_eq!(of("plain").get("timestamp"), None);
}

#[tokio::test]
async fn how_far_is_too_far_is_configured() {
    let now = jiff::Timestamp::now().as_second();
    let script = format!("echo 'it 1 {}000'", now - 3600);
    let config = PACE.replace("[collectors]", "[collectors]\nmax_clock_skew = \"2h\"");
    let daemon = daemon().config(&(config + &sh("it", &script, ""))).start().await;
    until_metric(&daemon, "it", |value| value == 1.0).await;
}
