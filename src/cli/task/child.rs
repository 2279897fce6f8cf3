//! The command: started with what is ours, copied through, sent signals, and waited for.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::sync::oneshot;

use super::copy::Copy;
use super::meter::Source;
use super::pseudo_terminal::PseudoTerminal;
use super::seen::{Board, Stream};
use super::signals::Signals;

/// The variable that tells a command which task it is.
const TASK_ID: &str = "GZ_MONITOR_TASK_ID";
/// A command that runs, or has run.
pub(super) struct Running {
    pid: Pid,
    /// Whether it has a process group of its own.
    has_group: bool,
    terminal: Option<Arc<PseudoTerminal>>,
    ended: oneshot::Receiver<ExitStatus>,
    copies: Vec<Copy>,
}

impl Running {
    /// Starts a command. If there is a terminal that controls us, the command is in our process group,
    /// so that the terminal's signals reach both, and stopping and going on is between the shell and the
    /// kernel. Otherwise it has a group of its own, and all of that is sent its signals.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub(super) fn start(
        argv: &[OsString],
        id: &str,
        board: &Board,
        source: Source,
        signals: &Signals,
    ) -> io::Result<Self> {
        let has_group = File::open("/dev/tty").is_err();
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).env(TASK_ID, id);
        if has_group {
            command.process_group(0);
        }
        let mut terminal = None;
        let (from_out, out) = channel(&io::stdout(), &mut terminal)?;
        command.stdout(out);
        let is_shared = io::stdout().is_terminal() && io::stderr().is_terminal();
        let from_err = match &terminal {
            // One terminal for both, so that their order is kept.
            Some(terminal) if is_shared => {
                command.stderr(terminal.end()?);
                None
            }
            _ => {
                let (from_err, err) = channel(&io::stderr(), &mut terminal)?;
                command.stderr(err);
                Some(from_err)
            }
        };
        let child = signals.let_through(|| command.spawn())?;
        // Our copies of its ends would keep its output open.
        drop(command);
        let child = child?;
        let pid = Pid::from_child(&child);
        let stream = || Stream::new(board.clone(), source);
        let mut copies = vec![Copy::start(from_out, io::stdout(), stream())?];
        if let Some(from_err) = from_err {
            copies.push(Copy::start(from_err, io::stderr(), stream())?);
        }
        Ok(Self { pid, has_group, terminal, ended: wait(child)?, copies })
    }

    fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Whether the terminal sends its signals to the command itself.
    pub(super) fn hears_terminal(&self) -> bool {
        !self.has_group
    }

    /// Sends a signal to it, and to its group if that is its own. It may have ended.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = match self.has_group {
            true => kill_process_group(self.pid, signal),
            false => kill_process(self.pid, signal),
        };
    }

    /// Has it end by this signal, and with it what it has started.
    pub(super) fn end(&self, signal: Signal) {
        // Where its group is ours, those that are its own are found one by one: before it is gone.
        let others = if self.has_group { Vec::new() } else { descendants(self.pid()) };
        self.signal(signal);
        for pid in others.into_iter().filter_map(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }

    /// Gives its terminal the size of ours.
    pub(super) fn resize(&self) {
        if self.terminal.as_ref().is_some_and(|terminal| terminal.adopt_size()) {
            // It may have asked for the size before it was right.
            let _ = kill_process(self.pid, Signal::WINCH);
        }
    }

    /// Returns when it has ended.
    pub(super) async fn ended(&mut self) -> ExitStatus {
        // The thread that waits ends with a status, or with the process.
        (&mut self.ended).await.unwrap_or_else(|_| ExitStatus::from_raw(0xff00))
    }

    /// Returns when what it has printed is copied, now that it has ended.
    pub(super) async fn drained(&self) {
        for copy in &self.copies {
            copy.drained().await;
        }
    }
}

/// The two ends of what takes the place of one of our streams: a terminal if that is one.
fn channel(
    ours: &(impl AsFd + io::IsTerminal),
    terminal: &mut Option<Arc<PseudoTerminal>>,
) -> io::Result<(File, Stdio)> {
    if ours.is_terminal()
        && let Ok(made) = PseudoTerminal::like(ours.as_fd())
    {
        let (reader, end) = (made.reader()?, made.end()?);
        *terminal = Some(Arc::new(made));
        return Ok((reader, end));
    }
    let (reader, writer) = io::pipe()?;
    Ok((File::from(std::os::fd::OwnedFd::from(reader)), writer.into()))
}

fn wait(mut child: Child) -> io::Result<oneshot::Receiver<ExitStatus>> {
    let (ended, receiver) = oneshot::channel();
    let wait = move || {
        if let Ok(status) = child.wait() {
            // Whoever asked may have gone.
            let _ = ended.send(status);
        }
    };
    thread::Builder::new().name("gz-wait".to_owned()).spawn(wait)?;
    Ok(receiver)
}

/// The processes that `root` has started, and those that these have.
fn descendants(root: i32) -> Vec<i32> {
    let Ok(all) = procfs::process::all_processes() else { return Vec::new() };
    let parents = all.filter_map(|one| one.ok()?.stat().ok()).map(|stat| (stat.pid, stat.ppid));
    let parents: Vec<(i32, i32)> = parents.collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        let children = parents.iter().filter(|(pid, ppid)| *ppid == parent && !found.contains(pid));
        let children: Vec<i32> = children.map(|(pid, _)| *pid).collect();
        found.extend(children);
        next += 1;
    }
    found.split_off(1)
}
