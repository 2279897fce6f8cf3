//! The programs of plugins/examples, as they are documented.

use std::fs;

use crate::support::daemon;
use crate::{PACE, entry, has_tool, metric, until_failed, until_metric, until_ok};

fn example(name: &str) -> String {
    format!("{}/plugins/examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn queue_depth() {
    if !has_tool("/usr/bin/python3") {
        return;
    }
    let builder = daemon();
    let queue = builder.path().join("queue");
    let folder = queue.to_str().expect("UTF-8").to_owned();
    let keys = "config = { mode = \"request\" }";
    let program = example("queue-depth.py");
    let config = PACE.to_owned()
        + &entry("queue", &[&program, &folder], keys)
        + &entry("without", &[&program], keys);
    let daemon = builder.config(&config).start().await;
    until_failed(&daemon, "queue", "No such file or directory").await;
    let without = crate::collector(&daemon, "without").await;
    assert_eq!(without["state"], "stopped", "{without}");
    fs::create_dir_all(queue.join("a/b")).expect("folders");
    fs::write(queue.join("one"), "12345").expect("a file");
    fs::write(queue.join("a/b/two"), "123").expect("a file");
    let series = |name: &str| format!("{name}{{folder=\"{folder}\"}}");
    until_metric(&daemon, &series("queue_files"), |count| count == 2.0).await;
    assert_eq!(metric(&daemon, &series("queue_bytes")).await, Some(8.0));
    assert!(metric(&daemon, &series("queue_oldest_age_seconds")).await >= Some(0.0));
    until_ok(&daemon, "queue").await;
}

#[tokio::test]
async fn logins() {
    if !has_tool("/usr/bin/who") || !has_tool("/usr/bin/awk") {
        return;
    }
    let config = PACE.to_owned() + &entry("logins", &[&example("logins.sh")], "");
    let daemon = daemon().config(&config).start().await;
    let logins = until_ok(&daemon, "logins").await;
    assert_eq!(logins["total_failures"], 0, "{logins}");
}
