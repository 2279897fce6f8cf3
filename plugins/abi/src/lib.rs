//! The C interface between gz-monitor and its collector plugins, as Rust sees it.
//!
//! `include/gz_plugin.h` is the documentation of record; the structs of this crate are its mirror,
//! name by name and byte by byte, held to it by assertions on both sides. Beside them stands what a
//! host needs to take in what a plugin hands over, which may be anything: [`read_plugin`] for the
//! descriptors, [`read_samples`] for the samples of one `emit`, [`Error::text`] for an error's text.
//!
//! These check all that can be checked without a fault: sizes, counts, NULL, alignment, UTF-8. A
//! pointer that is neither NULL nor valid cannot be told from a valid one, which is why a plugin
//! runs in a process of its own unless the operator says otherwise.

#![allow(unsafe_code, reason = "reads what C programs point to; every block says why it may")]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(missing_docs)]

mod bounds;
mod error_slot;
mod layout;
mod mirror;
mod plugin;
mod prefix;
mod refusal;
mod samples;
mod status;
mod text;

pub use bounds::*;
pub use mirror::{
    Cancelled, Collect, Collector, Destroy, Emit, Entry, Error, GetCollectorExtension,
    GetHostExtension, Host, Init, Label, Log, Reload, RequestCollect, Root, Sample, Sink, Str,
};
pub use plugin::{Descriptor, Functions, Plugin, check_id, read_plugin};
pub use prefix::{Versioned, copy_prefix};
pub use refusal::Refusal;
pub use samples::{Kind, Reading, read_samples};
pub use status::Status;
pub use text::TextFault;

/// Bumped when old plugins can no longer be understood; they are refused.
pub const ABI_MAJOR: u32 = 1;

/// Bumped when fields or extensions are added; old plugins still load.
pub const ABI_MINOR: u32 = 0;

/// The name of a plugin's one exported symbol, an [`Entry`].
pub const ENTRY_SYMBOL: &str = "gz_plugin";

/// The id of the host extension that is a [`Root`].
pub const EXT_ROOT: &std::ffi::CStr = c"gz.root/1";
