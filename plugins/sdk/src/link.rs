//! The way from a plugin back to the host that called it, cut when the instance ends.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::{PoisonError, RwLock};

use gz_monitor_abi as abi;

use crate::{Error, Level, Result};

/// A `gz_host` that may have ended. A collector's threads may hold a [`Host`](crate::Host) for as
/// long as they like; once the instance is destroyed, it leads nowhere.
pub struct Link {
    host: RwLock<Option<Connected>>,
    root: PathBuf,
}

/// A `gz_host` that is alive, and its functions.
#[derive(Clone, Copy)]
struct Connected {
    host: NonNull<abi::Host>,
    log: abi::Log,
    cancelled: abi::Cancelled,
    request_collect: abi::RequestCollect,
}

// SAFETY: the functions are [thread-safe] by the header, and the pointer is only passed to them.
unsafe impl Send for Connected {}

// SAFETY: as for `Send`.
unsafe impl Sync for Connected {}

impl Link {
    /// A link to the host of an `init` call.
    ///
    /// # Safety
    /// `host` is NULL or what the header says, and stays so until [`Link::cut`] is called.
    ///
    /// # Errors
    /// NULL, of another major, truncated, or without one of its functions.
    pub unsafe fn new(host: *const abi::Host) -> Result<Self> {
        let refuse = |why: String| Error::Internal(format!("the host cannot be used: {why}"));
        let pointer = NonNull::new(host.cast_mut()).ok_or_else(|| refuse("NULL".to_owned()))?;
        // SAFETY: not NULL; these two fields are there in every minor of every major.
        let (major, size) = unsafe {
            ((&raw const (*host).abi_major).read(), (&raw const (*host).struct_size).read())
        };
        if major != abi::ABI_MAJOR {
            let ours = abi::ABI_MAJOR;
            return Err(refuse(format!("it speaks plugin ABI {major}, this plugin {ours}")));
        }
        // SAFETY: the caller's word.
        let copy = unsafe { abi::copy_prefix(host, size as usize) };
        let copy = copy.map_err(|refusal| refuse(refusal.to_string()))?;
        let (Some(log), Some(cancelled), Some(request_collect), Some(get_extension)) =
            (copy.log, copy.cancelled, copy.request_collect, copy.get_extension)
        else {
            return Err(refuse("a function is NULL".to_owned()));
        };
        // SAFETY: the host's own function, of the host that it is of; the id ends in NUL.
        let extension = unsafe { get_extension(host, abi::EXT_ROOT.as_ptr()) };
        // SAFETY: what the host has for this id is a `gz_root`, as valid as the host.
        let root = unsafe { root(extension.cast()) };
        let root = root.map_err(|refusal| refuse(refusal.to_string()))?;
        let connected = Connected { host: pointer, log, cancelled, request_collect };
        Ok(Self { host: RwLock::new(Some(connected)), root })
    }

    /// Where the monitored machine's files are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Ends the use of the host; waits for the calls into it that are under way.
    pub fn cut(&self) {
        *self.host.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Hands a line to the host's log.
    pub fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Error => 1,
            Level::Warn => 2,
            Level::Info => 3,
            Level::Debug => 4,
        };
        // SAFETY: the host is alive within `call`; the message outlives the call.
        self.call(|to| unsafe { (to.log)(to.host.as_ptr(), level, abi::Str::new(message)) });
    }

    /// Whether the present call's result is unwanted; once the link is cut, every result is.
    pub fn cancelled(&self) -> bool {
        // SAFETY: the host is alive within `call`.
        self.call(|to| unsafe { (to.cancelled)(to.host.as_ptr()) != 0 }).unwrap_or(true)
    }

    /// Asks for a collection before the interval is over.
    pub fn request_collect(&self) {
        // SAFETY: the host is alive within `call`.
        self.call(|to| unsafe { (to.request_collect)(to.host.as_ptr()) });
    }

    /// Calls the host, if it is still there; it cannot end meanwhile.
    fn call<T>(&self, call: impl FnOnce(Connected) -> T) -> Option<T> {
        let host = self.host.read().unwrap_or_else(PoisonError::into_inner);
        host.map(call)
    }
}

/// The path in a host's answer to `gz.root/1`; `/` if it has none.
///
/// # Safety
/// `root` is NULL or what the header says.
unsafe fn root(root: *const abi::Root) -> std::result::Result<PathBuf, abi::Refusal> {
    const PATH_MAX: usize = 4096;
    if root.is_null() {
        return Ok(PathBuf::from("/"));
    }
    // SAFETY: not NULL, and begins with its size.
    let size = unsafe { (&raw const (*root).struct_size).read() };
    // SAFETY: the caller's word, here and in the next line.
    let root = unsafe { abi::copy_prefix(root, size as usize) }?;
    // SAFETY: as above.
    let path = unsafe { root.path.bytes(PATH_MAX) }
        .map_err(|fault| abi::Refusal::Text { what: "gz_root.path", fault })?;
    Ok(PathBuf::from(OsStr::from_bytes(path)))
}
