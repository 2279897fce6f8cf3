//! What the service manager is told of a daemon's life.

use std::process::Command;

use serde_json::json;

use crate::support::{PROGRAM, Root, daemon, until};
use crate::systemd::Manager;

fn assignments(message: &str) -> Vec<&str> {
    message.lines().filter_map(|line| line.split('=').next()).collect()
}

fn last(messages: &[String]) -> &str {
    messages.last().expect("a message")
}

#[tokio::test]
async fn from_the_start_to_the_end() {
    let manager = Manager::new();
    let root = Root::without_load();
    let builder = daemon().config(&root.config("")).env("NOTIFY_SOCKET", &manager.path());
    let mut daemon = builder.launch();
    let before = manager.until("READY=1");
    assert_eq!(daemon.get("/readyz").await.status, 200, "every collector has reported");
    assert_eq!(assignments(&before[0]), ["FDSTORE", "FDNAME", "FDPOLL"], "{before:?}");
    assert_eq!(assignments(&before[1]), ["STATUS"], "{before:?}");
    let ready = last(&before);
    assert!(ready.contains("(1 failing: load), 0 clients, 0 firing alerts"), "{ready}");
    assert!(ready.contains(&format!("listening on {}", daemon.address)), "{ready}");

    let client = daemon.websocket().await;
    manager.until("STATUS=11 collectors (1 failing: load), 1 client, 0 firing");
    let alert = json!({"rule_id": "r", "severity": "high", "message": "m"});
    daemon.post("/api/v1/alerts", alert).await;
    manager.until("STATUS=11 collectors (1 failing: load), 1 client, 1 firing alert,");

    daemon.signal("TERM");
    let stopping = manager.until("STOPPING=1");
    assert!(last(&stopping).contains("\nSTATUS=stopping, 11 collectors"), "{stopping:?}");
    manager.until("EXTEND_TIMEOUT_USEC=10000000");
    drop(client);
    assert_eq!(daemon.ended().await.code(), Some(0));
}

#[tokio::test]
async fn ready_comes_after_the_first_collection_of_one_that_hangs() {
    let manager = Manager::new();
    let root = Root::with_load_that_blocks();
    let config = root.config("") + "[[collector]]\nplugin = \"load\"\ndeadline = \"700ms\"\n";
    let daemon = daemon().config(&config).env("NOTIFY_SOCKET", &manager.path()).launch();
    let ready = manager.until("READY=1");
    assert!(last(&ready).contains("(1 failing: load)"), "{ready:?}");
    daemon.until_logged("collection passed its deadline").await;
}

#[tokio::test]
async fn a_reload_is_begun_and_done() {
    let manager = Manager::new();
    let daemon = daemon().env("NOTIFY_SOCKET", &manager.path()).launch();
    manager.until("READY=1");
    daemon.reload("[collectors]\ninterval = \"2s\"\n");
    let begun = manager.until("RELOADING=1");
    assert_eq!(assignments(last(&begun)), ["RELOADING", "MONOTONIC_USEC"]);
    let done = manager.until("READY=1");
    assert!(last(&done).contains("STATUS=11 collectors,"), "{done:?}");
    daemon.reload("[server]\nprot = 1\n");
    manager.until("RELOADING=1");
    let refused = manager.until("READY=1");
    let status = "STATUS=configuration not reloaded: 1 problem; 11 collectors,";
    assert!(last(&refused).contains(status), "{refused:?}");
    daemon.reload("");
    manager.until("RELOADING=1");
    let mended = manager.until("READY=1");
    assert!(!last(&mended).contains("not reloaded"), "{mended:?}");
}

#[test]
fn why_there_is_no_daemon() {
    let check = |config: &str, code: i32, errno: i32, words: &str| {
        let manager = Manager::new();
        let file = manager.file("gz-monitor.toml");
        std::fs::write(&file, config).expect("a file");
        let mut command = Command::new(PROGRAM);
        command.arg("server").arg("--config").arg(file).env("NOTIFY_SOCKET", manager.path());
        let output = command.output().expect("the program runs");
        assert_eq!(output.status.code(), Some(code));
        let failed = manager.until("ERRNO=");
        let failed = last(&failed);
        assert_eq!(assignments(failed), ["STATUS", "ERRNO"], "{failed}");
        assert!(failed.contains(&format!("ERRNO={errno}")), "{failed}");
        assert!(failed.contains(words), "{failed}");
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let config = format!("[server]\nport = {}\n", address.port());
    check(&config, 1, 98, &format!("STATUS=cannot listen on {address}: "));
    check("[server]\nprot = 1\n", 78, 22, ":2: server.prot: unknown key; did you mean");
}

#[tokio::test]
async fn no_child_can_speak_for_the_daemon() {
    let manager = Manager::new();
    let said = manager.file("environment");
    let script = format!("env > {}.new && mv {0}.new {0}", said.display());
    let config =
        format!("[[collector]]\nname = \"x\"\ncommand = [\"/bin/sh\", \"-c\", {script:?}]");
    let builder = daemon().config(&config).env("NOTIFY_SOCKET", &manager.path());
    let _daemon = builder.env("WATCHDOG_USEC", "60000000").launch();
    let environment = until("it has run", async || std::fs::read_to_string(&said).ok()).await;
    assert!(environment.contains("PATH="), "{environment}");
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC"] {
        assert!(!environment.contains(name), "{environment}");
    }
}
