//! Why a collector has no samples, in the classes that a host treats differently.

use std::io;

/// What `init` and `collect` return.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// Why a call gave no samples, or not all of them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to report on this machine or at this moment. Not a failure.
    #[error("no data: {0}")]
    NoData(String),
    /// The configuration cannot work. Not retried before it changes.
    #[error("configuration: {0}")]
    Config(String),
    /// What is measured cannot be reached now. Retried with backoff.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The collector met something it does not understand. Retried with backoff.
    #[error("{0}")]
    Internal(String),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Unavailable(error.to_string())
    }
}
