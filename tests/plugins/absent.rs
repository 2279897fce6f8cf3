//! Collectors with nothing to measure on this machine: well, named with the reason, left alone.

use std::fs;

use serde_json::{Value, json};

use crate::folder::{Folder, scenarios, text};
use crate::support::{Daemon, run, until};
use crate::{children, collector, until_collected, until_collector, values, with_plugins};

async fn until_absent(daemon: &Daemon, name: &str, reason: &str) {
    let is_absent = |now: &Value| now["state"] == "absent";
    let it = until_collector(daemon, name, "is absent", is_absent).await;
    assert_eq!((&it["reason"], &it["error"]), (&json!(reason), &json!(null)), "{it}");
    let failures = (&it["consecutive_failures"], &it["total_failures"]);
    assert_eq!(failures, (&json!(0), &json!(0)), "{it}");
}

/// The acts of a library in a child and in the daemon, of one of the SDK, and a built-in collector
/// on a host without files.
fn config(folder: &Folder) -> String {
    let (orders, root) = (folder.beside("orders"), folder.beside("root"));
    fs::create_dir_all(&root).expect("a folder");
    let orders = text(&orders);
    format!(
        "root = \"{}\"
        [[collector]]
        plugin = \"acts\"
        config = {{ orders = \"{orders}\" }}
        [[collector]]
        plugin = \"acts\"
        name = \"inline\"
        isolation = \"inline\"
        config = {{ orders = \"{orders}\" }}
        [[collector]]
        plugin = \"scenario\"
        config = {{ init = \"no_data\" }}
        ",
        text(&root)
    )
}

#[tokio::test]
async fn what_is_not_on_this_machine_is_no_failure() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let copy = folder.beside("copy");
    fs::copy(scenarios(), &copy).expect("a copy");
    folder.put(&copy, "scenarios.so");
    folder.order("orders", "init-no-data");
    let daemon = with_plugins(&folder, &config(&folder)).start().await;
    for (name, reason) in [
        ("acts", "no such device"),
        ("inline", "no such device"),
        ("scenario", "nothing here"),
        ("pressure", "the kernel has no PSI"),
    ] {
        until_absent(&daemon, name, reason).await;
        for (metric, value) in [("success", 1.0), ("absent", 1.0), ("failures_total", 0.0)] {
            let metric = format!("gz_collector_{metric}");
            let label = format!("collector={name}");
            until(&format!("{metric}{{{label}}} is {value}"), async || {
                (values(&daemon, &metric, &label).await == [value]).then_some(())
            })
            .await;
        }
        let log = daemon.log();
        let told: Vec<&str> = log
            .lines()
            .filter(|line| line.contains(&format!("collector=\"{name}\" reason")))
            .collect();
        let [line] = told[..] else { panic!("{name} is told of once: {told:?}") };
        assert!(line.contains(" INFO nothing to measure") && line.contains(reason), "{line}");
    }
    // No child is kept for what is not there; one that works has its own.
    until("the children are gone", async || {
        children(&daemon).iter().all(|(_, line)| !line.ends_with(" acts")).then_some(())
    })
    .await;
    let health = daemon.get("/api/v1/health").await.json();
    let checks = health["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["name"] == "collector acts").expect("a check");
    assert_eq!(check["ok"], true, "{health}");
    let (code, out, _) = run(&["status", "--url", &format!("http://{}", daemon.address)]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains(", 4 absent\n"), "{out}");
    assert!(out.contains("acts is absent: no such device\n"), "{out}");
}

#[tokio::test]
async fn it_is_looked_for_again_on_a_reload_a_new_file_or_a_request() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    folder.order("orders", "init-no-data");
    let entry = format!(
        "[[collector]]\nplugin = \"acts\"\nconfig = {{ orders = \"{}\" }}\n",
        text(&folder.beside("orders"))
    );
    let daemon = with_plugins(&folder, &entry).start().await;
    until_absent(&daemon, "acts", "no such device").await;
    let starts = || values(&daemon, "gz_plugin_starts_total", "collector=acts");
    folder.order("orders", "work");
    // Others are collected again and again meanwhile.
    for _ in 0..3 {
        until_collected(&daemon, "acts-too").await;
    }
    assert_eq!(collector(&daemon, "acts").await["state"], "absent");
    assert_eq!(starts().await, [1.0]);
    daemon.signal("HUP");
    until_collected(&daemon, "acts").await;

    folder.order("orders", "init-no-data");
    folder.acts("acts.so", &["-DVERSION=2"]);
    until_absent(&daemon, "acts", "no such device").await;
    folder.order("orders", "work");
    folder.acts("acts.so", &["-DVERSION=3"]);
    until_collected(&daemon, "acts").await;

    folder.order("orders", "init-no-data");
    let restart = async || daemon.post_nothing("/api/v1/collectors/acts/restart").await.status;
    assert_eq!(restart().await, 202);
    until_absent(&daemon, "acts", "no such device").await;
    folder.order("orders", "work");
    assert_eq!(restart().await, 202);
    until_collected(&daemon, "acts").await;
}
