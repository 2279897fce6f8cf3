//! Why a certificate cannot be used, and what to do about it.

use std::io;
use std::path::Path;

/// Why a certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", .hint.map(|hint| format!("; {hint}")).unwrap_or_default())]
pub struct TlsError {
    /// The key of `[server.tls]` to blame.
    pub key: &'static str,
    /// What is wrong with which file.
    pub message: String,
    /// What to do.
    pub hint: Option<&'static str>,
}

impl TlsError {
    pub(super) fn new(key: &'static str, message: impl Into<String>, hint: &'static str) -> Self {
        Self { key, message: message.into(), hint: Some(hint) }
    }

    pub(super) fn unreadable(key: &'static str, path: &Path, error: &io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => Some("write where the file is, in PEM"),
            io::ErrorKind::PermissionDenied => Some(
                "let the daemon's user read it, or hand it over with LoadCredential= and name the credential",
            ),
            _ => None,
        };
        Self { key, message: format!("cannot read {}: {error}", path.display()), hint }
    }

    pub(super) fn in_file(key: &'static str, path: &Path, text: &str, hint: &'static str) -> Self {
        Self::new(key, format!("{} {text}", path.display()), hint)
    }
}
