//! Groups: what they may be called, what may be said in one, and where the last of it is.
//!
//! A group is a name and nothing else: whoever names it in a filter is in it. Pure.

mod config;
mod registry;

pub use config::Config;
pub use registry::{Error, Registry, check_name};

/// Who publishes a message to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publisher {
    /// Somebody by a request.
    Rest,
    /// A client of the stream, by its name.
    Client(String),
}
