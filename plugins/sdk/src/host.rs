//! What a collector may ask of the program that runs it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::link::Link;

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

/// The program that runs the collector. Cheap to clone. A clone may outlive the collector: then log
/// lines go nowhere and everything is cancelled.
#[derive(Clone)]
pub struct Host(Backing);

#[derive(Clone)]
enum Backing {
    /// The program that this code is linked into.
    Own(Arc<Own>),
    /// The program that has loaded this code as a plugin.
    Plugin(Arc<Link>),
}

type Log = dyn Fn(Level, &str) + Send + Sync;

struct Own {
    root: PathBuf,
    cancelled: AtomicBool,
    log: Box<Log>,
    request_collect: Box<dyn Fn() + Send + Sync>,
}

impl Host {
    /// A host whose files are found under `root`, that passes log lines to `log`. Requests to
    /// collect early are not heard.
    pub fn new(root: PathBuf, log: impl Fn(Level, &str) + Send + Sync + 'static) -> Self {
        Self::with_requests(root, log, || {})
    }

    /// A host that also passes requests to collect early to `request_collect`.
    pub fn with_requests(
        root: PathBuf,
        log: impl Fn(Level, &str) + Send + Sync + 'static,
        request_collect: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self(Backing::Own(Arc::new(Own {
            root,
            cancelled: AtomicBool::new(false),
            log: Box::new(log),
            request_collect: Box::new(request_collect),
        })))
    }

    /// The host at the other end of a link.
    pub(crate) fn linked(link: Arc<Link>) -> Self {
        Self(Backing::Plugin(link))
    }

    /// The file `relative` (say `proc/stat`) of the monitored machine. Its root is `/`, or where a
    /// container mounts the machine's, or a fixture in a test.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        match &self.0 {
            Backing::Own(own) => own.root.join(relative),
            Backing::Plugin(link) => link.root().join(relative),
        }
    }

    /// Writes a log line that bears the collector's name.
    pub fn log(&self, level: Level, message: &str) {
        match &self.0 {
            Backing::Own(own) => (own.log)(level, message),
            Backing::Plugin(link) => link.log(level, message),
        }
    }

    /// Whether the result of the present call is no longer wanted: its deadline has passed, or the
    /// collector is being removed. A long `collect` should look now and then and return early.
    pub fn cancelled(&self) -> bool {
        match &self.0 {
            Backing::Own(own) => own.cancelled.load(Ordering::Relaxed),
            Backing::Plugin(link) => link.cancelled(),
        }
    }

    /// Asks for a collection before the interval is over, say from a thread that waits for events.
    /// Requests made before it begins count as one, and the host may hold them back.
    pub fn request_collect(&self) {
        match &self.0 {
            Backing::Own(own) => (own.request_collect)(),
            Backing::Plugin(link) => link.request_collect(),
        }
    }

    /// Says whether the present call's result is still wanted. For the program that hosts; the host
    /// of a plugin knows by itself, and there this does nothing.
    pub fn set_cancelled(&self, cancelled: bool) {
        if let Backing::Own(own) = &self.0 {
            own.cancelled.store(cancelled, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn clones_are_one_host() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hear = |what: &'static str| {
            let heard = heard.clone();
            move || heard.lock().expect("nobody panics").push(what)
        };
        let (log, request) = (hear("log"), hear("request"));
        let host = Host::with_requests("/a/root".into(), move |_, _| log(), request);
        let clone = host.clone();
        host.log(Level::Info, "text");
        clone.request_collect();
        assert_eq!(*heard.lock().expect("nobody panics"), ["log", "request"]);
        assert_eq!(clone.path("proc/stat"), Path::new("/a/root/proc/stat"));
        assert!(!clone.cancelled());
        host.set_cancelled(true);
        assert!(clone.cancelled());
    }
}
