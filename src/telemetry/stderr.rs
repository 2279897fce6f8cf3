//! Standard error, without ever waiting for whoever reads it.

use std::io::{self, Write};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing_subscriber::fmt::MakeWriter;

use super::lost;

/// A pipe that can be written to takes as much without waiting (pipe(7), PIPE_BUF).
const WITHOUT_WAITING: usize = 4096;

/// Where text goes. A line that would have to wait is lost, and counted.
pub(super) struct Stderr;

impl MakeWriter<'_> for Stderr {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl Write for Stderr {
    /// Takes one line, whatever becomes of it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut stderr = io::stderr().lock();
        lost::tell(|count| {
            let told =
                format!("gz-monitor: {count} lines of the log were lost; nobody read them\n");
            write_now(&mut stderr, told.as_bytes()).is_some()
        });
        if write_now(&mut stderr, line).is_none() {
            lost::count();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes all of it, or nothing more than can be written at once.
fn write_now(stderr: &mut io::StderrLock<'_>, line: &[u8]) -> Option<()> {
    for part in line.chunks(WITHOUT_WAITING) {
        let mut fds = [PollFd::new(&*stderr, PollFlags::OUT)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let ready = poll(&mut fds, Some(&at_once)).is_ok_and(|count| count > 0);
        if !ready {
            return None;
        }
        stderr.write_all(part).ok()?;
    }
    Some(())
}
