//! Why a collector has no samples, in the classes that a host treats differently.

use std::io;
use std::num::{ParseFloatError, ParseIntError};

use gz_monitor_abi::Status;

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

/// A text for people is the least that an error has: `ok_or("no such line")?`.
impl From<String> for Error {
    fn from(text: String) -> Self {
        Error::Internal(text)
    }
}

impl From<&str> for Error {
    fn from(text: &str) -> Self {
        Error::Internal(text.to_owned())
    }
}

impl From<ParseIntError> for Error {
    fn from(error: ParseIntError) -> Self {
        Error::Internal(error.to_string())
    }
}

impl From<ParseFloatError> for Error {
    fn from(error: ParseFloatError) -> Self {
        Error::Internal(error.to_string())
    }
}

impl Error {
    /// The class as the plugin interface has it.
    pub(crate) fn status(&self) -> Status {
        match self {
            Error::NoData(_) => Status::NO_DATA,
            Error::Config(_) => Status::ERR_CONFIG,
            Error::Unavailable(_) => Status::ERR_UNAVAILABLE,
            Error::Internal(_) => Status::ERR_INTERNAL,
        }
    }

    /// The text without the class, which travels beside it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Error::NoData(text)
            | Error::Config(text)
            | Error::Unavailable(text)
            | Error::Internal(text) => text,
        }
    }
}
