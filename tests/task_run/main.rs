//! `gz-monitor task run`: commands as tasks, whatever becomes of the command, of its output and of the
//! daemon meanwhile.

#[path = "../support/mod.rs"]
mod support;

mod away;
mod ends;
mod outlives;
mod output;
mod terminal;

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use support::{Builder, Daemon, PROGRAM, daemon, until};

/// Nothing by itself for as long as a test lasts.
const QUIET: &str = "[status]\ninterval = \"1h\"\n[collectors]\ninterval = \"1h\"\n";

/// What env(1) is told, so that signals mean what they usually do.
const DEFAULT_SIGNALS: &str = "--default-signal=INT,QUIT,HUP,TERM,PIPE";

/// A daemon that has the same address each time it is started.
fn quiet() -> (Builder, String) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("a free port").port();
    let config = format!("{QUIET}[server]\nport = {port}\n");
    (daemon().port_from_config().config(&config), format!("http://127.0.0.1:{port}"))
}

/// `gz-monitor task run` with these flags and this command, that keeps what it keeps in `folder`.
fn run(folder: &Path, url: &str, flags: &[&str], command: &[&str]) -> Command {
    // Whoever runs the tests may have some ignored, which would be handed down.
    let mut run = Command::new("env");
    run.args([DEFAULT_SIGNALS, PROGRAM, "task", "run", "--url", url])
        .args(flags)
        .arg("--")
        .args(command);
    run.env("XDG_STATE_HOME", folder.join("state")).stdin(Stdio::null());
    run
}

/// The same, to its end.
fn output(daemon: &Daemon, flags: &[&str], command: &[&str]) -> Output {
    run(daemon.path(), &daemon.url(""), flags, command).output().expect("it runs")
}

/// A command that prints what it is told to, and ends when it is told no more.
struct Told(Child);

impl Told {
    fn start(folder: &Path, url: &str, flags: &[&str]) -> Self {
        let mut run = run(folder, url, flags, &["cat"]);
        run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(run.spawn().expect("it runs"))
    }

    fn print(&mut self, text: &str) {
        let stdin = self.0.stdin.as_mut().expect("open");
        stdin.write_all(text.as_bytes()).expect("it reads");
    }

    fn end(self) -> Output {
        self.0.wait_with_output().expect("it ends")
    }
}

/// The one task that there is.
async fn the_task(daemon: &Daemon) -> Value {
    let answer = daemon.get("/api/v1/tasks").await.json();
    let tasks = answer["tasks"].as_array().expect("a list");
    assert_eq!(tasks.len(), 1, "{answer}");
    tasks[0].clone()
}

/// The one task, once it is so.
async fn until_task(daemon: &Daemon, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    until(what, async || {
        let answer = daemon.get("/api/v1/tasks").await.json();
        answer["tasks"][0].is_object().then(|| answer["tasks"][0].clone()).filter(|task| is(task))
    })
    .await
}

/// All events of tasks, oldest first.
async fn events(daemon: &Daemon) -> Vec<Value> {
    let answer = daemon.get("/api/v1/events?types=task_update&limit=1000").await.json();
    let events = answer["events"].as_array().expect("a list").iter();
    events.map(|event| event["data"].clone()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
