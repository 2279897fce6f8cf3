//! What a library may call: the functions behind `gz_host`.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use gz_monitor_abi::{ABI_MAJOR, ABI_MINOR, EXT_ROOT, Host, LOG_TEXT_MAX, Root, Str};
use gz_monitor_sdk::Level;

/// The host as one instance sees it. On the heap, because the library keeps its address until it is
/// destroyed.
pub(super) struct Hosted {
    host: gz_monitor_sdk::Host,
    root: Root,
    /// What `root` points into.
    _root_path: Box<str>,
    table: Host,
}

impl Hosted {
    pub(super) fn new(host: gz_monitor_sdk::Host) -> Box<Self> {
        let path: Box<str> = host.path("").to_string_lossy().into();
        let root =
            Root { struct_size: size_of::<Root>() as u32, reserved: 0, path: Str::new(&path) };
        let table = Host {
            abi_major: ABI_MAJOR,
            abi_minor: ABI_MINOR,
            struct_size: size_of::<Host>() as u32,
            reserved: 0,
            ctx: ptr::null_mut(),
            log: Some(log),
            cancelled: Some(cancelled),
            request_collect: Some(request_collect),
            get_extension: Some(get_extension),
        };
        let mut hosted = Box::new(Self { host, root, _root_path: path, table });
        hosted.table.ctx = ptr::from_ref(&*hosted).cast_mut().cast();
        hosted
    }

    /// Whether the result of the present call is no longer wanted.
    pub(super) fn is_cancelled(&self) -> bool {
        self.host.cancelled()
    }

    /// What the library is given.
    pub(super) fn table(&self) -> *const Host {
        &raw const self.table
    }
}

/// # Safety
/// `host` is a [`Hosted::table`] whose owner is alive, as the header has it until `destroy` returns.
unsafe fn hosted<'a>(host: *const Host) -> &'a Hosted {
    // SAFETY: the caller's word; `ctx` was set to the owner in `new`, which never moves.
    unsafe { &*(*host).ctx.cast::<Hosted>() }
}

unsafe extern "C" fn log(host: *const Host, level: i32, message: Str) {
    // SAFETY: the library passes what it was given, and a message as the header says.
    let (hosted, text) = unsafe { (hosted(host), message.lossy(LOG_TEXT_MAX)) };
    let level = match level {
        1 => Level::Error,
        2 => Level::Warn,
        4 => Level::Debug,
        _ => Level::Info,
    };
    hosted.host.log(level, &text);
}

unsafe extern "C" fn cancelled(host: *const Host) -> i32 {
    // SAFETY: as in `log`.
    unsafe { hosted(host) }.host.cancelled().into()
}

unsafe extern "C" fn request_collect(host: *const Host) {
    // SAFETY: as in `log`.
    unsafe { hosted(host) }.host.request_collect();
}

unsafe extern "C" fn get_extension(host: *const Host, id: *const c_char) -> *const c_void {
    if id.is_null() {
        return ptr::null();
    }
    // SAFETY: as in `log`; the header has ids end in NUL.
    let (hosted, id) = unsafe { (hosted(host), CStr::from_ptr(id)) };
    if id == EXT_ROOT { ptr::from_ref(&hosted.root).cast() } else { ptr::null() }
}
