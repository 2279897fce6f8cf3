//! The log: with fields in the journal, and never in anybody's way.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{PATIENCE, PROGRAM, Root, until};

/// A daemon of which only the log is looked at.
struct Logging {
    child: Child,
    folder: TempDir,
}

impl Logging {
    fn start(config: &str, journal: Option<&UnixDatagram>, stderr: Stdio) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("gz-monitor.toml");
        std::fs::write(&file, config).expect("a file");
        let mut command = Command::new(PROGRAM);
        command.args(["server", "--port", "0", "--config"]).arg(file);
        if let Some(journal) = journal {
            let address = journal.local_addr().expect("an address");
            command.env("GZ_MONITOR_DEBUG_JOURNAL", address.as_pathname().expect("a path"));
        }
        // Its commands find it here.
        command.env("RUNTIME_DIRECTORY", folder.path());
        let child = command.stdout(Stdio::null()).stderr(stderr).spawn();
        Self { child: child.expect("the daemon starts"), folder }
    }

    fn client(&self) -> reqwest::Client {
        let socket = self.folder.path().join("gz-monitor.sock");
        reqwest::Client::builder().unix_socket(socket.as_path()).build().expect("a client")
    }

    async fn until_it_answers(&self) {
        let client = self.client();
        until("it answers", async || client.get("http://x/readyz").send().await.ok()).await;
    }

    async fn fire(&self, rule: &str, message: &str) {
        let alert = json!({"rule_id": rule, "severity": "high", "message": message});
        let request = self.client().post("http://x/api/v1/alerts").body(alert.to_string());
        let answer = request.header("content-type", "application/json").send().await;
        assert_eq!(answer.expect("an answer").status().as_u16(), 200);
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Entry = BTreeMap<String, String>;

/// The native protocol, as far as it is used: a name, a length, a value.
fn entry(mut bytes: &[u8]) -> Entry {
    let mut fields = Entry::new();
    while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
        let name = String::from_utf8(bytes[..end].to_vec()).expect("a name");
        let (length, rest) = bytes[end + 1..].split_first_chunk::<8>().expect("a length");
        let length = u64::from_le_bytes(*length) as usize;
        let value = String::from_utf8(rest[..length].to_vec()).expect("a value");
        fields.insert(name, value);
        bytes = &rest[length + 1..];
    }
    fields
}

/// The next entry whose message begins so.
fn next(journal: &UnixDatagram, start: &str) -> Entry {
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = journal.recv(&mut buffer).expect("an entry in time");
        let entry = entry(&buffer[..count]);
        if entry.get("MESSAGE").is_some_and(|message| message.starts_with(start)) {
            return entry;
        }
    }
}

fn journal(folder: &TempDir) -> UnixDatagram {
    let journal = UnixDatagram::bind(folder.path().join("journal")).expect("a socket");
    journal.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    journal
}

#[tokio::test]
async fn the_journal_has_fields() {
    let folder = tempfile::tempdir().expect("a folder");
    let (journal, root) = (journal(&folder), Root::without_load());
    let config = root.config("interval = \"100ms\"") + "[log]\nformat = \"journald\"\n";
    let daemon = Logging::start(&config, Some(&journal), Stdio::null());
    let started = next(&journal, "gz-monitor is listening addresses=");
    let ready = next(&journal, "ready");
    assert_eq!(ready["PRIORITY"], "6");
    // It fails again and again.
    let failing = next(&journal, "collection failed collector=\"load\" error=");
    assert_eq!((&*failing["COLLECTOR"], &*failing["PRIORITY"]), ("load", "4"), "{failing:?}");
    assert!(failing["ERROR"].contains("proc/loadavg"), "{failing:?}");
    assert_eq!(failing["SYSLOG_IDENTIFIER"], "gz-monitor");
    root.mend();
    let recovered = next(&journal, "collector works again");
    assert_eq!(recovered["COLLECTOR"], "load");
    daemon.fire("r", "hot\nPRIORITY=0").await;
    let fired = next(&journal, "alert fired");
    assert!(fired["ALERT_ID"].starts_with("alert-"), "{fired:?}");
    assert_eq!((&*fired["TEXT"], &*fired["PRIORITY"]), ("hot\nPRIORITY=0", "4"));
    let ids = [&started, &failing, &ready, &recovered, &fired].map(|entry| &entry["MESSAGE_ID"]);
    let different: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(different.len(), ids.len());
}

async fn lost(daemon: &Logging) -> f64 {
    let text = daemon.client().get("http://x/metrics").send().await.expect("an answer");
    let text = text.text().await.expect("a body");
    let line = text.lines().find_map(|line| line.strip_prefix("gz_log_lines_dropped_total "));
    line.and_then(|count| count.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn a_log_that_nobody_takes_holds_up_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = journal(&folder);
    let quick = "[collectors]\ninterval = \"100ms\"\n";
    let entries = format!("{quick}[log]\nformat = \"journald\"\n");
    let entries = Logging::start(&entries, Some(&journal), Stdio::null());
    let mut text = Logging::start(quick, None, Stdio::piped());
    for daemon in [&entries, &text] {
        daemon.until_it_answers().await;
        let message = "x".repeat(4000);
        for rule in 0..200 {
            daemon.fire(&rule.to_string(), &message).await;
        }
        until("lines are lost", async || (lost(daemon).await > 0.0).then_some(())).await;
    }
    // Somebody begins to read.
    let mut pipe = text.child.stderr.take().expect("piped");
    let reader = std::thread::spawn(move || {
        let mut all = String::new();
        let _ = pipe.read_to_string(&mut all);
        all
    });
    text.fire("after", "m").await;
    until("the pipe is read", async || {
        text.fire("again", "m").await;
        text.client().post("http://x/api/v1/alerts/x/resolve").send().await.ok()
    })
    .await;
    tokio::task::spawn_blocking(move || next(&journal, "alert fired")).await.expect("an entry");
    drop(text);
    let all = reader.join().expect("the text");
    assert!(all.contains("rule_id=\"0\""), "what there was room for");
    assert!(!all.contains("rule_id=\"199\""), "what there was none for");
}
