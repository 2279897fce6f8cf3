//! `cargo xtask schema`: the API against its own description, by schemathesis: it asks a daemon for what
//! `openapi.json` says may be asked, and for what it says may not, and looks at each answer.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use crate::repository_root;

/// Where `.ci/run` has it, below the repository's root.
pub const USUAL: &str = "target/ci/schemathesis/bin/schemathesis";
/// What names another.
pub const VARIABLE: &str = "SCHEMATHESIS";

/// More of all than is asked for: what is full is another test's.
const CONFIG: &str = r#"
[server]
port = 0
max_request_rate = 0
[server.auth]
max_request_rate = 0
max_failures_per_minute = 1000000
max_tokens = 10000
[tasks]
max_tasks = 100000
[alerts]
max_alerts = 100000
max_silences = 100000
"#;

/// How much is asked.
#[derive(Args)]
pub struct Options {
    /// Requests of one operation and one kind.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    examples: u32,
    /// Other requests for another number.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u32,
    /// What schemathesis is told besides, such as `--include-path /api/v1/tasks`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    more: Vec<String>,
}

/// Starts a daemon and has it asked; a failure exit code if an answer is not as described.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let root = repository_root()?;
    let daemon = Daemon::start(&root)?;
    let program = env::var_os(VARIABLE).map_or_else(|| root.join(USUAL), PathBuf::from);
    let status = Command::new(&program)
        .arg("--config-file")
        .arg(root.join("tests/schema/schemathesis.toml"))
        .arg("run")
        .arg(format!("http://{}/api/v1/openapi.json", daemon.address))
        .args(["--header", &format!("Authorization: Bearer {}", daemon.token)])
        .args(["--checks", "all", "--workers", "2", "--continue-on-failure", "--no-color"])
        .args(["--max-examples", &options.examples.to_string()])
        .args(["--seed", &options.seed.to_string(), "--generation-database", "none"])
        .args(["--request-timeout", "30"])
        .args(&options.more)
        .current_dir(daemon.folder.path())
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("{} does not start", program.display()))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A daemon with a folder of its own and a token; it is killed when it is dropped.
struct Daemon {
    child: Child,
    address: String,
    token: String,
    folder: tempfile::TempDir,
}

impl Daemon {
    fn start(root: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("gz-monitor.toml");
        fs::write(&file, CONFIG)?;
        let program = |name: &str| {
            let mut command = Command::new(root.join("target/debug/gz-monitor"));
            command.arg(name).env("XDG_STATE_HOME", folder.path().join("state"));
            command.env_remove("STATE_DIRECTORY").stdin(Stdio::null());
            command
        };
        // A name that nobody comes upon, for whoever revokes it ends the test.
        let who = ["create", "--name", "the-one-that-asks", "--role", "admin"];
        let made = program("token").args(who).arg("--config").arg(&file).output();
        let made = made.context("cargo build --bin=gz-monitor comes first")?;
        ensure!(made.status.success(), "no token: {}", String::from_utf8_lossy(&made.stderr));
        let token = String::from_utf8(made.stdout)?.trim().to_owned();
        let log = fs::File::create(folder.path().join("log"))?;
        let mut child = program("server")
            .arg("--config")
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let output = child.stdout.take().context("its output is piped")?;
        let first = BufReader::new(output).lines().next().transpose()?.unwrap_or_default();
        let mut daemon = Self { child, address: String::new(), token, folder };
        let Some(address) = first.split("://").nth(1).and_then(|rest| rest.split('/').next())
        else {
            bail!("the daemon says not where it is: {first:?}");
        };
        daemon.address = address.to_owned();
        Ok(daemon)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that has ended by itself is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
