//! The end of a collector: it is destroyed in good order, and killed if it does not end.

use std::fs;

use crate::folder::Folder;
use crate::support::{Daemon, until};
use crate::{children, collector, has_ended, until_collected, with_plugins};

/// The entry of a collector with a file for its orders and one for what was done to it.
pub fn entry(folder: &Folder, keys: &str, config: &str) -> String {
    let (orders, witness) = (folder.beside("orders"), folder.beside("witness"));
    // The library's other collector has samples of the same names.
    let labels = if keys.contains("labels") { "" } else { "labels = { by = \"acts\" }" };
    format!(
        "[[collector]]\nplugin = \"acts\"\n{keys}\n{labels}\n\
         config = {{ orders = \"{}\", witness = \"{}\"{config} }}\n",
        orders.display(),
        witness.display()
    )
}

/// What was done to it, a line each.
pub fn witness(folder: &Folder) -> Vec<String> {
    let text = fs::read_to_string(folder.beside("witness")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

async fn started(folder: &Folder, keys: &str) -> Daemon {
    folder.acts("acts.so", &[]);
    let daemon = with_plugins(folder, &entry(folder, keys, "")).start().await;
    until_collected(&daemon, "acts").await;
    daemon
}

async fn until_destroyed(folder: &Folder) {
    let destroyed = || witness(folder).contains(&"destroyed".to_owned());
    until("it is destroyed", async || destroyed().then_some(())).await;
}

#[tokio::test]
async fn it_is_destroyed_when_the_daemon_stops() {
    for isolation in ["process", "inline"] {
        let folder = Folder::new();
        let mut daemon = started(&folder, &format!("isolation = \"{isolation}\"")).await;
        daemon.signal("TERM");
        assert_eq!(daemon.ended().await.code(), Some(0));
        assert_eq!(witness(&folder), ["destroyed"], "{isolation}");
        assert!(daemon.log().contains("acts is destroyed"), "{}", daemon.log());
    }
}

#[tokio::test]
async fn it_is_destroyed_when_it_is_removed_restarted_or_replaced() {
    let folder = Folder::new();
    let daemon = started(&folder, "").await;
    let restart = daemon.post_nothing("/api/v1/collectors/acts/restart").await;
    assert_eq!(restart.status, 202, "{restart:?}");
    until_destroyed(&folder).await;
    until_collected(&daemon, "acts").await;

    fs::remove_file(folder.beside("witness")).expect("it is there");
    folder.acts("acts.so", &["-DVERSION=2"]);
    until_destroyed(&folder).await;
    until_collected(&daemon, "acts").await;

    fs::remove_file(folder.beside("witness")).expect("it is there");
    folder.remove("acts.so");
    until_destroyed(&folder).await;
    assert_eq!(witness(&folder), ["destroyed"]);
    assert!(!daemon.log().contains("did not end well"), "{}", daemon.log());
}

/// One that is in its collection is told that nobody wants it any more.
#[tokio::test]
async fn a_collection_under_way_is_cancelled() {
    for isolation in ["process", "inline"] {
        let folder = Folder::new();
        folder.acts("acts.so", &[]);
        folder.order("orders", "until-cancelled");
        let keys = format!("isolation = \"{isolation}\"\ndeadline = \"300s\"");
        let mut daemon = with_plugins(&folder, &entry(&folder, &keys, "")).launch();
        until("it collects", async || (witness(&folder) == ["collects"]).then_some(())).await;
        daemon.signal("TERM");
        assert_eq!(daemon.ended().await.code(), Some(0));
        assert_eq!(witness(&folder), ["collects", "cancelled", "destroyed"], "{isolation}");
    }
}

#[tokio::test]
async fn one_that_hangs_when_it_is_destroyed_is_killed_with_what_it_has_started() {
    let folder = Folder::new();
    let daemon = started(&folder, "").await;
    folder.order("orders", "destroy-orphan");
    let running: Vec<_> =
        children(&daemon).into_iter().filter(|(_, line)| line.ends_with(" acts")).collect();
    assert_eq!(running.len(), 1, "{running:?}");
    daemon.reload(&format!("{}[[collector]]\nplugin = \"acts\"\nenabled = false\n", crate::QUICK));
    until("it is gone", async || collector(&daemon, "acts").await.is_null().then_some(())).await;
    daemon.until_logged("did not end when it was told to, and was killed").await;
    let orphan: u32 = witness(&folder)[0].parse().expect("a process");
    until("nothing of it is left", async || {
        (has_ended(running[0].0) && has_ended(orphan)).then_some(())
    })
    .await;
    until_collected(&daemon, "acts-too").await;
}

#[tokio::test]
async fn the_daemon_does_not_wait_for_one_that_hangs() {
    for isolation in ["process", "inline"] {
        let folder = Folder::new();
        let mut daemon = started(&folder, &format!("isolation = \"{isolation}\"")).await;
        let running = children(&daemon);
        folder.order("orders", "destroy-hang");
        daemon.signal("TERM");
        assert_eq!(daemon.ended().await.code(), Some(0));
        until("no child is left", async || {
            running.iter().all(|(pid, _)| has_ended(*pid)).then_some(())
        })
        .await;
    }
}
