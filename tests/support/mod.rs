//! A real daemon for a test: `daemon().config("…").start().await`, on a free port, in a folder of
//! its own, gone when it is dropped.

#![allow(dead_code, unused_imports, reason = "each test program uses a part of it")]

mod collectors;
mod http;
mod process;
mod rights;
mod root;
mod websocket;

pub use collectors::{collector, until_collected, until_collector};
pub use http::Answer;
pub use process::may_open;
pub use rights::{as_service, is_root};
pub use root::Root;
pub use websocket::{Client, Raw};

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take before the test gives up on it. Nothing is asserted about time.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_gz-monitor");

/// A daemon to be.
#[derive(Clone)]
pub struct Builder {
    folder: Arc<TempDir>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    socket: Option<Arc<OwnedFd>>,
    wrapper: Vec<String>,
}

/// Hands its standard input on as file descriptor 3, as a service manager would.
const WITH_SOCKET: &str = r#"exec 3<&0 0</dev/null; export LISTEN_PID=$$; exec "$@""#;

/// A daemon with nothing but defaults, on a free port.
pub fn daemon() -> Builder {
    let folder = Arc::new(tempfile::tempdir().expect("a folder for the daemon"));
    let (arguments, environment, wrapper) = (Vec::new(), Vec::new(), Vec::new());
    let builder = Builder { folder, arguments, environment, socket: None, wrapper };
    builder.config("").argument("--port").argument("0")
}

impl Builder {
    /// Its configuration file.
    pub fn config(self, text: &str) -> Self {
        self.file("gz-monitor.toml", text)
    }

    /// A file in its folder, where the configuration is.
    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
        self
    }

    /// One more argument of `server`.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Leaves the port to its configuration, which a reload can change.
    pub fn port_from_config(mut self) -> Self {
        self.arguments.retain(|argument| !matches!(argument.as_str(), "--port" | "0"));
        self
    }

    /// A variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A socket that the service manager hands over, by its name there.
    pub fn inherits(mut self, socket: impl Into<OwnedFd>, name: &str) -> Self {
        self.socket = Some(Arc::new(socket.into()));
        self.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", name)
    }

    /// Has this command become the daemon, such as setpriv(1) with its arguments.
    pub fn under(mut self, command: &[&str]) -> Self {
        self.wrapper = command.iter().map(|&argument| argument.to_owned()).collect();
        self
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> Daemon {
        let daemon = self.launch();
        daemon.until_ready().await;
        daemon
    }

    /// Starts it and waits until it listens.
    pub fn launch(mut self) -> Daemon {
        let log = self.folder.path().join("log");
        let (mut command, stdin) = match self.socket.take() {
            None => {
                let mut words = self.wrapper.iter().map(String::as_str).chain([PROGRAM]);
                let mut command = Command::new(words.next().unwrap_or(PROGRAM));
                command.args(words);
                (command, Stdio::null())
            }
            Some(socket) => {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", WITH_SOCKET, "sh", PROGRAM]);
                (command, socket.try_clone().expect("a descriptor").into())
            }
        };
        let mut child = command
            .arg("server")
            .args(&self.arguments)
            .arg("--config")
            .arg(self.folder.path().join("gz-monitor.toml"))
            // What it keeps is in its own folder, and another daemon's is not found.
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .env_remove("STATE_DIRECTORY")
            .envs(self.environment.clone())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a log"))
            .spawn()
            .expect("the daemon starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        let address = first.split("://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| {
            panic!(
                "no address in {first:?}; log:\n{}",
                fs::read_to_string(&log).unwrap_or_default()
            )
        });
        Daemon { child, address, log, builder: self }
    }
}

/// A running daemon.
pub struct Daemon {
    child: Child,
    pub address: SocketAddr,
    log: PathBuf,
    builder: Builder,
}

impl Daemon {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its folder, where the configuration is.
    pub fn path(&self) -> &Path {
        self.builder.path()
    }

    /// Another daemon with the same folder and arguments; this one is killed.
    pub fn killed(mut self) -> Builder {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
        self.builder.clone()
    }

    /// Another daemon with the same folder and arguments; this one ends in order.
    pub async fn stopped(mut self) -> Builder {
        self.signal("TERM");
        assert!(self.ended().await.success(), "{}", self.log());
        self.builder.clone()
    }

    /// Another daemon with the same folder and arguments; this one has ended.
    pub fn stopped_already(self) -> Builder {
        self.builder.clone()
    }

    /// All that it has logged. It writes on a thread of its own: what it has said by now is there
    /// once the file stands still.
    pub fn log(&self) -> String {
        let mut log = self.written();
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(20));
            let now = self.written();
            if now.len() == log.len() {
                break;
            }
            log = now;
        }
        log
    }

    fn written(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    /// Waits for a line of the log that contains `text`.
    pub async fn until_logged(&self, text: &str) {
        until(&format!("the log says {text:?}"), || async {
            self.written().contains(text).then_some(())
        })
        .await;
    }

    /// Waits until it is ready.
    pub async fn until_ready(&self) {
        until("the daemon is ready", || async {
            (self.get("/readyz").await.status == 200).then_some(())
        })
        .await;
    }

    /// Writes its configuration file anew and has it read.
    pub fn reload(&self, config: &str) {
        fs::write(self.path().join("gz-monitor.toml"), config).expect("a file");
        self.signal("HUP");
    }

    /// Sends a signal by its name, such as "TERM".
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(sent.expect("kill").success(), "SIG{name} is sent");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "the daemon has not ended; log:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is something.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs the program to its end: exit code, standard output, standard error.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output();
    let output = output.expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}
