//! One running program: its pipes, its output, and its end.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::process::{Child as Process, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};
use serde_json::Value as Json;

use super::Config;
use super::finish::has_ended;
use super::output::Output;
use super::stderr::StandardError;
use crate::sample::{BatchBuilder, Limits};

const READ_BYTES: usize = 64 << 10;
/// How soon it is noticed that the result is no longer wanted, or that the program has ended while
/// something that it started holds its output open.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How soon it is noticed that a program whose output has ended has ended itself.
const END_LOOK_EVERY: Duration = Duration::from_millis(2);

/// Until when to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The end of its output, or of itself.
    Eof,
    /// A record that ends the collection.
    End,
    /// There is nothing to be read at the moment.
    Drained,
}

/// Why reading stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Eof,
    End,
    Drained,
    /// It is too late.
    Deadline,
    /// It has printed more than it may.
    Excess,
    /// Nobody wants the result any more.
    Cancelled,
}

/// A running program. Dropped, it and all of its process group are killed.
pub(super) struct Child {
    process: Process,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    pub(super) output: Output,
    max_output: u64,
    /// Set when it has been waited for: its number may be another's by now.
    is_reaped: bool,
}

impl Child {
    pub(super) fn new(mut process: Process, config: &Config) -> io::Result<Self> {
        let child = Self {
            stdin: process.stdin.take(),
            stdout: process.stdout.take(),
            stderr: process.stderr.take(),
            process,
            output: Output::new(*config.max_line as usize),
            max_output: *config.max_output,
            is_reaped: false,
        };
        let streams = [
            child.stdin.as_ref().map(AsFd::as_fd),
            child.stdout.as_ref().map(AsFd::as_fd),
            child.stderr.as_ref().map(AsFd::as_fd),
        ];
        for stream in streams {
            let stream = stream.ok_or_else(|| io::Error::other("a stream is not piped"))?;
            rustix::io::ioctl_fionbio(stream, true)?;
        }
        Ok(child)
    }

    /// Bytes of memory that it has resident, itself alone (proc_pid_statm(5)).
    pub(super) fn resident_bytes(&self) -> Option<f64> {
        let text = fs::read_to_string(format!("/proc/{}/statm", self.process.id())).ok()?;
        let pages: f64 = text.split(' ').nth(1)?.parse().ok()?;
        Some(pages * rustix::param::page_size() as f64)
    }

    /// Writes a line to it. A program that does not read is as good as hung.
    pub(super) fn ask(
        &mut self,
        line: &str,
        deadline: Instant,
        cancelled: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match stdin.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The pipe is full, and a configuration may be longer than it holds.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() || cancelled() {
                        return Err(error);
                    }
                    let timeout = Timespec::try_from(left.min(LOOK_EVERY)).ok();
                    let _ = poll(&mut [PollFd::new(&*stdin, PollFlags::OUT)], timeout.as_ref());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Asks for what `read` then waits for.
    pub(super) fn request(
        &mut self,
        request: &Json,
        deadline: Instant,
        out: &mut BatchBuilder,
        log: &mut StandardError,
        cancelled: &dyn Fn() -> bool,
    ) {
        // What it has printed since its last answer is no answer.
        self.output.end();
        self.read(Until::Drained, deadline, out, log, cancelled);
        self.output.take_ending();
        // If it is gone the pipe is broken, and reading tells how it ended.
        let _ = self.ask(&format!("{request}\n"), deadline, cancelled);
    }

    /// Says that nothing will be asked.
    pub(super) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Reads what it prints into `out`, and what it complains of into `log`.
    pub(super) fn read(
        &mut self,
        until: Until,
        deadline: Instant,
        out: &mut BatchBuilder,
        log: &mut StandardError,
        cancelled: &dyn Fn() -> bool,
    ) -> Stop {
        let (mut buffer, mut printed, mut has_ended) = (vec![0; READ_BYTES], 0, false);
        loop {
            let complained = self.read_stderr(&mut buffer, log);
            printed += complained as u64;
            let Some(stdout) = &mut self.stdout else { return Stop::Eof };
            match stdout.read(&mut buffer) {
                Ok(0) => {
                    self.stdout = None;
                    return Stop::Eof;
                }
                Ok(count) => {
                    printed += count as u64;
                    self.output.push(&buffer[..count], out, log);
                    if until == Until::End && self.output.has_ended() {
                        return Stop::End;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if complained == 0 && until == Until::Drained {
                        return Stop::Drained;
                    }
                    // Seen to have ended before the pipe was seen empty: nothing of its own follows.
                    if has_ended && until == Until::Eof {
                        return Stop::Eof;
                    }
                    if complained == 0 {
                        self.wait_for_output(deadline);
                        has_ended = self.has_ended();
                    }
                }
                Err(_) => return Stop::Eof,
            }
            if printed > self.max_output {
                return Stop::Excess;
            }
            if cancelled() {
                return Stop::Cancelled;
            }
            if Instant::now() >= deadline {
                return Stop::Deadline;
            }
        }
    }

    /// Waits for its end until `deadline`, and then no longer. Of its group nothing is left then.
    pub(super) fn wait_until(
        &mut self,
        deadline: Instant,
        log: &mut StandardError,
        cancelled: &dyn Fn() -> bool,
    ) -> Option<ExitStatus> {
        // The pipe holds no more than one buffer of what it said last, unless it goes on.
        let (mut buffer, mut printed) = (vec![0; READ_BYTES], 0);
        loop {
            let has_ended = self.has_ended();
            printed += self.read_stderr(&mut buffer, log) as u64;
            if has_ended {
                return self.reap();
            }
            if Instant::now() >= deadline || cancelled() || printed > self.max_output {
                return None;
            }
            std::thread::sleep(END_LOOK_EVERY);
        }
    }

    /// Lets it end in good order: its standard input is closed, and it has until `deadline`, if
    /// nobody is in a hurry before. Then it is killed. What it still logs is passed on.
    ///
    /// # Errors
    /// How it ended, if not well.
    pub(super) fn end(
        mut self,
        deadline: Instant,
        log: &mut StandardError,
        is_hurried: &dyn Fn() -> bool,
    ) -> Result<(), String> {
        self.close_stdin();
        self.output.runs_on();
        // Samples belong to no collection any more.
        let limits = Limits::NONE;
        let mut unread = BatchBuilder::new(Vec::new(), limits);
        let status = match self.read(Until::Eof, deadline, &mut unread, log, is_hurried) {
            Stop::Eof => self.wait_until(deadline, log, is_hurried),
            _ => None,
        };
        self.output.finish(status.is_some(), &mut unread, log);
        log.finish();
        match status {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("ended with {status}")),
            None => Err("did not end when it was told to, and was killed".to_owned()),
        }
    }

    /// Waits until there is something to read, but not for long.
    fn wait_for_output(&self, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(timeout) = Timespec::try_from(left.min(LOOK_EVERY)) else { return };
        let mut fds = Vec::with_capacity(2);
        fds.extend(self.stdout.as_ref().map(|stdout| PollFd::new(stdout, PollFlags::IN)));
        fds.extend(self.stderr.as_ref().map(|stderr| PollFd::new(stderr, PollFlags::IN)));
        // Whatever it returns, the next read tells what there is.
        let _ = poll(&mut fds, Some(&timeout));
    }

    /// How many bytes of standard error there were.
    fn read_stderr(&mut self, buffer: &mut [u8], log: &mut StandardError) -> usize {
        let Some(stderr) = &mut self.stderr else { return 0 };
        match stderr.read(buffer) {
            Ok(0) => {
                // Closed: to poll it further would return at once, again and again.
                self.stderr = None;
                0
            }
            Ok(count) => {
                log.push(&buffer[..count]);
                count
            }
            Err(_) => 0,
        }
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.process.id()).ok().and_then(Pid::from_raw)
    }

    fn has_ended(&self) -> bool {
        self.pid().is_some_and(has_ended)
    }

    fn reap(&mut self) -> Option<ExitStatus> {
        if let Some(pid) = self.pid() {
            // What it started may outlive it. There is no group if all are gone.
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
        let status = self.process.wait().ok();
        self.is_reaped = true;
        status
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.is_reaped {
            // Itself too: it may have left its group.
            let _ = self.process.kill();
            self.reap();
        }
    }
}
