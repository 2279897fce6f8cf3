//! Between those who log and the one thread that writes: a queue that never makes anybody wait.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::line::Line;
use super::lost::Lost;

/// Lines that may wait to be written. At 16 KiB a line, the most there is to one, that is 16 MiB.
pub(super) const LINES_MAX: usize = 1024;

/// A flush that finds the queue full tries again after this long.
const PAUSE: Duration = Duration::from_millis(5);

/// Where events go. A clone is the same queue.
#[derive(Clone)]
pub(super) struct Queue {
    sender: SyncSender<Item>,
    lost: &'static Lost,
}

/// The end of the queue that the writer has.
pub(super) struct Backlog {
    receiver: Receiver<Item>,
    lost: &'static Lost,
}

enum Item {
    Line {
        line: Line,
        /// How many were dropped just before it.
        lost: u64,
    },
    /// Somebody waits for all that came before to be written.
    Flush(SyncSender<()>),
}

/// A queue of so many lines; those that it drops are counted here.
pub(super) fn queue(lines_max: usize, lost: &'static Lost) -> (Queue, Backlog) {
    let (sender, receiver) = sync_channel(lines_max);
    (Queue { sender, lost }, Backlog { receiver, lost })
}

impl<S: Subscriber> Layer<S> for Queue {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let lost = self.lost.take_untold();
        if self.sender.try_send(Item::Line { line: Line::of(event), lost }).is_err() {
            self.lost.give_back(lost);
            self.lost.count();
        }
    }
}

impl Queue {
    /// Waits until all that is queued is written, but not longer than this. Whether it was.
    pub(super) fn flush(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let (sender, written) = sync_channel(1);
        let mut item = Item::Flush(sender);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.sender.try_send(item) {
                Ok(()) => return written.recv_timeout(left).is_ok(),
                Err(TrySendError::Full(back)) if !left.is_zero() => item = back,
                Err(_) => return false,
            }
            sleep(PAUSE.min(left));
        }
    }
}

impl Backlog {
    /// Writes what comes, until the last queue is gone. Here, and only here, somebody may wait.
    pub(super) fn write(self, mut write: impl FnMut(Line) -> io::Result<()>) {
        loop {
            let item = match self.receiver.try_recv() {
                Ok(item) => item,
                Err(TryRecvError::Disconnected) => return self.tell_lost(&mut write),
                Err(TryRecvError::Empty) => {
                    self.tell_lost(&mut write);
                    let Ok(item) = self.receiver.recv() else { return };
                    item
                }
            };
            match item {
                Item::Line { line, lost } => {
                    self.tell(lost, &mut write);
                    if write(line).is_err() {
                        self.lost.count();
                    }
                }
                Item::Flush(done) => {
                    self.tell_lost(&mut write);
                    // Whoever waits no longer does not mind.
                    let _ = done.try_send(());
                }
            }
        }
    }

    fn tell_lost(&self, write: &mut impl FnMut(Line) -> io::Result<()>) {
        self.tell(self.lost.take_untold(), write);
    }

    fn tell(&self, lost: u64, write: &mut impl FnMut(Line) -> io::Result<()>) {
        if lost > 0 && write(Line::of_lost(lost)).is_err() {
            self.lost.give_back(lost);
        }
    }
}
