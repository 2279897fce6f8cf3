//! Lines as text on standard error.

use std::cell::Cell;
use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::stdio::stderr;
use tracing::Subscriber;
use tracing_subscriber::Registry;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{self as text, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;

use super::line::Line;

thread_local! {
    /// The time of the line that this thread writes.
    static TIME: Cell<Timestamp> = const { Cell::new(Timestamp::UNIX_EPOCH) };
}

/// The way to standard error. Whoever uses it waits for its reader.
pub(super) struct Text {
    subscriber: Box<dyn Subscriber>,
    line: Buffer,
}

impl Text {
    /// In colour on a terminal.
    pub(super) fn on_stderr() -> Self {
        Self::new(io::stderr().is_terminal())
    }

    pub(super) fn new(is_terminal: bool) -> Self {
        let line = Buffer::default();
        let layer = text::layer().with_writer(line.clone()).with_timer(EventTime);
        let layer = layer.with_target(false).with_ansi(is_terminal);
        Self { subscriber: Box::new(Registry::default().with(layer)), line }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// Those of write(2): nobody can read it any more, say.
    pub(super) fn write(&self, line: &Line) -> io::Result<()> {
        write_all(&self.format(line))
    }

    pub(super) fn format(&self, line: &Line) -> Vec<u8> {
        TIME.set(line.time);
        line.replay(&*self.subscriber);
        std::mem::take(&mut self.line.0.lock())
    }
}

/// Past the lock of standard error: while it is stuck here, nobody else has to wait for that one.
fn write_all(mut left: &[u8]) -> io::Result<()> {
    while !left.is_empty() {
        match rustix::io::write(stderr(), left) {
            Ok(count) => left = &left[count..],
            Err(Errno::INTR) => {}
            // Whoever shares it with us may have it not wait.
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(&stderr(), PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Where a line is put together.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.0.lock().write(part)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Buffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The time of the event rather than that of its writing.
struct EventTime;

impl FormatTime for EventTime {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        write!(w, "{:.6}", TIME.get())
    }
}
