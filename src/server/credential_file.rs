//! A file that the configuration names: by its path, or as a credential of the service.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A file: by its path, or by its name among the service's credentials (systemd.exec(5)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CredentialFile(String);

impl CredentialFile {
    /// Where it is; `None` if it is a credential and this process is given none.
    pub fn path(&self) -> Option<PathBuf> {
        if self.0.starts_with('/') {
            return Some(PathBuf::from(&self.0));
        }
        let folder = std::env::var_os("CREDENTIALS_DIRECTORY")?;
        Some(Path::new(&folder).join(&self.0))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CredentialFile {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_path = text.starts_with('/') && !text.contains('\0');
        let is_name = |name: &str| {
            let is_of_name = |c: char| c.is_ascii_alphanumeric() || "._-@:".contains(c);
            !name.is_empty() && !name.starts_with('.') && name.chars().all(is_of_name)
        };
        if is_path || is_name(&text) {
            return Ok(Self(text));
        }
        Err(format!("{text:?} is neither a path that begins with / nor the name of a credential"))
    }
}

impl From<CredentialFile> for String {
    fn from(CredentialFile(text): CredentialFile) -> Self {
        text
    }
}
