//! One running program: its pipes, its output, and its end.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::process::{Child as Process, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::time::{Duration, Instant};

use gz_monitor_sdk::Kind;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};

use super::Config;
use super::stderr::StandardError;
use crate::plugin::wire::{Ending, Lines, Reader, Record, Sample};
use crate::sample::{BatchBuilder, Value};

const READ_BYTES: usize = 64 << 10;

/// Until when to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The end of its output.
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
    End(Ending),
    Drained,
    /// It is too late.
    Deadline,
    /// It has printed more than it may.
    Excess,
}

/// A running program. Dropped, it and all of its process group are killed.
pub(super) struct Child {
    process: Guard,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    lines: Lines,
    reader: Reader,
    max_output: u64,
}

impl Child {
    pub(super) fn new(mut process: Process, config: &Config) -> io::Result<Self> {
        let piped = || io::Error::other("a stream is not piped");
        let stdout = process.stdout.take().ok_or_else(piped)?;
        let stderr = process.stderr.take().ok_or_else(piped)?;
        let stdin = process.stdin.take().ok_or_else(piped)?;
        for stream in [stdout.as_fd(), stderr.as_fd(), stdin.as_fd()] {
            rustix::io::ioctl_fionbio(stream, true)?;
        }
        Ok(Self {
            process: Guard(process),
            stdin: Some(stdin),
            stdout,
            stderr: Some(stderr),
            lines: Lines::new(*config.max_line as usize),
            reader: Reader::default(),
            max_output: *config.max_output,
        })
    }

    /// Bytes of memory that it has resident, itself alone (proc_pid_statm(5)).
    pub(super) fn resident_bytes(&self) -> Option<f64> {
        let text = fs::read_to_string(format!("/proc/{}/statm", self.process.0.id())).ok()?;
        let pages: f64 = text.split(' ').nth(1)?.parse().ok()?;
        Some(pages * rustix::param::page_size() as f64)
    }

    /// Writes a line to it. A program that does not read is as good as hung.
    pub(super) fn ask(&mut self, line: &str) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        stdin.write_all(line.as_bytes())
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
    ) -> Stop {
        let (mut buffer, mut printed, mut ended) = (vec![0; READ_BYTES], 0, None);
        loop {
            self.read_stderr(&mut buffer, log);
            match self.stdout.read(&mut buffer) {
                Ok(0) => return Stop::Eof,
                Ok(count) => {
                    printed += count as u64;
                    let reader = &mut self.reader;
                    self.lines.push(&buffer[..count], |line| {
                        ended = take(line.ok(), reader, out, log).or(ended.take());
                    });
                    if printed > self.max_output {
                        return Stop::Excess;
                    }
                    if until == Until::End
                        && let Some(ending) = ended.take()
                    {
                        return Stop::End(ending);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if until == Until::Drained {
                        return Stop::Drained;
                    }
                    if !self.wait(deadline) {
                        return Stop::Deadline;
                    }
                }
                Err(_) => return Stop::Eof,
            }
            if Instant::now() >= deadline {
                return Stop::Deadline;
            }
        }
    }

    /// The last line of a program that ended well needs no end of line; one that was cut off is no
    /// line, and is counted.
    pub(super) fn finish(&mut self, well: bool, out: &mut BatchBuilder, log: &mut StandardError) {
        let rest = self.lines.finish();
        if rest.is_empty() {
            return;
        }
        let line = well.then_some(&rest[..]);
        take(line, &mut self.reader, out, log);
    }

    /// Waits for its end until `deadline`, and then no longer.
    pub(super) fn wait_until(&mut self, deadline: Instant) -> Option<ExitStatus> {
        self.process.wait_until(deadline)
    }

    /// Waits until there is something to read; false if `deadline` comes first.
    fn wait(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(timeout) = Timespec::try_from(left) else { return false };
        let mut fds = vec![PollFd::new(&self.stdout, PollFlags::IN)];
        if let Some(stderr) = &self.stderr {
            fds.push(PollFd::new(stderr, PollFlags::IN));
        }
        !matches!(poll(&mut fds, Some(&timeout)), Ok(0))
    }

    fn read_stderr(&mut self, buffer: &mut [u8], log: &mut StandardError) {
        let Some(stderr) = &mut self.stderr else { return };
        match stderr.read(buffer) {
            // Closed: to poll it further would return at once, again and again.
            Ok(0) => self.stderr = None,
            Ok(count) => log.push(&buffer[..count]),
            Err(_) => {}
        }
    }
}

/// A process that does not outlive its owner, and neither does its group.
struct Guard(Process);

impl Guard {
    /// Waits for its end until `deadline`, and then no longer.
    fn wait_until(&mut self, deadline: Instant) -> Option<ExitStatus> {
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                _ => return None,
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // The group first: what it started may outlive it. There is none if all are gone.
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lets a program run to its end, within `deadline` and with at most `limit` bytes of output.
///
/// # Errors
/// How it failed, with its last words.
pub(in crate::plugin) fn output(
    mut process: Process,
    deadline: Instant,
    limit: usize,
) -> Result<Vec<u8>, String> {
    let reader = |stream: Option<Box<dyn io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(stream) = stream {
                let _ = stream.take(limit as u64).read_to_end(&mut bytes);
            }
            bytes
        })
    };
    let out = reader(process.stdout.take().map(|stream| Box::new(stream) as _));
    let err = reader(process.stderr.take().map(|stream| Box::new(stream) as _));
    let mut child = Guard(process);
    let status = child.wait_until(deadline);
    // Killed, it closes its pipes, and the readers end.
    drop(child);
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    match status {
        Some(status) if status.success() => Ok(out),
        status => {
            let how =
                status.map_or("did not end in time".to_owned(), |s| format!("ended with {s}"));
            let err = String::from_utf8_lossy(&err);
            match err.trim().lines().last() {
                Some(last) => Err(format!("{how}; its last words: {last}")),
                None => Err(how),
            }
        }
    }
}

/// Takes one line: `None` is one that was lost. Says how the collection ended, if the line does.
fn take(
    line: Option<&[u8]>,
    reader: &mut Reader,
    out: &mut BatchBuilder,
    log: &mut StandardError,
) -> Option<Ending> {
    let Some(line) = line else {
        out.reject_malformed();
        return None;
    };
    match reader.read(line) {
        Ok(Record::Nothing) => {}
        Ok(Record::End(ending)) => return Some(ending),
        Ok(Record::Log(level, text)) => log.say(level, text.into_owned()),
        Ok(Record::Sample(Sample { name, labels, value, kind })) => {
            let labels: Vec<(&str, &str)> =
                labels.iter().map(|(name, value)| (&**name, &**value)).collect();
            let value = match kind {
                Kind::Gauge => Value::Gauge(value),
                Kind::Counter => Value::Counter(value),
            };
            out.push(&name, &labels, value);
        }
        Err(malformed) => {
            out.reject_malformed();
            let text = String::from_utf8_lossy(&line[..line.len().min(200)]);
            log.say(gz_monitor_sdk::Level::Warn, format!("not understood: {malformed}: {text}"));
        }
    }
    None
}
