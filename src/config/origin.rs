//! Where a value was said.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a value was said. Prints as `FILE:LINE`, the variable, the flag, or `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said it.
    Default,
    /// A file; the line counts from 1 and is absent where the whole file is meant.
    File { path: Arc<Path>, line: Option<usize> },
    /// An environment variable, by its name.
    Environment(Arc<str>),
    /// A flag on the command line, as it is written there: `--port`.
    Flag(Arc<str>),
}

impl Origin {
    /// The whole file at `path`.
    pub fn file(path: impl Into<Arc<Path>>) -> Self {
        Self::File { path: path.into(), line: None }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}
