//! The log: all of it, and never in anybody's way.

use std::cell::RefCell;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{PROGRAM, until};

/// A daemon of which only the log is looked at.
struct Logging {
    child: Child,
    folder: TempDir,
}

impl Logging {
    fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("gz-monitor.toml");
        std::fs::write(&file, config).expect("a file");
        let mut command = Command::new(PROGRAM);
        command.args(["server", "--port", "0", "--config"]).arg(file);
        // Its commands find it here.
        command.env("RUNTIME_DIRECTORY", folder.path());
        command.env("XDG_STATE_HOME", folder.path()).env_remove("STATE_DIRECTORY");
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        Self { child: child.expect("the daemon starts"), folder }
    }

    fn client(&self) -> reqwest::Client {
        let socket = self.folder.path().join("gz-monitor.sock");
        reqwest::Client::builder().unix_socket(socket.as_path()).build().expect("a client")
    }

    async fn until_it_answers(&self) {
        let client = self.client();
        until("it answers", async || client.get("http://localhost/readyz").send().await.ok()).await;
    }

    /// Has it log a long line.
    async fn fire(client: &reqwest::Client, rule: u32) {
        let (rule, message) = (rule.to_string(), "x".repeat(4000));
        let alert = json!({"rule_id": rule, "severity": "high", "message": message});
        let request = client.post("http://localhost/api/v1/alerts").body(alert.to_string());
        let answer = request.header("content-type", "application/json").send().await;
        assert_eq!(answer.expect("an answer").status().as_u16(), 200);
    }

    /// Has it log until it has lost some lines.
    async fn talk(&self) {
        self.until_it_answers().await;
        let client = self.client();
        for rule in 0.. {
            Self::fire(&client, rule).await;
            if rule % 100 == 0 && lost(&client).await > 0.0 {
                return;
            }
        }
    }

    fn stop(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    }

    /// Reads to its end.
    fn read(&mut self) -> String {
        let mut text = String::new();
        let pipe = self.child.stderr.as_mut().expect("piped");
        pipe.read_to_string(&mut text).expect("text");
        text
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn lost(client: &reqwest::Client) -> f64 {
    let text = client.get("http://localhost/metrics").send().await.expect("an answer");
    let text = text.text().await.expect("a body");
    let line = text.lines().find_map(|line| line.strip_prefix("gz_log_lines_dropped_total "));
    line.and_then(|count| count.parse().ok()).unwrap_or_default()
}

const QUICK: &str = "[collectors]\ninterval = \"100ms\"\n[alerts]\nmax_alerts = 100000\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_holds_up_nobody() {
    let mut daemon = Logging::start(QUICK);
    daemon.talk().await;
    // Somebody begins to read.
    let stopping = std::thread::spawn(move || {
        let mut pipe = daemon.child.stderr.take().expect("piped");
        let (mut text, mut part) = (Vec::new(), vec![0; 1 << 16]);
        while !String::from_utf8_lossy(&text).contains("lines of the log were lost") {
            let count = pipe.read(&mut part).expect("text");
            assert!(count > 0, "it does not tell of what was lost");
            text.extend_from_slice(&part[..count]);
        }
        daemon.child.stderr = Some(pipe);
        daemon.stop();
        String::from_utf8_lossy(&text).into_owned() + &daemon.read()
    });
    let text = tokio::task::spawn_blocking(|| stopping.join().expect("the text")).await;
    let text = text.expect("the text");
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part}"));
    let order = ["rule_id=\"0\"", "lines of the log were lost", "stopping", "stopped"].map(at);
    assert!(order.is_sorted(), "{order:?}");
}

#[tokio::test]
async fn a_daemon_ends_though_nobody_reads_its_log() {
    let daemon = Logging::start(QUICK);
    daemon.talk().await;
    daemon.stop();
    let daemon = RefCell::new(daemon);
    let ended = async || daemon.borrow_mut().child.try_wait().expect("a child");
    let status = until("it ends", ended).await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn the_last_lines_are_waited_for() {
    let mut daemon = Logging::start(QUICK);
    daemon.until_it_answers().await;
    let client = daemon.client();
    // More than a pipe holds, and less than the queue.
    for rule in 0..400 {
        Logging::fire(&client, rule).await;
    }
    daemon.stop();
    let text = tokio::task::spawn_blocking(move || daemon.read()).await.expect("the text");
    for part in ["rule_id=\"399\"", "stopping", "stopped"] {
        assert!(text.contains(part), "no {part}");
    }
}

#[tokio::test]
async fn what_is_logged_before_a_failure_is_not_lost() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let config = format!("[log]\nformat = \"journald\"\n[server]\nport = {port}\n");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gz-monitor.toml");
    std::fs::write(&file, config).expect("a file");
    let output = Command::new(PROGRAM).args(["server", "--config"]).arg(file).output();
    let output = output.expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(&port.to_string()), "{text}");
    // Where there is a journal, the line that it is not there is not there either.
    let has_journal = Path::new("/run/systemd/journal/socket").exists();
    assert_eq!(text.contains("journald does not answer"), !has_journal, "{text}");
}
