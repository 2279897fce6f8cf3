//! The daemon that is measured: the program itself, with a folder of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use super::certificate::{self, CERTIFICATE, KEY};

const PROGRAM: &str = env!("CARGO_BIN_EXE_gz-monitor");

/// How a daemon is protected.
#[derive(Clone, Copy)]
pub struct Plan {
    pub name: &'static str,
    pub token: bool,
    pub tls: bool,
    /// Whether the usual bounds on requests hold.
    pub bounded: bool,
}

/// A daemon; it ends when this is dropped.
pub struct Daemon {
    pub plan: Plan,
    pub address: SocketAddr,
    /// Of a viewer.
    pub token: Option<String>,
    process: Child,
    folder: TempDir,
}

impl Daemon {
    pub fn start(plan: Plan) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = |name: &str| folder.path().join(name);
        let mut config = String::new();
        if !plan.bounded {
            config += "server.max_request_rate = 0\nserver.auth.max_request_rate = 0\n";
        }
        if plan.tls {
            certificate::make(folder.path())?;
            config += &format!(
                "server.tls.certificate = {:?}\nserver.tls.key = {:?}\n",
                file(CERTIFICATE),
                file(KEY)
            );
        }
        fs::write(file("gz-monitor.toml"), config)?;
        let token = match plan.token {
            true => Some(make_token(&file("state/gz-monitor/tokens.json"))?),
            false => None,
        };
        let mut process = Command::new(PROGRAM)
            .args(["server", "--port", "0", "--config"])
            .arg(file("gz-monitor.toml"))
            .env("XDG_STATE_HOME", file("state"))
            .env_remove("STATE_DIRECTORY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut first = String::new();
        BufReader::new(process.stdout.take().context("piped")?).read_line(&mut first)?;
        let address = first.split("://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.with_context(|| format!("{first:?} has no address"))?.parse()?;
        Ok(Self { plan, address, token, process, folder })
    }

    /// The file of the certificate that it shows.
    pub fn certificate(&self) -> Option<PathBuf> {
        self.plan.tls.then(|| self.folder.path().join(CERTIFICATE))
    }

    /// Processor time that its threads have had (proc(5), schedstat).
    pub fn cpu_time(&self) -> anyhow::Result<Duration> {
        let mut total = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            // A thread may end meanwhile.
            let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            total += text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(total))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that has ended already need not be told.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn make_token(file: &PathBuf) -> anyhow::Result<String> {
    fs::create_dir_all(file.parent().context("a folder")?)?;
    let output = Command::new(PROGRAM)
        .args(["token", "create", "--name", "bench", "--role", "viewer", "--tokens-file"])
        .arg(file)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
