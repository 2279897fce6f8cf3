//! A container with the package under test in it, as the checks see it.

use std::ops::Deref;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use super::container::Container;
use super::patience::until;

/// The service under test.
pub const UNIT: &str = "gz-monitor.service";

const SHIPPED: &str = "/usr/lib/systemd/system/gz-monitor.service";

/// Where a unit goes before the one of a package (systemd.unit(5)).
const CHANGED: &str = "/etc/systemd/system/gz-monitor.service";

/// The files of this machine that a run tests with.
pub struct Inputs {
    pub deb: PathBuf,
    /// The same package with a higher version.
    pub next_deb: PathBuf,
    pub rpm: Option<PathBuf>,
    /// A program with the hooks for debugging, which packages do not have.
    pub hooked: PathBuf,
    /// The compiled probe of the sandbox.
    pub probe: PathBuf,
    /// The compiled library that does what a file says.
    pub acts: PathBuf,
}

/// A container and what to test in it. Everything that a container does, a site does.
pub struct Site<'a> {
    pub container: Container,
    pub inputs: &'a Inputs,
}

impl Deref for Site<'_> {
    type Target = Container;

    fn deref(&self) -> &Container {
        &self.container
    }
}

impl Site<'_> {
    /// Installs a .deb of this machine.
    pub fn install_deb(&self, deb: &std::path::Path) -> anyhow::Result<String> {
        self.copy(deb, "/root/package.deb")?;
        self.run(&["dpkg", "--install", "--force-confold", "/root/package.deb"])
    }

    /// A property of the unit, as `systemctl show` has it.
    pub fn property(&self, name: &str) -> anyhow::Result<String> {
        self.run(&["systemctl", "show", "--value", "--property", name, UNIT])
    }

    /// The number of the daemon's process, which is not 0.
    pub fn main_pid(&self) -> anyhow::Result<u32> {
        let pid = self.property("MainPID")?.parse().context("MainPID is a number")?;
        ensure!(pid > 0, "the service does not run: {}", self.property("Result")?);
        Ok(pid)
    }

    /// Adds to the configuration, as a file of conf.d.
    pub fn configure(&self, name: &str, text: &str) -> anyhow::Result<()> {
        self.write(&format!("/etc/gz-monitor/conf.d/{name}.toml"), text)
    }

    /// Takes such a file away again.
    pub fn unconfigure(&self, name: &str) -> anyhow::Result<()> {
        self.run(&["rm", &format!("/etc/gz-monitor/conf.d/{name}.toml")]).map(drop)
    }

    /// Does something while this is part of the configuration, and takes it away again whatever comes
    /// of it. The service is started anew for both.
    pub fn configured<T>(
        &self,
        text: &str,
        deed: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.configure("check", text)?;
        let result = self.restart().and_then(|()| deed());
        self.unconfigure("check")?;
        self.restart()?;
        result
    }

    /// Does something while the service runs by a copy of its unit that a script for sed(1) has changed.
    pub fn changed<T>(
        &self,
        script: &str,
        deed: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.change(script)?;
        let result = self.restart().and_then(|()| deed());
        // A stopped process does not end by SIGTERM.
        self.sh(&format!("systemctl kill --signal=CONT {UNIT} || true"))?;
        self.run(&["rm", CHANGED])?;
        self.run(&["systemctl", "daemon-reload"])?;
        self.restart()?;
        result
    }

    /// Puts such a copy before the shipped unit; it takes effect at the next start.
    pub fn change(&self, script: &str) -> anyhow::Result<()> {
        let changed = self.run(&["sed", "-e", script, SHIPPED])?;
        self.write(CHANGED, &(changed + "\n"))?;
        let same = self.output(&["cmp", "--silent", SHIPPED, CHANGED])?;
        ensure!(!same.status.success(), "`{script}` changes nothing in the unit");
        self.run(&["systemctl", "daemon-reload"]).map(drop)
    }

    /// Starts the service anew, and forgets how often it was.
    pub fn restart(&self) -> anyhow::Result<()> {
        self.run(&["systemctl", "reset-failed", UNIT])?;
        self.run(&["systemctl", "restart", UNIT]).map(drop)
    }

    /// Waits for a process other than `old` to serve requests.
    pub fn wait_for_another(&self, old: u32) -> anyhow::Result<u32> {
        until(|| {
            let pid = self.main_pid()?;
            ensure!(pid != old, "process {old} is still the service");
            ensure!(self.property("ActiveState")? == "active", "the service is not active yet");
            ensure!(self.get("/readyz")?.status == 200, "process {pid} is not ready");
            Ok(pid)
        })
    }

    /// The end of the service's journal.
    pub fn journal_tail(&self) -> String {
        let argv = ["journalctl", "--unit", UNIT, "--lines=25", "--output=short-monotonic"];
        let lines = self.run(&argv).unwrap_or_else(|error| format!("no journal: {error:#}"));
        lines.lines().map(|line| format!("    {line}\n")).collect()
    }

    /// The journal of the service since it was started last, one JSON object per entry.
    pub fn journal(&self) -> anyhow::Result<Vec<serde_json::Value>> {
        // The last lines of a process reach the journal a moment after it.
        self.run(&["journalctl", "--sync"])?;
        let argv = ["journalctl", "--unit", UNIT, "--output=json", "--all"];
        let lines = self.run(&argv)?;
        lines.lines().map(|line| serde_json::from_str(line).context("JSON")).collect()
    }
}
