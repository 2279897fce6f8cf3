//! `gz-monitor task run`: runs a command as a task.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nix::sys::signal::Signal;
use rustix::process::Signal as Sent;
use tokio::runtime;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::child::Running;
use super::delivery::Daemon;
use super::listen;
use super::meter::Source;
use super::report::{End, Subject};
use super::reporter::Reporter;
use super::seen::Board;
use super::signals::{Hearing, Signals};
use crate::bounds::OutOfBounds;
use crate::cli::address::DaemonAddress;
use crate::cli::exit::Failure;
use crate::units::HumanDuration;

const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;
const FAR: Duration = Duration::from_secs(86_400 * 365);

const AFTER_HELP: &str = "\
Examples:
  gz-monitor task run -- rsync -a --info=progress2 /home /backup
  gz-monitor task run --name nightly --heartbeat 5m -- make -C /srv/data all

The exit code is the command's, or 128 and the number of the signal that ended it; 126 and 127 if it
could not be started. A daemon that is away changes nothing of that.";

/// The flags of `task run`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// What the task is called, for people and rules [default: the program's name]
    #[arg(long)]
    name: Option<String>,
    /// Its id, which no other task may have [default: one of its own]
    #[arg(long)]
    id: Option<String>,
    /// What of the output tells of progress
    #[arg(long, value_enum, value_name = "WHAT", default_value = "auto")]
    progress: Source,
    /// How many of the last lines of output are kept with the task, up to 100
    #[arg(long, value_name = "COUNT", default_value = "20", value_parser = clap::value_parser!(u8).range(0..=100))]
    lines: u8,
    /// The task has stalled when nothing is heard for so long, 1s or more; "0s": never
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = heartbeat)]
    heartbeat: HumanDuration,
    /// A command that was asked to stop, and has not ended after this time, is killed
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    grace: HumanDuration,
    /// How long a daemon that is away is waited for when the command has ended
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    wait: HumanDuration,
    /// The command and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    command: Vec<OsString>,
}

fn heartbeat(text: &str) -> Result<HumanDuration, String> {
    let promise: HumanDuration = text.parse().map_err(|error| format!("{error}"))?;
    let is_possible = promise.is_zero() || *promise >= Duration::from_secs(1);
    is_possible.then_some(promise).ok_or_else(|| "write 1s or more, or 0s".to_owned())
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let subject = subject(args)?;
    let daemon = Daemon { address: args.daemon.clone(), file };
    let signals = Signals::hold().map_err(io::Error::from)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (code, complaint) = runtime.block_on(course(args, &subject, &daemon, &signals))?;
    // Who looks a host name up may hang, and is not waited for.
    runtime.shutdown_background();
    if let Some(complaint) = complaint {
        writeln!(io::stderr().lock(), "gz-monitor: {complaint}")?;
    }
    if code == 0 { Ok(()) } else { Err(Failure::Silent(code)) }
}

fn subject(args: &Args) -> Result<Subject, Failure> {
    let program = args.command.first().map(Path::new).and_then(Path::file_name);
    let program = program.unwrap_or_default().to_string_lossy().into_owned();
    let name = args.name.clone().unwrap_or_else(|| match program.is_empty() {
        true => "command".to_owned(),
        false => program.clone(),
    });
    let started = Timestamp::now();
    let id = args
        .id
        .clone()
        .unwrap_or_else(|| format!("run-{:x}-{:08x}", started.as_millisecond(), fastrand::u32(..)));
    let key = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
    let usage = |error: OutOfBounds| Failure::Usage(format!("task run: {error}"));
    OutOfBounds::check("--name", name.len(), 256).map_err(usage)?;
    OutOfBounds::check("--id", id.len(), 128).map_err(usage)?;
    Ok(Subject { id, key, name, program, heartbeat: *args.heartbeat, started })
}

/// From the command's start to the word of its end: the exit code, and what went wrong beside it.
async fn course(
    args: &Args,
    subject: &Subject,
    daemon: &Daemon,
    signals: &Signals,
) -> io::Result<(u8, Option<String>)> {
    let mut hearing = signals.hear()?;
    let board = Board::new(args.lines.into());
    let (stop, hurry) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (ended, end) = oneshot::channel();
    let reporter = Reporter::new(daemon.clone(), subject.clone(), board.clone(), stop.clone());
    let started = Running::start(&args.command, &subject.id, &board, args.progress, signals);
    let reporter = tokio::spawn(reporter.run(end, *args.wait, hurry.clone()));
    let code = match started {
        Ok(mut running) => {
            let listener = tokio::spawn(listener(daemon.clone(), subject.id.clone(), stop.clone()));
            let status = supervise(&mut running, &mut hearing, &stop, *args.grace).await?;
            tokio::select! {
                () = running.drained() => {}
                // Whoever reads our output slowly is not waited for against somebody's will.
                () = interrupted(&mut hearing) => {}
            }
            listener.abort();
            let Ending { status, was_stopped, was_signalled } = status;
            // The reporter waits for it.
            let _ = ended.send(End::of(status, was_stopped, was_signalled));
            code(status)
        }
        Err(error) => {
            let program = args.command[0].display();
            writeln!(io::stderr().lock(), "gz-monitor: cannot run {program}: {error}")?;
            let _ = ended.send(End::unstarted(&error.to_string()));
            if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE }
        }
    };
    tokio::pin!(reporter);
    loop {
        tokio::select! {
            complaint = &mut reporter => return Ok((code, complaint.ok().flatten())),
            () = interrupted(&mut hearing) => hurry.notify_one(),
        }
    }
}

/// Returns at a signal that would be passed on, if there were still a command.
async fn interrupted(hearing: &mut Hearing) {
    while passed_on(hearing.next().await.signal).is_none() {}
}

async fn listener(daemon: Daemon, id: String, stop: Arc<Notify>) {
    listen::stop_requested(&daemon, &id).await;
    stop.notify_one();
}

/// How a command has ended, and what was done to that end.
struct Ending {
    status: ExitStatus,
    was_stopped: bool,
    was_signalled: bool,
}

/// Passes signals on, and a request to stop, until the command has ended.
async fn supervise(
    running: &mut Running,
    hearing: &mut Hearing,
    stop: &Notify,
    grace: Duration,
) -> io::Result<Ending> {
    let (mut was_stopped, mut was_signalled, mut is_killed) = (false, false, false);
    let mut deadline = Instant::now() + FAR;
    let hears_terminal = running.hears_terminal();
    loop {
        tokio::select! {
            status = running.ended() => return Ok(Ending { status, was_stopped, was_signalled }),
            heard = hearing.next() => {
                let Some(signal) = passed_on(heard.signal) else {
                    running.resize();
                    continue;
                };
                was_signalled = true;
                if !(heard.is_of_terminal && hears_terminal) {
                    running.signal(signal);
                }
            }
            () = stop.notified(), if !was_stopped => {
                was_stopped = true;
                deadline = Instant::now() + grace;
                running.end(Sent::TERM);
            }
            () = sleep_until(deadline), if was_stopped && !is_killed => {
                is_killed = true;
                running.end(Sent::KILL);
            }
        }
    }
}

/// The same signal for whoever sends it; none for the change of a size.
fn passed_on(signal: Signal) -> Option<Sent> {
    match signal {
        Signal::SIGINT => Some(Sent::INT),
        Signal::SIGTERM => Some(Sent::TERM),
        Signal::SIGHUP => Some(Sent::HUP),
        Signal::SIGQUIT => Some(Sent::QUIT),
        _ => None,
    }
}

/// As shells say it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
