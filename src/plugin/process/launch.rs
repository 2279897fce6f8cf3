//! Starts programs: in the daemon, the thread that does it; in the child, what comes before exec(2).

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal};

use super::Config;
use crate::plugin::Capabilities;

/// What the kernel holds a program to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes.
    pub address_space: u64,
    pub cpu_seconds: u64,
    pub open_files: u64,
    pub processes: u64,
}

impl Limits {
    fn as_arguments(self) -> [String; 4] {
        [self.address_space, self.cpu_seconds, self.open_files, self.processes]
            .map(|limit| limit.to_string())
    }
}

/// In the child: takes the limits upon itself, gives up all capabilities but `kept`, and becomes the
/// program. Returns only if it cannot.
///
/// # Errors
/// Those of setrlimit(2), prctl(2), capset(2) and execve(2).
pub fn exec(
    limits: Limits,
    kept: Capabilities,
    daemon: u32,
    command: &[OsString],
) -> io::Result<Infallible> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The daemon may have died before the line above, and nobody would tell us any more.
    let parent = rustix::process::getppid().map(Pid::as_raw_pid);
    if parent.and_then(|pid| u32::try_from(pid).ok()) != Some(daemon) {
        return Err(io::Error::other("the daemon is gone"));
    }
    close_files()?;
    let (program, arguments) =
        command.split_first().ok_or_else(|| io::Error::other("no program is named"))?;
    if !may_be_run(Path::new(program)) {
        return Err(io::Error::from_raw_os_error(Errno::NOEXEC.raw_os_error()));
    }
    let bounds = [
        (Resource::Core, 0, 0),
        // At the first it is told by SIGXCPU, which can be told from a SIGKILL of somebody else's.
        (Resource::Cpu, limits.cpu_seconds, limits.cpu_seconds.saturating_add(1)),
        (Resource::Nofile, limits.open_files, limits.open_files),
        (Resource::Nproc, limits.processes, limits.processes),
        (Resource::As, limits.address_space, limits.address_space),
    ];
    for (resource, soft, hard) in bounds {
        // A hard limit that is lower already stays: it cannot be raised, and need not be.
        let present = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let limit = Rlimit { current: Some(soft.min(present)), maximum: Some(hard.min(present)) };
        rustix::process::setrlimit(resource, limit)?;
    }
    // Those of a service are ambient: they would go on to whatever it starts.
    kept.keep_only()?;
    Err(Command::new(program).args(arguments).exec())
}

/// Closes all but the three streams: whoever started the daemon may have left it files that are not
/// closed by execve(2), and they are no business of the program.
fn close_files() -> io::Result<()> {
    let numbers: Vec<i32> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // The one that the list was read from is closed already.
        let _ = nix::unistd::close(number);
    }
    Ok(())
}

/// False for what the kernel would not run (ENOEXEC), because execvp(3) has a shell read that.
/// What cannot be looked at is left to the kernel, which says why not.
fn may_be_run(program: &Path) -> bool {
    // EI_DATA and before it the magic bytes; e_machine (elf(5)).
    let (mut ours, mut its) = ([0; 20], [0; 20]);
    let read = |path: &Path, head: &mut [u8; 20]| -> io::Result<usize> {
        File::open(path)?.take(head.len() as u64).read(head)
    };
    let Ok(length) = read(program, &mut its) else { return true };
    if its.starts_with(b"#!") {
        return true;
    }
    let is_elf = length == its.len() && its.starts_with(b"\x7fELF");
    let Ok(_) = read(Path::new("/proc/self/exe"), &mut ours) else { return is_elf };
    // A 64-bit kernel also runs the 32-bit programs of its family.
    let family = |head: &[u8; 20]| match [head[18], head[19]] {
        [3 | 62, 0] => 62,
        [40 | 183, 0] => 183,
        [low, high] => u16::from_le_bytes([low, high]),
    };
    is_elf && family(&its) == family(&ours)
}

type Started = io::Result<Child>;
type Job = (Box<Command>, SyncSender<Started>);

/// Starts programs from a thread that lives as long as the daemon: a child dies with the *thread*
/// that started it (`PR_SET_PDEATHSIG`, prctl(2)), and those that collect come and go.
#[derive(Debug)]
pub struct Launcher {
    /// The `gz-monitor` program.
    ourselves: String,
    jobs: OnceLock<SyncSender<Job>>,
    is_hurried: AtomicBool,
}

impl Launcher {
    /// A launcher that has `ourselves`, the `gz-monitor` program, become what it starts.
    pub fn new(ourselves: String) -> Self {
        Self { ourselves, jobs: OnceLock::new(), is_hurried: AtomicBool::new(false) }
    }

    /// What a child of the launcher runs to be this program again.
    pub(in crate::plugin) fn ourselves(&self) -> &str {
        &self.ourselves
    }

    /// From now on programs get no time to end in good order.
    pub(in crate::plugin) fn hurry(&self) {
        self.is_hurried.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_hurried(&self) -> bool {
        self.is_hurried.load(Ordering::Relaxed)
    }

    /// Starts a program with pipes for its three streams.
    pub(in crate::plugin) fn start(
        &self,
        config: &Config,
        kept: Capabilities,
        variables: &[(&str, &str)],
    ) -> Started {
        // We are the program that becomes it.
        let mut command = Command::new(&self.ourselves);
        command
            .arg0("gz-monitor")
            .arg("plugin-exec")
            .args(config.limits().as_arguments())
            .arg(kept.bits().to_string())
            .arg(std::process::id().to_string())
            .args(&config.command)
            .env_clear()
            .envs(config.environment.iter().filter_map(|n| Some((n, std::env::var_os(n)?))))
            .envs(variables.iter().copied())
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (reply, started) = sync_channel(1);
        let jobs = self.jobs.get_or_init(Self::thread);
        let gone = || io::Error::other("the thread that starts programs is gone");
        jobs.send((Box::new(command), reply)).map_err(|_| gone())?;
        started.recv().map_err(|_| gone())?
    }

    fn thread() -> SyncSender<Job> {
        let (jobs, queue) = sync_channel::<Job>(16);
        let run = move || {
            for (mut command, reply) in queue {
                // Whoever asked may have been stopped; its child is then nobody's.
                if let Err(lost) = reply.send(command.spawn())
                    && let Ok(mut child) = lost.0
                {
                    let _ = child.kill();
                    let _ = child.wait();
                }
            }
        };
        let spawned = thread::Builder::new().name("launcher".to_owned()).spawn(run);
        if let Err(error) = spawned {
            // The queue is dropped with the closure, and every start will say so.
            tracing::error!(%error, "cannot start the thread that starts programs");
        }
        jobs
    }
}
