//! Namespaces around a whole run: its mounts are nobody else's, and no process of it outlives it.
//!
//! The mounts are in a mount namespace and the processes in a PID namespace whose first process is the
//! inner `xtask`; the kernel ends both when that one dies, and it dies with the outer one, whatever
//! that one dies of. Only the empty folders of control groups have to be removed by hand.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::{self, Command, ExitCode, Stdio};
use std::thread;

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::cgroup;

/// Runs this program again, confined, and cleans up behind it.
pub fn run() -> anyhow::Result<ExitCode> {
    cgroup::remove_orphans();
    let group = cgroup::name_of(process::id());
    let ourselves = env::current_exe().context("where this program lies")?;
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("signal handlers")?;
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .args(["unshare", "--mount", "--propagation", "private"])
        .args(["--pid", "--fork", "--kill-child", "--mount-proc", "--"])
        .arg(ourselves)
        .args(env::args_os().skip(1))
        .args(["--confined", &group])
        // A Ctrl-C of the terminal is for the outer process alone.
        .process_group(0)
        .stdin(Stdio::null())
        .spawn()
        .context("setpriv does not start: apt-get install util-linux")?;
    let pid = child.id().to_string();
    let handle = signals.handle();
    let watch = thread::spawn(move || {
        let signal = signals.forever().next()?;
        // Its own children go with it: `unshare --kill-child`.
        let _ = Command::new("kill").args(["-KILL", &pid]).status();
        Some(signal)
    });
    let status = child.wait().context("waiting for the run")?;
    handle.close();
    let signal = watch.join().ok().flatten();
    cgroup::remove(&group);
    if let Some(signal) = signal {
        return Ok(ExitCode::from(u8::try_from(128 + signal).unwrap_or(1)));
    }
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
