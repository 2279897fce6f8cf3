//! Libraries that come, stay, are replaced and go.

use std::fs;

use serde_json::json;

use crate::endings::{entry, witness};
use crate::folder::{Folder, scenarios, text};
use crate::support::until;
use crate::{
    children, collector, has_ended, until_collected, until_collector, until_value, values,
    with_plugins,
};

#[tokio::test]
async fn two_collectors_of_one_file_are_found_at_the_start() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let config = "
        [[collector]]
        plugin = \"acts\"
        name = \"renamed\"
        interval = \"200ms\"
        labels = { site = \"north\" }
        config = { limit = 7 }
    ";
    let daemon = with_plugins(&folder, config).start().await;
    for (name, plugin, interval) in [
        // Its own suggestion, the common one, and what the configuration says.
        ("acts", "acts", "100ms"),
        ("acts-too", "acts-too", "100ms"),
        ("renamed", "acts", "200ms"),
    ] {
        until_collected(&daemon, name).await;
        let it = collector(&daemon, name).await;
        assert_eq!((&it["plugin"], &it["interval"]), (&json!(plugin), &json!(interval)), "{it}");
    }
    let metrics = daemon.get("/metrics").await.text;
    assert!(metrics.contains("acts_limit{site=\"north\"} 7"), "{metrics}");
    assert!(metrics.contains("gz_plugin_starts_total{collector=\"acts\"} 1"), "{metrics}");
    assert!(values(&daemon, "gz_plugin_resident_memory_bytes", "collector=acts").await[0] > 1e5);

    let mut client = daemon.websocket().await;
    let filter = json!({"types": ["collector_update"], "collectors": ["renamed"]});
    client.ask(json!({"type": "subscribe", "filter": filter}), "subscribed").await;
    let update = client.next_of("collector_update").await;
    let samples = update["data"]["samples"].as_array().expect("samples");
    let limit = samples.iter().find(|sample| sample["name"] == "acts_limit").expect("a sample");
    assert_eq!((&limit["value"], &limit["labels"]["site"]), (&json!(7), &json!("north")));
    // What it logs bears its name.
    daemon.until_logged("acts is started").await;
}

#[tokio::test]
async fn a_library_is_added_replaced_and_removed_while_the_daemon_runs() {
    let folder = Folder::new();
    folder.acts("stays.so", &["-DPREFIX=\"stays-\""]);
    let daemon = with_plugins(&folder, "").start().await;
    until_collected(&daemon, "stays-acts").await;
    let stays = || children(&daemon).into_iter().filter(|(_, line)| line.contains("stays.so"));
    let before: Vec<_> = stays().collect();
    assert_eq!(before.len(), 2, "{before:?}");

    folder.acts("comes.so", &["-DPREFIX=\"comes-\"", "-DVERSION=2"]);
    until_collected(&daemon, "comes-acts").await;
    until_collected(&daemon, "comes-acts-too").await;
    let comes = children(&daemon).into_iter().filter(|(_, line)| line.contains("comes.so"));
    let comes: Vec<_> = comes.collect();
    assert_eq!(comes.len(), 2, "{comes:?}");
    until("the new version is read", async || {
        daemon
            .get("/metrics")
            .await
            .text
            .contains("acts_version{library=\"comes-\"} 2")
            .then_some(())
    })
    .await;

    folder.acts("comes.so", &["-DPREFIX=\"comes-\"", "-DVERSION=3"]);
    until("the newer version is read", async || {
        daemon
            .get("/metrics")
            .await
            .text
            .contains("acts_version{library=\"comes-\"} 3")
            .then_some(())
    })
    .await;
    until("the old children are gone", async || {
        comes.iter().all(|(pid, _)| has_ended(*pid)).then_some(())
    })
    .await;

    folder.remove("comes.so");
    until("it is gone", async || collector(&daemon, "comes-acts").await.is_null().then_some(()))
        .await;
    until("its children are gone", async || {
        children(&daemon).iter().all(|(_, line)| line.contains("stays.so")).then_some(())
    })
    .await;
    let of_it = "/api/v1/samples?label=collector=comes-acts";
    until("its series are gone", async || {
        let samples = daemon.get(of_it).await.json();
        samples["samples"].as_array().is_some_and(Vec::is_empty).then_some(())
    })
    .await;
    until_collected(&daemon, "stays-acts").await;
    assert_eq!(stays().collect::<Vec<_>>(), before, "who has not changed goes on");
}

#[tokio::test]
async fn one_that_the_configuration_names_goes_and_comes_back() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let config = "[[collector]]\nplugin = \"acts\"\nname = \"named\"\n";
    let daemon = with_plugins(&folder, config).start().await;
    until_collected(&daemon, "named").await;
    folder.remove("acts.so");
    let is_stopped = |now: &serde_json::Value| {
        let error = now["error"].as_str().unwrap_or_default();
        now["state"] == "stopped"
            && error.starts_with("there is no plugin \"acts\": ")
            && error.ends_with("/acts.so is gone")
    };
    until_collector(&daemon, "named", "is stopped", is_stopped).await;
    assert_eq!(children(&daemon).len(), 0);
    // It is known to have been there: a reload is not refused for it.
    daemon.signal("HUP");
    daemon.until_logged("reloaded: nothing has changed").await;
    assert_eq!(collector(&daemon, "named").await["state"], "stopped");
    folder.acts("acts.so", &["-DVERSION=8"]);
    until_collected(&daemon, "named").await;
    until_value(&daemon, "acts_version", "", 8.0).await;
}

#[tokio::test]
async fn a_daemon_that_is_killed_leaves_no_child() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let mut daemon = with_plugins(&folder, "").start().await;
    until_collected(&daemon, "acts").await;
    until_collected(&daemon, "acts-too").await;
    let running = children(&daemon);
    assert_eq!(running.len(), 2, "{running:?}");
    daemon.signal("KILL");
    daemon.ended().await;
    until("no child is left", async || {
        running.iter().all(|(pid, _)| has_ended(*pid)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn inline_a_library_runs_in_the_daemon() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let config = "
        [[collector]]
        plugin = \"acts\"
        isolation = \"inline\"
        config = { limit = 5 }
        [[collector]]
        plugin = \"acts-too\"
        enabled = false
    ";
    let daemon = with_plugins(&folder, config).start().await;
    until_collected(&daemon, "acts").await;
    until_value(&daemon, "acts_limit", "", 5.0).await;
    assert_eq!(children(&daemon), []);
    let maps = fs::read_to_string(format!("/proc/{}/maps", daemon.pid())).expect("its maps");
    assert!(maps.contains(text(&folder.file("acts.so"))), "{maps}");
    assert!(values(&daemon, "gz_plugin_starts_total", "collector=acts").await.is_empty());
}

#[tokio::test]
async fn plugins_of_the_sdk() {
    let folder = Folder::new();
    let copy = folder.beside("copy");
    fs::copy(scenarios(), &copy).expect("a copy");
    folder.put(&copy, "scenarios.so");
    let config = "
        [[collector]]
        plugin = \"scenario\"
        interval = \"100ms\"
        config = { samples = 3 }
        [[collector]]
        plugin = \"scenario\"
        name = \"panics\"
        interval = \"100ms\"
        config = { collect = \"panic\" }
        [[collector]]
        plugin = \"scenario\"
        name = \"mistaken\"
        config = { sample = 3 }
        [[collector]]
        plugin = \"scenario\"
        name = \"nothing\"
        config = { init = \"unavailable\" }
    ";
    let daemon = with_plugins(&folder, config).start().await;
    until_collected(&daemon, "scenario").await;
    until_collected(&daemon, "witness").await;
    until_value(&daemon, "odd", "", 1.0).await;
    for (name, state, error) in [
        ("panics", "failing", "panicked: "),
        ("panics", "broken", "panicked: "),
        ("mistaken", "stopped", "unknown field `sample`"),
        ("nothing", "failing", "unavailable: not now"),
    ] {
        until_collector(&daemon, name, state, |now| {
            let text = now["error"].as_str().unwrap_or_default();
            now["state"] == state && text.contains(error)
        })
        .await;
    }
    // Each panic costs the instance.
    until("it is started again and again", async || {
        let starts = values(&daemon, "gz_plugin_starts_total", "collector=panics").await;
        starts.first().is_some_and(|starts| *starts > 2.0).then_some(())
    })
    .await;
}

/// Of itself it would collect twice in an hour.
#[tokio::test]
async fn inline_it_is_asked_when_it_asks_for_it() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    folder.order("orders", "request");
    let keys = "isolation = \"inline\"\ninterval = \"1h\"";
    let _daemon = with_plugins(&folder, &entry(&folder, keys, "")).start().await;
    until("it was asked", async || (witness(&folder).len() >= 4).then_some(())).await;
}
