//! Copies one stream of output through, and knows when all of it is.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionread;
use rustix::termios::isatty;
use tokio::time::{Instant, sleep};

use super::seen::Stream;

/// A terminal's output comes with a delay: it has all come when there is none for so long.
const SILENCE: Duration = Duration::from_millis(200);
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// A thread that copies.
pub(super) struct Copy {
    state: Arc<State>,
    /// Open as long as the thread reads from it: a copy of ours would keep its writers from noticing.
    from: Weak<File>,
    is_terminal: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that were read, and those that were handed on.
    taken: AtomicU64,
    copied: AtomicU64,
    /// There may be bytes in its hands.
    is_busy: AtomicBool,
    has_ended: AtomicBool,
}

impl Copy {
    /// Copies what comes, until its end or until nobody takes it any more.
    pub(super) fn start(
        from: File,
        to: impl Write + Send + 'static,
        stream: Stream,
    ) -> io::Result<Self> {
        let (state, is_terminal, from) = (Arc::<State>::default(), isatty(&from), Arc::new(from));
        let ours = Arc::downgrade(&from);
        let thread = {
            let state = state.clone();
            move || state.copy(from, to, stream)
        };
        thread::Builder::new().name("gz-output".to_owned()).spawn(thread)?;
        Ok(Self { state, from: ours, is_terminal })
    }

    /// Returns when all is copied that was printed by now. What the command has left running may go on
    /// printing: that is not waited for.
    pub(super) async fn drained(&self) {
        let waiting = self.from.upgrade().and_then(|from| ioctl_fionread(&from).ok()).unwrap_or(0);
        let all = self.state.taken.load(Ordering::SeqCst) + waiting;
        let mut idle_since = None;
        while !self.state.has_ended.load(Ordering::SeqCst) {
            let is_all = !self.is_terminal && self.state.copied.load(Ordering::SeqCst) >= all;
            // In this order: what is read after the first look is in somebody's hands at the second.
            let is_there = |from: Arc<File>| is_readable(&from, Some(Duration::ZERO));
            let is_idle = !self.from.upgrade().is_some_and(is_there)
                && !self.state.is_busy.load(Ordering::SeqCst);
            let now = Instant::now();
            idle_since = if is_idle { idle_since.or(Some(now)) } else { None };
            let patience = if self.is_terminal { SILENCE } else { Duration::ZERO };
            if is_all || idle_since.is_some_and(|since| now.duration_since(since) >= patience) {
                return;
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }
}

impl State {
    fn copy(&self, from: Arc<File>, mut to: impl Write, mut stream: Stream) {
        let mut buffer = vec![0; 64 << 10];
        loop {
            // To look is not to take: what was not taken is still seen from outside.
            if !is_readable(&from, None) {
                continue;
            }
            self.is_busy.store(true, Ordering::SeqCst);
            let length = match (&*from).read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // A terminal whose other end is closed says so by an error.
                Err(_) => break,
            };
            self.taken.fetch_add(length as u64, Ordering::SeqCst);
            stream.feed(&buffer[..length]);
            // As without us: what nobody reads is an error to who writes, not silence.
            if to.write_all(&buffer[..length]).and_then(|()| to.flush()).is_err() {
                break;
            }
            self.copied.fetch_add(length as u64, Ordering::SeqCst);
            self.is_busy.store(false, Ordering::SeqCst);
        }
        stream.end();
        drop(from);
        self.has_ended.store(true, Ordering::SeqCst);
    }
}

/// Whether a read would not wait: there is something, or the end. Without a limit, this waits for it.
fn is_readable(file: &File, limit: Option<Duration>) -> bool {
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    let mut polled = [PollFd::new(file, PollFlags::IN)];
    matches!(poll(&mut polled, limit.as_ref()), Ok(ready) if ready > 0)
}
