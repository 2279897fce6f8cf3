//! A new configuration of a collector that runs: taken, refused, and answered with every fault.

use serde_json::json;

use crate::endings::{entry, witness};
use crate::folder::Folder;
use crate::support::{Daemon, until};
use crate::{
    QUICK, collector, until_collected, until_collector, until_value, values, with_plugins,
};

struct Reloaded {
    folder: Folder,
    daemon: Daemon,
}

impl Reloaded {
    /// A collector with the limit 1, under an order, that is given the limit 2.
    async fn new(order: &str, keys: &str, arguments: &[&str]) -> Self {
        let folder = Folder::new();
        folder.acts("acts.so", arguments);
        let config = |limit| entry(&folder, keys, &format!(", limit = {limit}"));
        let daemon = with_plugins(&folder, &config(1)).start().await;
        until_value(&daemon, "acts_limit", "by=acts", 1.0).await;
        folder.order("orders", order);
        daemon.reload(&format!("{QUICK}{}", config(2)));
        Self { folder, daemon }
    }

    async fn starts(&self) -> Vec<f64> {
        values(&self.daemon, "gz_plugin_starts_total", "collector=acts").await
    }

    async fn until_limit(&self, limit: f64) {
        until_value(&self.daemon, "acts_limit", "by=acts", limit).await;
    }
}

#[tokio::test]
async fn one_that_takes_it_is_not_started_anew() {
    let it = Reloaded::new("work", "", &[]).await;
    it.until_limit(2.0).await;
    assert_eq!(it.starts().await, [1.0]);
    assert_eq!(witness(&it.folder), ["reload"]);
}

#[tokio::test]
async fn one_that_does_not_is_destroyed_and_made_anew() {
    for (order, arguments, done) in [
        ("work", &["-DRELOAD=NULL"][..], &["destroyed"][..]),
        ("reload-restart", &[], &["reload", "destroyed"]),
        ("reload-panic", &[], &["reload", "destroyed"]),
    ] {
        for (isolation, starts) in [("process", &[2.0][..]), ("inline", &[])] {
            let keys = format!("isolation = \"{isolation}\"");
            let it = Reloaded::new(order, &keys, arguments).await;
            it.until_limit(2.0).await;
            until_collected(&it.daemon, "acts").await;
            assert_eq!(witness(&it.folder), done, "{order} {isolation}");
            assert_eq!(it.starts().await, starts, "{order} {isolation}");
        }
    }
}

#[tokio::test]
async fn one_that_refuses_it_keeps_the_old_one() {
    for (order, error) in [
        ("reload-config", "configuration: no such mode"),
        ("reload-no-data", "reload returned the status 1"),
    ] {
        for (isolation, starts) in [("process", &[1.0][..]), ("inline", &[])] {
            let it = Reloaded::new(order, &format!("isolation = \"{isolation}\""), &[]).await;
            let refused = |now: &serde_json::Value| now["config_error"] == error;
            let now = until_collector(&it.daemon, "acts", "refuses it", refused).await;
            assert_eq!(now["state"], "ok", "{now}");
            it.daemon.until_logged("new configuration refused").await;
            until_collected(&it.daemon, "acts").await;
            it.until_limit(1.0).await;
            assert_eq!(it.starts().await, starts, "{order} {isolation}");
            assert_eq!(witness(&it.folder), ["reload"]);
            // Taken back, it is no error any more.
            let old = entry(&it.folder, &format!("isolation = \"{isolation}\""), ", limit = 1");
            it.daemon.reload(&format!("{QUICK}{old}"));
            let mended = |now: &serde_json::Value| now["config_error"] == json!(null);
            until_collector(&it.daemon, "acts", "is as before", mended).await;
            assert_eq!(witness(&it.folder), ["reload"]);
        }
    }
}

#[tokio::test]
async fn one_that_hangs_or_crashes_over_it_is_started_anew() {
    for (order, error) in
        [("reload-hang", "did not answer within"), ("reload-segfault", "signal: 11 (SIGSEGV)")]
    {
        let it = Reloaded::new(order, "deadline = \"1s\"", &[]).await;
        it.until_limit(2.0).await;
        assert_eq!(it.starts().await, [2.0], "{order}");
        assert_eq!(witness(&it.folder), ["reload"], "{order}");
        it.daemon.until_logged(error).await;
        until_collected(&it.daemon, "acts-too").await;
        assert_eq!(collector(&it.daemon, "acts-too").await["total_failures"], 0);
    }
    let it = Reloaded::new("reload-hang", "isolation = \"inline\"\ndeadline = \"1s\"", &[]).await;
    it.until_limit(2.0).await;
}

/// Other keys of its entry have it made anew, and one that had stopped is tried again.
#[tokio::test]
async fn what_else_changes() {
    let it = Reloaded::new("work", "", &[]).await;
    it.until_limit(2.0).await;
    let labelled = entry(&it.folder, "labels = { site = \"north\" }", ", limit = 3");
    it.daemon.reload(&format!("{QUICK}{labelled}"));
    until_value(&it.daemon, "acts_limit", "site=north", 3.0).await;
    assert_eq!(witness(&it.folder), ["reload", "destroyed"]);
    it.folder.order("orders", "init-config");
    it.daemon.reload(&format!("{QUICK}{}", entry(&it.folder, "", ", limit = 4")));
    until_collector(&it.daemon, "acts", "stops", |now| now["state"] == "stopped").await;
    it.folder.order("orders", "work");
    it.daemon.reload(&format!("{QUICK}{}", entry(&it.folder, "", ", limit = 5")));
    it.until_limit(5.0).await;
    until("it has worked", async || {
        (collector(&it.daemon, "acts").await["state"] == "ok").then_some(())
    })
    .await;
}

/// A pipe holds less.
#[tokio::test]
async fn a_long_configuration() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let pad = "x".repeat(300_000);
    let config = |limit| entry(&folder, "", &format!(", limit = {limit}, zzz = \"{pad}\""));
    let daemon = with_plugins(&folder, &config(1)).start().await;
    until_value(&daemon, "acts_limit", "by=acts", 1.0).await;
    daemon.reload(&format!("{QUICK}{}", config(2)));
    until_value(&daemon, "acts_limit", "by=acts", 2.0).await;
    assert_eq!(witness(&folder), ["reload"]);
}
