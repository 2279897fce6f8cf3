//! The commands as a person at a terminal meets them: what they print, where, and how they end.

mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

use serde_json::{Value, json};
use support::{Daemon, PATIENCE, PROGRAM, Root, daemon, run};
use tempfile::TempDir;

/// A folder with a configuration file, and the file's path.
fn config(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gz-monitor.toml");
    std::fs::write(&path, text).expect("a file");
    (folder, path.display().to_string())
}

/// Runs to the end and expects this code, nothing on standard output, and on standard error one
/// line that holds these words.
fn fails(arguments: &[&str], code: i32, words: &[&str]) {
    let (exit, out, err) = run(arguments);
    assert_eq!((exit, out.as_str()), (code, ""), "{arguments:?}: {err}");
    assert_eq!(err.lines().count(), 1, "{arguments:?}: {err}");
    for words in words {
        assert!(err.contains(words), "{arguments:?}: {err:?} does not say {words:?}");
    }
}

/// Runs to the end and expects wrong arguments, with these words.
fn misused(arguments: &[&str], words: &[&str]) {
    let (exit, out, err) = run(arguments);
    assert_eq!((exit, out.as_str()), (2, ""), "{arguments:?}: {err}");
    for words in words {
        assert!(err.contains(words), "{arguments:?}: {err:?} does not say {words:?}");
    }
}

/// What a program prints, line by line, until it ends or is dropped.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, lines: lines_of(out) }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    fn next_message(&self) -> Value {
        let line = self.next();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    fn next_of(&self, kind: &str) -> Value {
        loop {
            let message = self.next_message();
            if message["type"] == kind {
                return message;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(out: BufReader<ChildStdout>) -> Receiver<String> {
    let (sender, lines) = sync_channel(1_000);
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

#[test]
fn version_and_help() {
    let (code, out, _) = run(&["--version"]);
    let (name, rest) = out.trim_end().split_once(' ').expect("a name and a version");
    let (version, rest) = rest.split_once(" (commit ").expect("a commit");
    let (commit, abi) = rest.split_once(", plugin ABI ").expect("an ABI");
    assert_eq!((code, name, version), (0, "gz-monitor", env!("CARGO_PKG_VERSION")));
    assert!(!commit.is_empty() && commit.chars().all(|c| c.is_ascii_alphanumeric()), "{out}");
    let (major, minor) = gz_monitor_sdk::ABI_VERSION;
    assert_eq!(abi, format!("{major}.{minor})"));

    let (code, out, err) = run(&["--help"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for command in ["server", "check-config", "doctor", "once", "status", "watch"] {
        assert!(out.contains(&format!("  {command} ")), "{out}");
        assert_eq!(run(&[command, "--help"]).0, 0, "{command}");
    }
    assert!(out.contains("Exit codes: 0 "), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 110), "{out}");
}

#[test]
fn wrong_arguments() {
    misused(&[], &["Usage: gz-monitor", "server"]);
    misused(&["serve"], &["'serve'", "'server'"]);
    misused(&["server", "--prot", "1"], &["'--prot'", "'--port'"]);
    misused(&["server", "--port", "65536"], &["'65536'", "0..=65535"]);
    misused(&["server", "--host", "localhost"], &["'localhost'", "IP address"]);
    misused(&["once", "--format", "xml"], &["'xml'", "json", "prometheus"]);
    misused(&["once", "--collector", "cpus"], &["\"cpus\"", "there are cpu, "]);
    misused(&["watch", "--types", "alert,alerts"], &["'alerts'", "metrics_update", "all"]);
    misused(&["watch", "--since", "45"], &["\"45\"", "EPOCH:SEQ"]);
    misused(&["watch", "--group", "a b"], &["\"a b\"", "letters and digits"]);
    misused(&["watch", "--alert-level", "worst"], &["'worst'", "info, low, medium"]);
    for url in ["localhost:8080", "ftp://localhost:8080", "http://", "http://x/y"] {
        misused(&["status", "--url", url], &["http://HOST:PORT"]);
    }
}

#[test]
fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let (_folder, file) = config("");
    let address = format!("127.0.0.1:{port}");
    fails(
        &["server", "--port", &port, "--config", &file],
        1,
        &[&address, "choose one with --port"],
    );
}

#[test]
fn a_configuration_that_cannot_be() {
    let (folder, file) = config("[server]\nport = 8080\nprot = 1\n");
    let here = format!("{file}:3: server.prot");
    for command in ["server", "once", "status", "watch"] {
        fails(&[command, "--config", &file], 78, &[&here, "did you mean \"port\"?"]);
    }
    std::fs::write(&file, "[server\n").expect("a file");
    fails(&["server", "--config", &file], 78, &[&format!("{file}:1: "), "syntax error"]);
    let missing = folder.path().join("missing.toml").display().to_string();
    fails(&["server", "--config", &missing], 78, &[&missing, "no such file"]);
    let directory = folder.path().display().to_string();
    fails(&["server", "--config", &directory], 78, &[&directory, "cannot be read"]);
}

#[test]
fn other_machines_are_let_in_only_on_purpose() {
    let (_folder, file) = config("");
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        let arguments = ["server", "--config", &file, "--port", "0", "--host", host];
        fails(&arguments, 78, &["--host: server.host", "insecure = true"]);
    }
}

#[tokio::test]
async fn an_address_that_means_any_is_shown_as_one_that_opens() {
    let builder = daemon().argument("--host").argument("0.0.0.0");
    let daemon = builder.env("GZ_MONITOR__SERVER__INSECURE", "true").start().await;
    assert!(daemon.address.ip().is_loopback(), "{}", daemon.address);
}

#[tokio::test]
async fn the_environment_sets_what_no_flag_sets() {
    let builder = daemon().config("[server]\nport = 1\n").port_from_config();
    builder.env("GZ_MONITOR__SERVER__PORT", "0").start().await;
    let (_folder, file) = config("");
    let mut command = Command::new(PROGRAM);
    command.args(["server", "--config", &file]).env("GZ_MONITOR__SERVER__PORT", "http");
    let output = command.output().expect("the program runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{err}");
    assert!(err.starts_with("GZ_MONITOR__SERVER__PORT: server.port"), "{err}");
}

#[test]
fn the_document_s_command_works_by_the_name_gz() {
    let (folder, file) = config("");
    let gz = folder.path().join("gz");
    std::os::unix::fs::symlink(PROGRAM, &gz).expect("a link");
    let arguments = ["monitoring", "server", "-p", "0", "-d", "--config", &file];
    let mut command = Command::new(gz);
    command.args(arguments).env("XDG_STATE_HOME", folder.path());
    let running = Running::start(&mut command);
    let lines = [(); 3].map(|()| running.next());
    let address = lines[0].strip_prefix("Dashboard:  http://").expect("the dashboard first");
    let address = address.strip_suffix("/dashboard").expect("its path");
    assert_eq!(lines[1], format!("WebSocket:  ws://{address}/ws"));
    assert_eq!(lines[2], format!("API:        http://{address}/api/v1/status"));
    let url = format!("http://{address}");
    let (code, out, err) = run(&["monitoring", "status", "--url", &url]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn check_config_says_what_holds_or_all_that_is_wrong() {
    let (_folder, file) = config("[collectors]\ninterval = \"7s\"\n");
    let (code, out, err) = run(&["check-config", "--config", &file]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, format!("configuration is valid\nread {file}\n"));
    let (code, out, _) = run(&["check-config", "--show", "--config", &file]);
    assert_eq!(code, 0);
    assert!(out.contains(&format!("interval = \"7s\"  # {file}:2\n")), "{out}");
    assert!(out.contains("port = 8080  # default\n"), "{out}");

    let wrong = "[server]\nprot = 1\nport = \"x\"\n[collectors]\ninterval = \"1ms\"\n\
        [[collector]]\nplugin = \"cpus\"\n[log]\nlevel = \"loud\"\n";
    let (_folder, file) = config(wrong);
    let (code, out, err) = run(&["check-config", "--config", &file]);
    assert_eq!((code, out.as_str()), (78, ""), "{err}");
    let lines: Vec<&str> = err.lines().collect();
    let expected = [
        "2: server.prot: ",
        "3: server.port: ",
        "5: collectors.interval: ",
        "7: collector[cpus].plugin: ",
        "9: log.level: ",
    ];
    assert_eq!(lines.len(), expected.len() + 1, "{err}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(&format!("{file}:{expected}")), "{line} is not {expected}");
    }
    assert_eq!(lines[5], "configuration is not valid: 5 problems");
}

#[test]
fn once_prints_one_collection() {
    // Without a daemon nothing is recorded.
    let (_folder, file) =
        config("[[alerts.record]]\nid = 'r'\nrecord = 'a:b'\nexpr = 'vector(1)'\n");
    let once = |more: &[&str]| {
        let (code, out, err) = run(&[&["once", "--config", &file], more].concat());
        assert_eq!((code, err.as_str()), (0, ""), "{more:?}");
        out
    };
    let text = once(&[]);
    for metric in
        ["node_load1 ", "node_cpu_seconds_total{", "node_memory_MemTotal_bytes ", "system_"]
    {
        assert!(text.lines().any(|line| line.starts_with(metric)), "{metric} in {text}");
    }
    assert!(!text.contains("gz_http_"), "there is no daemon to look at");

    let load = once(&["--collector", "load"]);
    let names: Vec<&str> = load.lines().filter_map(|line| line.split(' ').next()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| *name != "#").collect();
    assert_eq!(names, ["node_load1", "node_load15", "node_load5"]);

    let json = once(&["--collector", "load", "--format", "json"]);
    let update: Value = serde_json::from_str(&json).expect("one object");
    assert_eq!(update["collector"], "load");
    assert_eq!(update["samples"].as_array().map(Vec::len), Some(3), "{update}");

    let all = once(&["--format", "json"]);
    let collectors: Vec<Value> = all
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["collector"].take())
        .collect();
    for collector in ["cpu", "load", "memory", "processes", "system"] {
        assert!(collectors.contains(&json!(collector)), "{collector} in {collectors:?}");
    }
}

#[test]
fn once_prints_what_it_can_and_fails_for_the_rest() {
    let root = Root::without_load();
    let (_folder, file) = config(&root.config(""));
    let (code, out, err) = run(&["once", "--config", &file]);
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("system_"), "{out}");
    let line = err.lines().find(|line| line.starts_with("gz-monitor: collector load: "));
    assert!(line.is_some_and(|line| line.contains("proc/loadavg")), "{err}");
}

#[tokio::test]
async fn status_of_a_running_daemon() {
    let daemon = daemon().start().await;
    let alert = json!({"rule_id": "r", "rule_name": "Hot", "severity": "high", "message": "91 C"});
    daemon.post("/api/v1/alerts", alert).await;
    let url = daemon.url("/");
    let (code, out, err) = run(&["status", "--url", &url]);
    assert_eq!((code, err.as_str()), (0, ""));
    let labels: Vec<&str> = out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let expected =
        ["status", "cpu", "memory", "disk", "network", "tasks", "http", "collectors", "alert"];
    assert_eq!(labels, expected, "{out}");
    assert!(out.starts_with("status      warning (daemon up "), "{out}");
    assert!(out.contains("high: Hot: 91 C (since "), "{out}");
    assert!(!out.contains("-0.0"), "{out}");

    let (code, out, _) = run(&["status", "--json", "--url", &url]);
    let all: Value = serde_json::from_str(&out).expect("one object");
    let keys: Vec<&str> = all.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!((code, keys), (0, vec!["alerts", "collectors", "health", "metrics", "status"]));
    assert_eq!(all["alerts"][0]["rule_name"], "Hot");

    let port = daemon.address.port().to_string();
    let mut command = Command::new(PROGRAM);
    let config = daemon.path().join("gz-monitor.toml");
    command.arg("status").arg("--config").arg(config).env("GZ_MONITOR__SERVER__PORT", port);
    let output = command.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "the configuration says where the daemon is");
}

#[tokio::test]
async fn status_names_collectors_that_do_not_work() {
    let root = Root::without_load();
    let daemon = daemon().config(&root.config("")).start().await;
    let (code, out, _) = run(&["status", "--url", &daemon.url("")]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("            load is failing: "), "{out}");
}

#[tokio::test]
async fn a_name_that_the_daemon_does_not_go_by() {
    let daemon = daemon().start().await;
    // It leads to the daemon, and is none of its addresses.
    let url = format!("http://0.0.0.0:{}", daemon.address.port());
    for arguments in [&["status"][..], &["doctor"], &["query", "1"], &["plugin", "restart", "load"]]
    {
        let arguments = [arguments, &["--url", &url]].concat();
        fails(&arguments, 1, &["0.0.0.0", "server.hosts"]);
    }
    let mut command = Command::new(PROGRAM);
    command.args(["watch", "--url", &url]).stdin(Stdio::null()).stderr(Stdio::piped());
    let mut watching = command.spawn().expect("the program starts");
    let mut line = String::new();
    BufReader::new(watching.stderr.take().expect("piped")).read_line(&mut line).expect("a line");
    watching.kill().expect("killed");
    watching.wait().expect("ended");
    assert!(line.contains("server.hosts"), "{line}");
}

#[test]
fn status_without_a_daemon() {
    // Nobody listens on the port of TCPMUX.
    let url = "http://127.0.0.1:1";
    fails(&["status", "--url", url], 1, &[url, "start one with `gz-monitor server`"]);
}

#[tokio::test]
async fn watch_prints_a_message_a_line() {
    let daemon = daemon().config("[status]\ninterval = \"100ms\"").start().await;
    let url = daemon.url("");
    let all = Running::start(Command::new(PROGRAM).args(["watch", "--url", &url]));
    let arguments =
        ["watch", "--url", &url, "--types", "task_update,alert", "--alert-level", "high"];
    let some = Running::start(Command::new(PROGRAM).args(arguments));
    assert_eq!(all.next_message()["type"], "initial_state");
    assert_eq!(some.next_message()["type"], "initial_state");
    all.next_of("metrics_update");
    let filter = json!({"types": ["task_update", "alert"], "alert_level": "high"});
    assert_eq!(some.next_of("subscribed")["data"]["filter"], filter);
    for severity in ["low", "critical"] {
        let alert = json!({"rule_id": severity, "severity": severity, "message": "m"});
        daemon.post("/api/v1/alerts", alert).await;
    }
    daemon.post("/api/v1/tasks", json!({"name": "x"})).await;
    let alert = some.next_message();
    assert_eq!((&alert["type"], &alert["data"]["severity"]), (&json!("alert"), &json!("critical")));
    assert_eq!(some.next_message()["type"], "task_update");
    assert_eq!(all.next_of("alert")["data"]["severity"], "low");
}

#[tokio::test]
async fn watch_finds_a_daemon_that_comes_back() {
    let mut first = daemon().start().await;
    let watch = Running::start(Command::new(PROGRAM).args(["watch", "--url", &first.url("")]));
    let before = watch.next_of("initial_state");
    first.signal("KILL");
    first.ended().await;
    let config = format!("[server]\nport = {}", first.address.port());
    let _second = daemon().config(&config).port_from_config().start().await;
    let after = watch.next_of("initial_state");
    assert_ne!(before["data"]["stream"]["epoch"], after["data"]["stream"]["epoch"]);
}

#[tokio::test]
async fn watch_gets_what_it_has_missed() {
    let quiet = "[status]\ninterval = \"1h\"\n[collectors]\ninterval = \"1h\"\n";
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    drop(socket);
    let config = format!("{quiet}[server]\nport = {port}");
    let first = daemon().config(&config).port_from_config().start().await;
    let url = first.url("");
    let arguments =
        ["watch", "--url", &url, "--types", "task_update,group_message", "--group", "ops"];
    let watch = Running::start(Command::new(PROGRAM).args(arguments));
    let stream = watch.next_of("initial_state")["data"]["stream"].clone();
    watch.next_of("subscribed");
    let say = async |daemon: &Daemon, data: Value| {
        let answer = daemon.post("/api/v1/groups/ops/messages", data).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    say(&first, json!(1)).await;
    assert_eq!(watch.next_of("group_message")["data"]["data"], 1);
    // It cannot connect while another program has the port.
    let folder = first.killed();
    let elsewhere = folder.clone().argument("--port").argument("0").start().await;
    say(&elsewhere, json!(2)).await;
    elsewhere.post("/api/v1/tasks", json!({"id": "t", "name": "missed"})).await;
    say(&elsewhere, json!(3)).await;
    let second = elsewhere.stopped().await.port_from_config().start().await;
    watch.next_of("subscribed");
    assert_eq!(watch.next_message()["data"]["data"], 2);
    assert_eq!(watch.next_message()["data"]["id"], "t");
    assert_eq!(watch.next_message()["data"]["data"], 3);
    assert_eq!(watch.next_of("resumed")["data"]["complete"], true);
    say(&second, json!({"two": "lines"})).await;
    assert_eq!(watch.next_of("group_message")["data"]["data"]["two"], "lines");
    // And by its word.
    let since = format!("{}:{}", stream["epoch"].as_str().expect("a name"), stream["seq"]);
    let arguments = [&arguments[..], &["--since", &since]].concat();
    let again = Running::start(Command::new(PROGRAM).args(arguments));
    for _ in 0..3 {
        again.next_of("group_message");
    }
    assert_eq!(again.next_of("resumed")["data"]["replayed"], 5);
}

#[tokio::test]
async fn watch_ends_in_silence_when_nobody_reads_it() {
    let daemon = daemon().config("[status]\ninterval = \"100ms\"").start().await;
    let mut command = Command::new(PROGRAM);
    command.args(["watch", "--url", &daemon.url("")]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut watch = command.spawn().expect("the program starts");
    let mut line = String::new();
    let mut out = BufReader::new(watch.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("a line");
    drop(out);
    let status = watch.wait().expect("it ends");
    let mut err = String::new();
    watch.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    assert_eq!((status.code(), err.as_str()), (Some(0), ""));
}
