//! Bad lines between good ones, and good lines at the wrong moment.

use serde_json::json;

use crate::support::daemon;
use crate::{PACE, metric, sh, until_metric, until_ok};

const LINES: &str = r#"
echo 'first 1'
printf '\377\376 1\n'
echo '{"name":"","value":1}'
echo '{"name":"a","value":1,"labels":{"9":"x"}}'
echo '{"name":"a","value":1,"labels":{"__name__":"x"}}'
echo '{"name":"a","value":1,"labels":[1]}'
echo '{"name":"a","value":'
echo '{"name":"a","value":1,"colour":"red"}'
echo '{"type":"sonnet"}'
echo 'a{x="1} 1'
echo 'a b'
echo '{x="1"} 1'
echo 'twice 1'
echo 'twice 2'
echo 'nan NaN'
echo '{"name":"up","value":"+Inf"}'
echo '{"name":"down","value":"-Inf"}'
echo 'last 1'
"#;
const BAD_LINES: f64 = 11.0;

#[tokio::test]
async fn bad_lines_are_counted_and_good_ones_kept() {
    let config = PACE.to_owned() + &sh("it", LINES, "interval = \"1h\"\nnon_finite = \"keep\"");
    let daemon = daemon().config(&config).start().await;
    let it = until_ok(&daemon, "it").await;
    // The good ones, `twice` both times, and one of the daemon's.
    assert_eq!(it["samples"], 8, "{it}");
    let rejected = "gz_collector_samples_rejected_total{collector=\"it\",reason=\"invalid\"}";
    let count = until_metric(&daemon, rejected, |count| count > 0.0).await;
    assert_eq!(count % BAD_LINES, 0.0, "{count}\n{}", daemon.log());
    for (series, value) in [
        ("first", 1.0),
        ("last", 1.0),
        ("twice", 2.0),
        ("up", f64::INFINITY),
        ("down", f64::NEG_INFINITY),
    ] {
        assert_eq!(metric(&daemon, series).await, Some(value), "{series}");
    }
    assert!(metric(&daemon, "nan").await.is_some_and(f64::is_nan));
    let nan = daemon.get("/api/v1/samples?name=nan").await;
    assert_eq!(nan.json()["samples"][0]["name"], json!("nan"), "{nan:?}");
    let log = daemon.log();
    for why in ["not UTF-8", "unknown field", "colour", "unknown type", "a quote is not closed"] {
        assert!(log.contains(why), "{why}:\n{log}");
    }
}

#[tokio::test]
async fn what_is_no_number_is_dropped_by_default() {
    let script = "echo 'nan NaN'; echo 'up +Inf'; echo 'fine 1'";
    let config = PACE.to_owned() + &sh("it", script, "interval = \"1h\"");
    let daemon = daemon().config(&config).start().await;
    let it = until_ok(&daemon, "it").await;
    assert_eq!(it["rejected"]["value"].as_u64().map(|count| count % 2), Some(0), "{it}");
    assert_eq!(it["last_rejected"]["message"], "name \"nan\": a gauge cannot be NaN", "{it}");
    assert_eq!(metric(&daemon, "fine").await, Some(1.0));
    assert_eq!(metric(&daemon, "nan").await, None);
}

/// What is printed after `end` shifts no later answer.
#[tokio::test]
async fn lines_after_the_end_belong_to_no_collection() {
    let answer = r#"while read -r q; do
n=$((n + 1))
echo "answer $n"
echo '{"type":"end"}'
echo "stray $n"
echo '{"type":"end","status":"unavailable","message":"stray"}'
done"#;
    let config = PACE.to_owned() + &sh("it", answer, "config = { mode = \"request\" }");
    let daemon = daemon().config(&config).start().await;
    until_ok(&daemon, "it").await;
    let rejected = "gz_collector_samples_rejected_total{collector=\"it\",reason=\"invalid\"}";
    until_metric(&daemon, rejected, |count| count >= 4.0).await;
    until_metric(&daemon, "answer", |answer| answer > 5.0).await;
    assert_eq!(metric(&daemon, "stray").await, None);
    let it = until_ok(&daemon, "it").await;
    assert_eq!(it["total_failures"], 0, "{it}");
}

#[tokio::test]
async fn nothing_but_an_end_is_no_failure() {
    let answer = "while read -r q; do echo '{\"type\":\"end\"}'; done";
    let config = PACE.to_owned()
        + &sh("request", answer, "config = { mode = \"request\" }")
        + &sh("once", "exit 0", "")
        + &sh("stream", "exec sleep 1000", "config = { mode = \"stream\" }");
    let daemon = daemon().config(&config).start().await;
    for name in ["request", "once", "stream"] {
        let now = until_ok(&daemon, name).await;
        assert_eq!(now["total_failures"], 0, "{now}");
    }
}

/// What a program logs bears its name and the level that it gave.
#[tokio::test]
async fn log_records() {
    let script = r#"echo '{"type":"log","level":"error","message":"it burns"}'"#;
    let config = PACE.to_owned() + &sh("it", script, "");
    let daemon = daemon().config(&config).start().await;
    daemon.until_logged("ERROR collector says collector=\"it\" text=\"it burns\"").await;
    until_ok(&daemon, "it").await;
}

/// Why samples are refused is told by reason, with the first one of them.
#[tokio::test]
async fn reasons_are_counted_and_the_first_is_named() {
    let script = r#"printf '9bad\033[31m 1\n'
echo 'down_total -1'
echo 'twice 1'; echo 'twice 2'
echo 'long{x="123456789012345678901234567890123456789012345678901234567890"} 1'
echo 'old 1 5'"#;
    let limits = PACE.replace("[collectors]", "[collectors]\nmax_text = 50");
    let daemon = daemon().config(&(limits + &sh("it", script, ""))).start().await;
    until_ok(&daemon, "load").await;
    for (reason, count) in
        [("invalid", 1), ("value", 1), ("duplicate", 1), ("limit", 1), ("timestamp", 1)]
    {
        let series =
            format!("gz_collector_samples_rejected_total{{collector=\"it\",reason=\"{reason}\"}}");
        until_metric(&daemon, &series, |value| value >= f64::from(count)).await;
        let it = until_ok(&daemon, "it").await;
        assert!(it["rejected"][reason].as_u64() >= Some(1), "{reason}: {it}");
    }
    let it = until_ok(&daemon, "it").await;
    let first = "name \"9bad\\u{1b}[31m\" is not allowed";
    let last = &it["last_rejected"];
    assert_eq!((&last["reason"], &last["message"]), (&"invalid".into(), &first.into()), "{it}");
    let log = daemon.log();
    let told: Vec<_> = log.lines().filter(|line| line.contains("samples refused")).collect();
    let [line] = told[..] else { panic!("once a minute: {told:?}") };
    assert!(line.contains("WARN") && line.contains("9bad") && !line.contains('\x1b'), "{line}");
    assert!(line.contains("invalid=1") && line.contains("duplicate=1"), "{line}");
}
