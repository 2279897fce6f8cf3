//! One booted systemd: a throw-away overlay over a root filesystem, in systemd-nspawn.

use std::fs::{self, File};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::cgroup;
use super::patience::{until, within};

/// What a systemd asks of its container's manager to power off.
const POWER_OFF: &str = "-SIGRTMIN+4";

/// A command inside that takes longer hangs.
const COMMAND_SECONDS: &str = "90";

/// A running container. It is killed when dropped; `power_off` is the orderly end.
pub struct Container {
    nspawn: Child,
    /// The container's first process, by its number here.
    leader: u32,
    /// Where its file system is mounted.
    base: PathBuf,
}

/// What to boot, and where.
pub struct Plan<'a> {
    /// The root filesystem, which stays as it is.
    pub rootfs: &'a Path,
    /// A folder for the overlay; nothing in it outlives the mount namespace.
    pub folder: &'a Path,
    /// The control group of the run.
    pub cgroup: &'a str,
    pub name: &'a str,
}

impl Container {
    /// Boots a container and waits until its systemd takes commands.
    pub fn boot(plan: &Plan<'_>) -> anyhow::Result<Self> {
        let root = mount_overlay(plan)?;
        let group = cgroup::make(plan.cgroup, plan.name)?;
        let console_path = plan.folder.join(format!("{}.console", plan.name));
        let console = File::create(&console_path).context("the console's file")?;
        // The shell enters the group; nspawn then makes its own below it.
        let nspawn = Command::new("sh")
            .args(["-c", "echo $$ >\"$0/cgroup.procs\" && exec systemd-nspawn \"$@\""])
            .arg(&group)
            .args(["--boot", "--quiet", "--register=no", "--keep-unit"])
            .arg(format!("--directory={}", root.display()))
            .arg(format!("--machine={}", plan.name))
            .args(["--console=pipe", "--link-journal=no", "--resolv-conf=off", "--timezone=off"])
            .args(["--kill-signal=SIGRTMIN+4", "--private-network", "--capability=all"])
            .arg("--drop-capability=CAP_SYS_MODULE,CAP_SYS_TIME,CAP_SYS_RAWIO,CAP_MKNOD")
            // bpf(2) is what IPAddressDeny needs to take effect.
            .arg("--system-call-filter=bpf adjtimex clock_adjtime perf_event_open")
            .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
            .stdin(Stdio::null())
            .stdout(console.try_clone().context("the console's file")?)
            .stderr(console)
            .spawn()
            .context("systemd-nspawn does not start: apt-get install systemd-container")?;
        let base = plan.folder.join(plan.name);
        let mut container = Self { nspawn, leader: 0, base };
        let booted = container.wait_for_boot();
        booted.with_context(|| {
            let log = fs::read_to_string(&console_path).unwrap_or_default();
            format!("{} does not boot; its console:\n{log}", plan.name)
        })?;
        Ok(container)
    }

    fn wait_for_boot(&mut self) -> anyhow::Result<()> {
        self.leader = until(|| {
            if let Some(status) = self.nspawn.try_wait()? {
                bail!("systemd-nspawn ended with {status}");
            }
            let nspawn = self.nspawn.id();
            let children = fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children"))?;
            let first = children.split(' ').next().and_then(|id| id.parse().ok());
            let leader: u32 = first.context("nspawn has no child")?;
            for socket in ["run/systemd/private", "run/dbus/system_bus_socket"] {
                let path = format!("/proc/{leader}/root/{socket}");
                ensure!(fs::metadata(&path)?.file_type().is_socket(), "{path} is no socket");
            }
            Ok(leader)
        })?;
        let state = self.output(&["systemctl", "is-system-running", "--wait"])?;
        let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
        ensure!(state == "running", "the system is {state}, not running");
        Ok(())
    }

    /// A path of the container as it is found from here.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.leader)).join(inside.trim_start_matches('/'))
    }

    /// A command that will run inside, with a time-out.
    pub fn command(&self, argv: &[&str]) -> Command {
        let mut command = self.entering(&["-m", "-u", "-i", "-n", "-p", "-C", "--root", "--wd"]);
        command
            .args([
                "env",
                "-i",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ])
            .args(["LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_PAGER="])
            .args(argv);
        command
    }

    /// A program of this machine that will run in the container's network.
    pub fn network_command(&self, argv: &[&str]) -> Command {
        let mut command = self.entering(&["-n"]);
        command.args(argv);
        command
    }

    fn entering(&self, namespaces: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=2", COMMAND_SECONDS, "nsenter", "-t", &self.leader.to_string()])
            .args(namespaces)
            .arg("--")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command inside, whatever its exit status.
    pub fn output(&self, argv: &[&str]) -> anyhow::Result<Output> {
        self.command(argv).output().context("nsenter does not start")
    }

    /// Runs a command inside that must succeed, for what it prints.
    pub fn run(&self, argv: &[&str]) -> anyhow::Result<String> {
        let output = self.output(argv)?;
        let printed = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        let complaints = String::from_utf8_lossy(&output.stderr);
        let (line, status) = (argv.join(" "), output.status);
        ensure!(status.success(), "`{line}` ended with {status}: {printed} {}", complaints.trim());
        Ok(printed)
    }

    /// Runs a shell script inside that must succeed.
    pub fn sh(&self, script: &str) -> anyhow::Result<String> {
        self.run(&["sh", "-euc", script])
    }

    /// Writes a file inside, and the folders above it; anybody may read it.
    pub fn write(&self, inside: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path(inside);
        let parent = path.parent().context("a file has a folder")?;
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, text));
        written.with_context(|| format!("cannot write {inside}"))
    }

    /// Copies a file of this machine into the container.
    pub fn copy(&self, from: &Path, inside: &str) -> anyhow::Result<()> {
        let path = self.path(inside);
        let parent = path.parent().context("a file has a folder")?;
        fs::create_dir_all(parent)
            .with_context(|| format!("cannot make the folder of {inside}"))?;
        let copied = fs::copy(from, &path);
        copied.with_context(|| format!("cannot copy {} to {inside}", from.display()))?;
        Ok(())
    }

    /// Has systemd end everything, and waits for it.
    pub fn power_off(mut self) -> anyhow::Result<()> {
        self.signal(POWER_OFF);
        within(Duration::from_secs(30), || {
            let ended = self.nspawn.try_wait()?;
            ended.context("the container does not power off").map(|_| ())
        })
    }

    fn signal(&self, signal: &str) {
        if self.leader > 0 {
            let _ = Command::new("kill").args([signal, &self.leader.to_string()]).status();
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if matches!(self.nspawn.try_wait(), Ok(None)) {
            // The leader first: with nspawn gone it would be nobody's child, and run on.
            self.signal("-KILL");
            let _ = self.nspawn.kill();
            let _ = self.nspawn.wait();
        }
        // Else what it has written would fill the memory until the end of the run.
        for path in [&self.base.join("root"), &self.base] {
            let _ = Command::new("umount").arg("--lazy").arg(path).status();
        }
    }
}

/// A writable view of a root filesystem; what is written is in memory, and gone with the namespace.
fn mount_overlay(plan: &Plan<'_>) -> anyhow::Result<PathBuf> {
    let base = plan.folder.join(plan.name);
    let text = base.display().to_string();
    fs::create_dir_all(&base).with_context(|| format!("cannot make {text}"))?;
    mount(&["-t", "tmpfs", "-o", "mode=0755,size=2g", "gz-monitor-e2e", &text])?;
    let root = base.join("root");
    for folder in [&base.join("upper"), &base.join("work"), &root] {
        fs::create_dir(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let options =
        format!("lowerdir={},upperdir={text}/upper,workdir={text}/work", plan.rootfs.display());
    mount(&["-t", "overlay", "-o", &options, "gz-monitor-e2e", &root.display().to_string()])?;
    Ok(root)
}

fn mount(arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("mount").args(arguments).output().context("mount does not start")?;
    let why = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "mount {} failed: {}", arguments.join(" "), why.trim());
    Ok(())
}
