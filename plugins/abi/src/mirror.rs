//! The header's structs. Function pointers are `Option`, for a plugin may leave any of them NULL;
//! what each function does, who owns what and on which thread it runs, the header says.

use std::ffi::{c_char, c_void};

use crate::{ERROR_TEXT_MAX, Status};

/// `gz_str`: a borrowed string, a pointer and a length in bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Str {
    /// NULL only if `len` is 0.
    pub ptr: *const c_char,
    /// Bytes.
    pub len: usize,
}

/// `gz_label`: a key and a value.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Label {
    /// As Prometheus has it.
    pub key: Str,
    /// Any UTF-8.
    pub value: Str,
}

/// `gz_error`: the host's slot for the text of a plugin's error.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Error {
    /// Bytes of the struct as the host knows it.
    pub struct_size: u32,
    /// Bytes of `message` in use.
    pub len: u32,
    /// UTF-8, not ended by NUL.
    pub message: [u8; ERROR_TEXT_MAX],
}

/// `gz_sample`: one reading.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// `snake_case`, base units, the unit last.
    pub name: Str,
    /// `label_count` of them.
    pub labels: *const Label,
    /// Labels, not bytes.
    pub label_count: usize,
    /// The reading.
    pub value: f64,
    /// Nanoseconds since 1970-01-01 UTC; 0 leaves the time to the host.
    pub unix_ns: i64,
    /// 0 is a gauge, 1 a counter.
    pub kind: u32,
    /// Zero.
    pub reserved: u32,
}

/// `gz_sink.emit`. \[exclusive\]
pub type Emit = unsafe extern "C" fn(*const Sink, *const Sample, usize, usize) -> Status;

/// `gz_sink`: takes the samples of one `collect`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Sink {
    /// Bytes of the struct as the host knows it.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// The host's.
    pub ctx: *mut c_void,
    /// Copies `count` samples that lie `stride` bytes apart.
    pub emit: Option<Emit>,
}

/// `gz_host.log`. \[thread-safe\]
pub type Log = unsafe extern "C" fn(*const Host, i32, Str);
/// `gz_host.cancelled`. \[thread-safe\]
pub type Cancelled = unsafe extern "C" fn(*const Host) -> i32;
/// `gz_host.request_collect`. \[thread-safe\]
pub type RequestCollect = unsafe extern "C" fn(*const Host);
/// `gz_host.get_extension`. \[thread-safe\]
pub type GetHostExtension = unsafe extern "C" fn(*const Host, *const c_char) -> *const c_void;

/// `gz_host`: the program that runs the collector, as one instance sees it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// The host's [`ABI_MAJOR`](crate::ABI_MAJOR).
    pub abi_major: u32,
    /// The host's [`ABI_MINOR`](crate::ABI_MINOR).
    pub abi_minor: u32,
    /// Bytes of the struct as the host knows it.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// The host's.
    pub ctx: *mut c_void,
    /// Writes a log line of a level from 1 (error) to 4 (debug).
    pub log: Option<Log>,
    /// Not zero once the present call's result is no longer wanted.
    pub cancelled: Option<Cancelled>,
    /// Asks for a collection before the interval is over.
    pub request_collect: Option<RequestCollect>,
    /// What the header does not have, by id.
    pub get_extension: Option<GetHostExtension>,
}

/// `gz_root`: where the monitored machine's files are.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Root {
    /// Bytes of the struct as the host knows it.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Absolute; bytes as the kernel has them.
    pub path: Str,
}

/// `gz_collector.init`. \[exclusive\]
pub type Init = unsafe extern "C" fn(*const Host, Str, *mut *mut c_void, *mut Error) -> Status;
/// `gz_collector.collect`. \[exclusive\]
pub type Collect = unsafe extern "C" fn(*mut c_void, *const Sink, *mut Error) -> Status;
/// `gz_collector.reload`. \[exclusive\]
pub type Reload = unsafe extern "C" fn(*mut c_void, Str, *mut Error) -> Status;
/// `gz_collector.destroy`. \[exclusive\]
pub type Destroy = unsafe extern "C" fn(*mut c_void);
/// `gz_collector.get_extension`. \[thread-safe\]
pub type GetCollectorExtension = unsafe extern "C" fn(*const c_char) -> *const c_void;

/// `gz_collector`: one kind of collector, as static data.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Collector {
    /// Bytes of the struct as the plugin knows it.
    pub struct_size: u32,
    /// Milliseconds between collections, suggested; 0 for the host's default.
    pub interval_ms: u32,
    /// What the configuration calls it.
    pub id: Str,
    /// The plugin's own.
    pub version: Str,
    /// One line for people.
    pub summary: Str,
    /// JSON Schema of the configuration; empty if there is none.
    pub config_schema: Str,
    /// Makes an instance.
    pub init: Option<Init>,
    /// Takes one reading.
    pub collect: Option<Collect>,
    /// Takes a new configuration; may be NULL.
    pub reload: Option<Reload>,
    /// Ends the instance.
    pub destroy: Option<Destroy>,
    /// What the plugin offers beyond the header, by id; may be NULL.
    pub get_extension: Option<GetCollectorExtension>,
}

/// `gz_plugin_entry`: what the symbol `gz_plugin` is.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The major that the plugin was built against.
    pub abi_major: u32,
    /// The minor that the plugin was built against.
    pub abi_minor: u32,
    /// Bytes of the struct as the plugin knows it.
    pub struct_size: u32,
    /// How many pointers `collectors` leads to.
    pub collector_count: u32,
    /// Pointers to the descriptors.
    pub collectors: *const *const Collector,
}

// SAFETY: a descriptor is immutable data. Following one of its pointers takes `unsafe` and the
// header's word that they lead to static data.
unsafe impl Sync for Collector {}

// SAFETY: as for `Collector`.
unsafe impl Sync for Entry {}

impl Entry {
    /// The entry of a plugin that was built against this crate.
    pub const fn new(collectors: &'static [&'static Collector]) -> Self {
        assert!(!collectors.is_empty(), "a plugin has a collector");
        assert!(collectors.len() <= crate::COLLECTORS_MAX as usize, "too many collectors");
        Self {
            abi_major: crate::ABI_MAJOR,
            abi_minor: crate::ABI_MINOR,
            struct_size: size_of::<Self>() as u32,
            collector_count: collectors.len() as u32,
            // A reference has the layout of a pointer.
            collectors: collectors.as_ptr().cast(),
        }
    }
}
