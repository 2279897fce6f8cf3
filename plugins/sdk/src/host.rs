//! What a collector may ask of the program that runs it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How serious a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is wrong and the collector goes on.
    Warn,
    /// Worth a line in normal operation.
    Info,
    /// For whoever looks for a fault.
    Debug,
}

type Log = dyn Fn(Level, &str) + Send + Sync;

/// The program that runs the collector. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    root: Arc<Path>,
    cancelled: Arc<AtomicBool>,
    log: Arc<Log>,
}

impl Host {
    /// A host whose files are found under `root`, that passes log lines to `log`.
    pub fn new(root: PathBuf, log: impl Fn(Level, &str) + Send + Sync + 'static) -> Self {
        Self { root: root.into(), cancelled: Arc::default(), log: Arc::new(log) }
    }

    /// The file `relative` (say `proc/stat`) of the monitored machine. Its root is `/`, or where a
    /// container mounts the machine's, or a fixture in a test.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// Writes a log line that bears the collector's name.
    pub fn log(&self, level: Level, message: &str) {
        (self.log)(level, message);
    }

    /// Whether the result of the present call is no longer wanted: its deadline has passed, or the
    /// collector is being removed. A long `collect` should look now and then and return early.
    pub fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Says whether the present call's result is still wanted. For the program that hosts.
    pub fn set_cancelled(&self, cancelled: bool) {
        self.cancelled.store(cancelled, Ordering::Relaxed);
    }
}
