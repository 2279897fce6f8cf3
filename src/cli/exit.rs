//! How a command ends: the exit codes, and the one line that goes with each.

use std::io::{self, Write as _};
use std::process::ExitCode;

use rustix::io::Errno;

use crate::config::Problems;
use crate::systemd::notify;

/// A flag or argument is wrong.
pub(super) const USAGE: u8 = 2;
const RUN_TIME: u8 = 1;

/// Why a command failed.
pub(super) enum Failure {
    /// Something went wrong while running: exit code 1.
    RunTime(anyhow::Error),
    /// A flag cannot be, which only its command could tell: exit code 2.
    Usage(String),
    /// The configuration is not valid: exit code 78.
    Config(Problems),
    /// What others opened is not safe with this configuration: exit code 78.
    Unsafe(String),
    /// All has been said; only the code is left.
    Silent(u8),
}

impl Failure {
    /// Says what is wrong, and gives the code.
    pub(super) fn report(self) -> ExitCode {
        let mut err = io::stderr().lock();
        // Where nobody reads standard error the code has to do.
        let (code, _) = match self {
            Failure::RunTime(error) if is_closed_pipe(&error) => (0, Ok(())),
            Failure::RunTime(error) => (RUN_TIME, writeln!(err, "gz-monitor: {error:#}")),
            Failure::Usage(text) => (USAGE, writeln!(err, "gz-monitor: {text}")),
            Failure::Config(problems) => {
                (super::check_config::EX_CONFIG, writeln!(err, "{problems}"))
            }
            Failure::Unsafe(text) => {
                (super::check_config::EX_CONFIG, writeln!(err, "gz-monitor: {text}"))
            }
            Failure::Silent(code) => (code, Ok(())),
        };
        ExitCode::from(code)
    }
}

impl Failure {
    /// The same for the service manager: one line, and the errno(3) behind it.
    pub(super) fn status(&self) -> (String, Option<i32>) {
        match self {
            Failure::RunTime(error) => (format!("{error:#}"), notify::errno_of(error.as_ref())),
            Failure::Usage(text) => (text.clone(), None),
            Failure::Config(problems) => {
                let first = problems.list().first().map(ToString::to_string).unwrap_or_default();
                let text = match problems.count() {
                    1 => format!("configuration is not valid: {first}"),
                    count => format!("configuration is not valid: {count} problems, first {first}"),
                };
                (text, Some(Errno::INVAL.raw_os_error()))
            }
            Failure::Unsafe(text) => (text.clone(), Some(Errno::INVAL.raw_os_error())),
            Failure::Silent(code) => (format!("exit code {code}"), None),
        }
    }
}

/// `gz-monitor watch | head` is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::RunTime(error.into())
    }
}
