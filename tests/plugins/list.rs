//! `gz-monitor plugin list`, with and without a daemon, and the commands that only ask one.

use std::fs;

use crate::folder::{Folder, text};
use crate::support::{daemon, run};

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
