//! Libraries as collectors, loaded into this process: the one room with `unsafe`.
//!
//! `gz_plugin.h` in `plugins/abi` says what a library promises; what can be checked is checked by
//! that crate, and what cannot be is why libraries run in a child of their own by default.

#![allow(unsafe_code, reason = "a library of another language is called by raw pointers")]

mod host;
mod instance;

pub use instance::{Instance, Sample};

use std::error::Error as _;
use std::path::Path;

use gz_monitor_abi::{ENTRY_SYMBOL, Entry, Plugin, Refusal, read_plugin};

/// Why a library cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("it cannot be loaded: {}", innermost(.0))]
    Load(libloading::Error),
    #[error("it has no symbol {ENTRY_SYMBOL:?}, so it is no plugin")]
    Symbol(#[source] libloading::Error),
    #[error("its description is refused: {0}")]
    Refused(Refusal),
}

/// libloading says that dlopen(3) has failed; only what is beneath says why.
fn innermost(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Loads a library and reads what collectors it has. It is never unloaded: code of it may be running
/// on threads that nobody knows of.
///
/// # Errors
/// [`LoadError`].
pub fn load(path: &Path) -> Result<Plugin, LoadError> {
    // SAFETY: a library's initialisers may do anything. Who calls this has decided to let them, in a
    // child that may die or because the configuration says `isolation = "inline"`.
    let library = unsafe { libloading::Library::new(path) }.map_err(LoadError::Load)?;
    let library = Box::leak(Box::new(library));
    // SAFETY: the header gives the symbol this type; a library where it is something else cannot be
    // told apart from one that keeps its word.
    let entry = unsafe { library.get::<*const Entry>(ENTRY_SYMBOL.as_bytes()) };
    let entry = entry.map_err(LoadError::Symbol)?;
    // SAFETY: the entry is static data of a library that is never unloaded.
    unsafe { read_plugin(*entry) }.map_err(LoadError::Refused)
}
