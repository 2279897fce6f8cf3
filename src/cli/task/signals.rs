//! The signals that are meant for the command: taken from a descriptor, which tells where each is from.

use std::thread;

use futures_util::future::{pending, select_all};
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use procfs::process::Process;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::mpsc;

/// What is passed on.
const PASSED_ON: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// Signals that may wait for us.
const QUEUE: usize = 16;

/// Signals that are kept from ending us.
pub(super) struct Signals {
    passed_on: Vec<Signal>,
    held: SigSet,
}

/// Signals as they come.
pub(super) struct Hearing {
    held: mpsc::Receiver<Heard>,
    /// What comes while signals are let through.
    loose: Vec<(Signal, unix::Signal)>,
}

/// A signal, and whether the kernel sent it: a terminal's goes to all of its foreground processes.
pub(super) struct Heard {
    pub(super) signal: Signal,
    pub(super) is_of_terminal: bool,
}

impl Signals {
    /// Holds them back from this thread and all that it starts, but for those that whoever started us
    /// has us ignore, as nohup(1) does; then the command ignores them, too.
    pub(super) fn hold() -> nix::Result<Self> {
        let ignored =
            Process::myself().and_then(|me| me.status()).map_or(0, |status| status.sigign);
        let is_heard = |signal: &Signal| ignored & (1 << (*signal as i32 - 1)) == 0;
        let passed_on: Vec<Signal> = PASSED_ON.into_iter().filter(is_heard).collect();
        // The change of a terminal's size is heard as well.
        let held: SigSet = passed_on.iter().copied().chain([Signal::SIGWINCH]).collect();
        held.thread_block()?;
        Ok(Self { passed_on, held })
    }

    /// Hears them, within a runtime.
    pub(super) fn hear(&self) -> std::io::Result<Hearing> {
        let descriptor = SignalFd::with_flags(&self.held, SfdFlags::SFD_CLOEXEC)?;
        let (heard, held) = mpsc::channel(QUEUE);
        let builder = thread::Builder::new().name("gz-signals".to_owned());
        builder.spawn(move || listen(&descriptor, &heard))?;
        let loose = self.passed_on.iter().map(|signal| {
            let kind = SignalKind::from_raw(*signal as i32);
            Ok((*signal, unix::signal(kind)?))
        });
        Ok(Hearing { held, loose: loose.collect::<std::io::Result<_>>()? })
    }

    /// Starts a command, which is to begin without holding anything back: it would do so for ever. What
    /// comes meanwhile is heard another way.
    pub(super) fn let_through<T>(&self, start: impl FnOnce() -> T) -> nix::Result<T> {
        self.held.thread_unblock()?;
        let started = start();
        self.held.thread_block()?;
        Ok(started)
    }
}

impl Hearing {
    /// The next signal.
    pub(super) async fn next(&mut self) -> Heard {
        let loose = self.loose.iter_mut().map(|(signal, stream)| {
            let signal = *signal;
            Box::pin(async move {
                // One that has ended has nothing more to say.
                match stream.recv().await {
                    Some(()) => signal,
                    None => pending().await,
                }
            })
        });
        let loose: Vec<_> = loose.collect();
        let loose = async {
            match loose.is_empty() {
                true => pending().await,
                false => select_all(loose).await.0,
            }
        };
        tokio::select! {
            heard = self.held.recv() => match heard {
                Some(heard) => heard,
                None => pending().await,
            },
            signal = loose => Heard { signal, is_of_terminal: false },
        }
    }
}

/// Hands on what the descriptor gives, until nobody asks any more.
fn listen(descriptor: &SignalFd, heard: &mpsc::Sender<Heard>) {
    loop {
        let info = match descriptor.read_signal() {
            Ok(Some(info)) => info,
            Ok(None) | Err(Errno::EINTR) => continue,
            Err(_) => return,
        };
        // sigaction(2): codes of the kernel are above 0, those of processes are not.
        let is_of_terminal = info.ssi_code > 0;
        if let Ok(signal) = Signal::try_from(info.ssi_signo as i32)
            && heard.blocking_send(Heard { signal, is_of_terminal }).is_err()
        {
            return;
        }
    }
}
