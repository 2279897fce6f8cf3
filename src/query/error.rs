//! Why a query has no result.

/// Why a query has no result. The texts are Prometheus' own where it has the same error.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The text is no PromQL, or none that is supported. Lines and columns count from 1.
    #[error("{line}:{column}: parse error: {message}")]
    Parse { line: usize, column: usize, message: String },
    /// The text or what goes with it cannot be.
    #[error("{0}")]
    BadData(String),
    /// It cannot be worked out on these samples.
    #[error("{0}")]
    Execution(String),
    /// It took too long.
    #[error("query timed out in expression evaluation")]
    Timeout,
}

impl Error {
    pub(super) fn execution(message: impl Into<String>) -> Self {
        Self::Execution(message.into())
    }
}
