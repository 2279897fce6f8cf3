//! `gz-monitor plugin list`, with and without a daemon, and the commands that only ask one.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::folder::{Folder, text};
use crate::support::{Daemon, PROGRAM, collector, daemon, run};
use crate::{until_collected, until_collector, until_value, values, with_plugins};

/// What `plugin list` prints of a daemon.
fn listed(daemon: &Daemon) -> String {
    let (code, out, err) = run(&["plugin", "list", "--url", &daemon.url("")]);
    assert_eq!((code, &*err), (0, ""), "{out}");
    out
}

/// The row of a collector by its columns, the mark of trouble first, and the line below it.
fn row(list: &str, name: &str) -> (Vec<String>, String) {
    let mut lines = list.lines();
    let is_it = |line: &&str| line[1..].split_whitespace().next() == Some(name);
    let line = lines.find(is_it).unwrap_or_else(|| panic!("{name} is not in\n{list}"));
    let mut cells = vec![line[..1].to_owned()];
    cells.extend(
        line[1..].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned),
    );
    (cells, lines.next().unwrap_or_default().to_owned())
}

/// Asserts that the list, `/api/v1/collectors`, `/metrics` and the log say the same of a collector that
/// has failed and is not tried again for now.
async fn agree(daemon: &Daemon, name: &str, error: &str) {
    let it = collector(daemon, name).await;
    let (cells, note) = row(&listed(daemon), name);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_u64().map_or("-".to_owned(), |n| n.to_string());
    let told = [
        "!".to_owned(),
        name.to_owned(),
        text(&it["state"]),
        number(&it["samples"]),
        number(&it["starts"]),
    ];
    assert_eq!(cells[..5], told);
    assert!(note.starts_with("!     ") && note.ends_with(&text(&it["error"])), "{note}");
    assert!(note.contains(error), "{note}");
    let label = format!("collector={name}");
    let metric = async |metric: &str| values(daemon, metric, &label).await;
    until_value(
        daemon,
        "gz_collector_failures_total",
        &label,
        it["total_failures"].as_f64().expect("a number"),
    )
    .await;
    assert_eq!(metric("gz_collector_success").await, [0.0]);
    assert_eq!(metric("gz_collector_samples").await, [it["samples"].as_f64().expect("a number")]);
    assert_eq!(metric("gz_plugin_starts_total").await, [it["starts"].as_f64().expect("a number")]);
    let exposed = daemon.get("/metrics").await.text;
    let starts = format!("gz_plugin_starts_total{{collector=\"{name}\"}} {}", it["starts"]);
    assert!(exposed.lines().any(|line| line == starts), "{starts} is not in\n{exposed}");
    let log = daemon.log();
    let lines = log
        .lines()
        .filter(|line| line.contains(&format!("collector=\"{name}\"")) && line.contains(error));
    assert_eq!(Some(lines.count() as u64), it["total_failures"].as_u64(), "{log}");
}

#[tokio::test]
async fn with_a_daemon() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    folder.acts("refused.so", &["-DMAJOR=2"]);
    let config = "[[collector]]\nplugin = \"acts\"\nname = \"north\"\n\
        [[collector]]\nname = \"sh\"\ncommand = [\"/bin/sh\", \"-c\", \"echo of_sh 1\"]\n";
    let daemon = with_plugins(&folder, config).start().await;
    for name in ["north", "sh", "acts-too", "cpu"] {
        until_collected(&daemon, name).await;
    }
    // The memory of a child is known from its second collection on.
    until_collected(&daemon, "north").await;
    let list = listed(&daemon);
    let (cells, _) = row(&list, "cpu");
    assert_eq!(
        (&*cells[2], &*cells[3], &*cells[5], &*cells[6]),
        ("built-in", "ok", "-", "-"),
        "{list}"
    );
    let (cells, file) = row(&list, "acts");
    assert_eq!(cells[1..4], ["acts", "library", "ok"], "{list}");
    assert_eq!(file, format!("    version 0.1, ABI 1.0, {}", folder.file("acts.so").display()));
    let (cells, _) = row(&list, "north");
    assert_eq!((&*cells[2], &*cells[3], &*cells[4]), ("ok", "4", "1"), "{list}");
    assert!(cells[5].ends_with("MiB"), "{list}");
    assert!(list.find("  sh ") > list.find("command "), "below its plugin: {list}");
    let refused = format!("\nRefused:\n! {}\n!     ", folder.file("refused.so").display());
    let (_, reason) =
        list.split_once(&refused).unwrap_or_else(|| panic!("{refused} is not in\n{list}"));
    assert!(reason.contains("built for plugin ABI 2; "), "{list}");
    assert!(
        list.ends_with(&format!(" collectors at {}, none in trouble\n", daemon.url(""))),
        "{list}"
    );

    let (code, out, _) = run(&["plugin", "list", "--json", "--url", &daemon.url("")]);
    let all: Value = serde_json::from_str(&out).expect("one object");
    assert_eq!((code, &all["daemon"]), (0, &daemon.url("").into()));
    let plugins = daemon.get("/api/v1/plugins").await.json();
    assert_eq!((&all["plugins"], &all["refused"]), (&plugins["plugins"], &plugins["refused"]));
    let names = |all: &Value| -> Vec<Value> {
        all["collectors"].as_array().expect("a list").iter().map(|c| c["name"].clone()).collect()
    };
    assert_eq!(names(&all), names(&daemon.get("/api/v1/collectors").await.json()));

    folder.remove("acts.so");
    crate::support::until("the list is that of the folder", async || {
        // The collector that the configuration names goes on saying which file it misses.
        (!listed(&daemon).contains(&file)).then_some(())
    })
    .await;
}

#[test]
fn without_a_daemon() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let config = folder.beside("gz-monitor.toml");
    // Nobody listens on the port of TCPMUX.
    let words =
        format!("[server]\nport = 1\n[plugins]\nfolders = [\"{}\"]\n", folder.path().display());
    fs::write(&config, words).expect("a file");
    let (code, list, err) = run(&["plugin", "list", "--config", text(&config)]);
    assert_eq!((code, &*err), (0, ""), "{list}");
    assert!(list.contains("acts-too") && list.contains("Does it too."), "{list}");
    assert!(list.contains("\nNo daemon answers at http://127.0.0.1:1: "), "{list}");
    let (code, out, err) = run(&["plugin", "list", "--json", "--config", text(&config)]);
    assert_eq!((code, &*err), (0, ""), "{out}");
    let all: Value = serde_json::from_str(&out).expect("one object");
    assert!(all["daemon"].is_null() && all["collectors"].is_null(), "{all}");
    let acts =
        all["plugins"].as_array().expect("a list").iter().find(|plugin| plugin["name"] == "acts");
    assert_eq!(acts.expect("it is there")["file"], text(&folder.file("acts.so")));
}

/// To describe a library is to run it, which takes time and trust.
#[tokio::test]
async fn who_only_asks_a_daemon_looks_at_no_plugin() {
    let folder = Folder::new();
    let trace = folder.beside("loaded");
    let leave = format!("-DON_LOAD=fclose(fopen(\"{}\",\"w\"))", trace.display());
    folder.acts("acts.so", &[&leave]);
    let daemon = daemon().start().await;
    let config = folder.beside("gz-monitor.toml");
    let words = format!(
        "[server]\nport = {}\n[plugins]\nfolders = [\"{}\"]\n[[collector]]\nplugin = \"gone\"\n",
        daemon.address.port(),
        folder.path().display()
    );
    fs::write(&config, words).expect("a file");
    let config = ["--config", text(&config)];
    for command in [&["status"][..], &["plugin", "restart", "cpu"]] {
        let (code, out, err) = run(&[command, &config].concat());
        assert_eq!((code, &*err), (0, ""), "{command:?}: {out}");
    }
    assert!(!trace.exists(), "the library was run");
    run(&[&["check-config"], &config[..]].concat());
    assert!(trace.exists(), "it leaves a trace when it is");
}

#[tokio::test]
async fn a_fault_is_told_alike_everywhere() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    folder.order("orders", "segfault");
    let config = format!(
        "[[collector]]\nplugin = \"acts\"\nname = \"crashes\"\ninterval = \"1h\"\n\
         config = {{ orders = \"{}\" }}\n",
        folder.beside("orders").display()
    );
    let daemon = with_plugins(&folder, &config).start().await;
    // At the start and soon after it, and then not for an hour.
    until_collector(&daemon, "crashes", "has failed twice", |it| it["total_failures"] == 2).await;
    agree(&daemon, "crashes", "ended with signal: 11 (SIGSEGV)").await;
}

/// The children that look at libraries have another current folder.
#[test]
fn a_plugin_folder_may_be_named_from_here() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let mut list = Command::new(PROGRAM);
    list.args(["plugin", "list", "--plugin-dir", "plugins"]).current_dir(folder.beside(""));
    let output = list.output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("acts-too") && !text.contains("Refused"), "{text}");
}
