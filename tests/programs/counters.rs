//! Counters of programs that go down.

use crate::support::{daemon, run};
use crate::{PACE, collector, sh, until_collector, until_metric};

#[tokio::test]
async fn a_counter_that_goes_down_is_kept_and_told() {
    // Goes to 2 and down to 1 with every other answer.
    let script = r#"while read -r q; do n=$(( n % 2 + 1 )); echo "it_total{x=\"y\"} $n"
echo '{"type":"end"}'; done"#;
    let config = PACE.to_owned() + &sh("it", script, "config = { mode = \"request\" }");
    let daemon = daemon().config(&config).start().await;
    let has_resets = |it: &serde_json::Value| it["counter_resets"].as_u64() > Some(2);
    let it = until_collector(&daemon, "it", "has resets", has_resets).await;
    assert_eq!(
        (it["state"].as_str(), it["last_reset"].as_str()),
        (Some("ok"), Some("it_total{x=\"y\"}"))
    );
    let series = "gz_collector_counter_resets_total{collector=\"it\"}";
    until_metric(&daemon, series, |count| count > 2.0).await;
    until_metric(&daemon, "it_total{x=\"y\"}", |value| value == 1.0).await;
    assert_eq!(collector(&daemon, "load").await["counter_resets"], 0);
    let log = daemon.log();
    let told: Vec<_> = log.lines().filter(|line| line.contains("counters went down")).collect();
    let [line] = told[..] else { panic!("once a minute: {told:?}") };
    assert!(
        line.contains("INFO") && line.contains("count=1") && line.contains("it_total"),
        "{line}"
    );
    let (_, out, _) = run(&["status", "--url", &format!("http://{}", daemon.address)]);
    assert!(out.contains("counters went down, the last is it_total{x=\"y\"}\n"), "{out}");
}
