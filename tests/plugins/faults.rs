//! What a library may do wrong in a child: it is seen, it hurts nobody, and it works again when it
//! behaves again.

use std::fmt::Write as _;

use serde_json::json;

use crate::folder::Folder;
use crate::support::{Daemon, until};
use crate::{children, collector, until_collected, until_collector, values, with_plugins};

/// What is ordered, and what its error says.
const FAILURES: [(&str, &str); 12] = [
    ("segfault", "SIGSEGV"),
    ("abort", "ended with signal: 6 (SIGABRT)"),
    ("overflow", "ended with signal: "),
    ("exit", "ended with exit status: 0"),
    ("leak", "its last words: no memory is left"),
    ("hang", "did not answer within"),
    ("init-hang", "did not answer within"),
    ("init-unavailable", "unavailable: no device yet"),
    ("panic-status", "panicked: broke half-way"),
    ("unavailable", "unavailable: no answer"),
    ("unknown-status", "it gave the status 4711"),
    ("close", "ended with "),
];

/// What does no harm at all.
const HARMLESS: [&str; 4] = ["stdout", "stdin", "samples", "no-data"];

/// One daemon with a collector for each order, named like it, and one that behaves.
async fn daemon_under(orders: &[&str], folder: &Folder) -> Daemon {
    folder.acts("acts.so", &[]);
    let mut config = String::new();
    for order in orders {
        folder.order(order, order);
        let (path, hangs) = (folder.beside(order), order.contains("hang"));
        let deadline = if hangs { "1s" } else { "10s" };
        write!(
            config,
            "[[collector]]\nplugin = \"acts\"\nname = \"{order}\"\ndeadline = \"{deadline}\"\n\
             config = {{ orders = \"{}\" }}\n",
            path.display()
        )
        .expect("text");
    }
    with_plugins(folder, &config).start().await
}

#[tokio::test]
async fn faults_are_seen_hurt_nobody_and_pass() {
    let folder = Folder::new();
    let orders = FAILURES.map(|(order, _)| order);
    let daemon = daemon_under(&orders, &folder).await;
    for (order, error) in FAILURES {
        let it = until_collector(&daemon, order, "fails", |now| {
            let text = now["error"].as_str().unwrap_or_default();
            ["failing", "broken"].iter().any(|s| now["state"] == *s) && text.contains(error)
        })
        .await;
        assert_eq!(it["last_success"], json!(null), "{it}");
        let success = values(&daemon, "gz_collector_success", &format!("collector={order}")).await;
        assert_eq!(success, [0.0], "{order}");
        // What it emitted before it broke counts, but for one that never got so far.
        let starts = values(&daemon, "gz_plugin_starts_total", &format!("collector={order}")).await;
        assert!(starts[0] >= 1.0, "{order}: {starts:?}");
        let log = daemon.log();
        let is_told = |line: &str| line.contains(order) && line.contains(error);
        assert!(log.lines().any(is_told), "{order}: {error:?} is not in the log:\n{log}");
    }
    for name in ["acts", "acts-too", "cpu", "system", "gz-monitor"] {
        until_collected(&daemon, name).await;
        assert_eq!(collector(&daemon, name).await["total_failures"], 0, "{name}");
    }
    // The ones that crash are started again.
    until("it is started again and again", async || {
        let starts = values(&daemon, "gz_plugin_starts_total", "collector=segfault").await;
        (starts[0] > 2.0).then_some(())
    })
    .await;
    for order in orders {
        folder.order(order, "work");
    }
    for order in orders {
        until_collector(&daemon, order, "works again", |now| now["state"] == "ok").await;
    }
    // One child for each, and none that was left behind.
    assert_eq!(children(&daemon).len(), orders.len() + 2, "{:?}", children(&daemon));
}

#[tokio::test]
async fn what_is_no_fault() {
    let folder = Folder::new();
    let daemon = daemon_under(&HARMLESS, &folder).await;
    for order in HARMLESS {
        until_collected(&daemon, order).await;
        let starts = values(&daemon, "gz_plugin_starts_total", &format!("collector={order}")).await;
        assert_eq!(starts, [1.0], "{order}");
    }
    // Printed text is a line of the log and no sample.
    daemon.until_logged("acts_printed 1").await;
    // Names that Prometheus does not allow are refused, and counted, by the daemon.
    daemon.until_logged("samples refused collector=\"samples\"").await;
    daemon.until_logged("acts_nan").await;
    let metrics = daemon.get("/metrics").await.text;
    assert!(!metrics.contains("acts_printed"), "{metrics}");
    // Two good samples and what the daemon adds; the bad ones are counted.
    let samples = collector(&daemon, "samples").await["samples"].as_u64();
    assert_eq!(samples, Some(4));
    let refused = metrics.lines().filter(|line| line.starts_with("gz_collector_samples_rejected"));
    let refused: Vec<_> = refused.filter(|line| line.contains("\"samples\"")).collect();
    assert!(!refused.is_empty(), "{metrics}");
    let it = collector(&daemon, "samples").await;
    assert_eq!(it["last_rejected"]["message"], "name \"acts_nan\": a gauge cannot be NaN", "{it}");
    let rejected = |reason: &str| it["rejected"][reason].as_u64();
    assert!(rejected("value") > Some(0) && rejected("invalid") > rejected("value"), "{it}");
    for name in ["acts_nan", "acts_kind", "acts_labels", "acts_label_name"] {
        assert!(!metrics.contains(name), "{name}: {metrics}");
    }
}

#[tokio::test]
async fn a_configuration_that_is_refused_stops_the_collector_until_it_is_restarted() {
    let folder = Folder::new();
    let daemon = daemon_under(&["init-config"], &folder).await;
    let stopped = until_collector(&daemon, "init-config", "stops", |now| now["state"] == "stopped");
    assert_eq!(stopped.await["error"], "configuration: no such mode");
    folder.order("init-config", "work");
    let restart = daemon.post_nothing("/api/v1/collectors/init-config/restart").await;
    assert_eq!(restart.status, 202, "{restart:?}");
    until_collected(&daemon, "init-config").await;
}

/// Bytes of the daemon's memory at its highest; a million samples as they come would be far more.
const MEMORY_MAX_KIB: u64 = 400 << 10;

async fn check_a_million_samples(isolation: &str) {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let mut config = String::new();
    for order in ["million", "until-told"] {
        folder.order(order, order);
        let path = folder.beside(order);
        write!(
            config,
            "[[collector]]\nplugin = \"acts\"\nname = \"{order}\"\ninterval = \"1s\"\n\
             isolation = \"{isolation}\"\nconfig = {{ orders = \"{}\" }}\n",
            path.display()
        )
        .expect("text");
    }
    let daemon = with_plugins(&folder, &config).start().await;
    let refused = async |name: &str| {
        let label = format!("collector={name}&label=reason=limit");
        values(&daemon, "gz_collector_samples_rejected_total", &label).await
    };
    for name in ["million", "until-told"] {
        until_collected(&daemon, name).await;
        let it = collector(&daemon, name).await;
        let said = (&it["state"], &it["samples"], &it["total_failures"]);
        assert_eq!(said, (&json!("ok"), &json!(10_000), &json!(0)), "{isolation}: {it}");
    }
    until("what it did not heed is counted", async || {
        refused("million").await.first().is_some_and(|count| *count >= 990_002.0).then_some(())
    })
    .await;
    // The whole call that did not fit, and not one more.
    daemon.until_logged("stopped after 9000 samples").await;
    if isolation == "process" {
        let starts = values(&daemon, "gz_plugin_starts_total", "collector=million").await;
        assert_eq!(starts, [1.0], "it is not killed");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid()));
    let status = status.expect("its status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a field");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(peak < MEMORY_MAX_KIB, "{isolation}: {peak} KiB");
    until_collected(&daemon, "acts-too").await;
}

#[tokio::test]
async fn a_million_samples() {
    check_a_million_samples("process").await;
}

#[tokio::test]
async fn a_million_samples_inline() {
    check_a_million_samples("inline").await;
}

#[tokio::test]
async fn an_exception_that_leaves_collect() {
    let folder = Folder::new();
    folder.throws("throws.so");
    folder.acts("acts.so", &[]);
    let daemon = with_plugins(&folder, "").start().await;
    let is_aborted = |now: &serde_json::Value| {
        now["error"].as_str().is_some_and(|error| error.contains("ended with signal: 6 (SIGABRT)"))
    };
    until_collector(&daemon, "throws", "is aborted", is_aborted).await;
    until_collected(&daemon, "acts").await;
}
