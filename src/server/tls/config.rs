//! `[server.tls]`: which certificate is shown to whom comes by TCP, and where its key is.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The certificate with which TCP connections speak TLS. Without one they do not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate and those between it and its authority, in PEM: the path of the file, or the
    /// name of a credential of the service (LoadCredential=). It is read again when it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", example = "/etc/gz-monitor/tls/fullchain.pem")]
    pub certificate: Option<CertificateFile>,
    /// Its private key, in PEM, in the same way. Only the daemon's user should be able to read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", example = "/etc/gz-monitor/tls/privkey.pem")]
    pub key: Option<CertificateFile>,
}

impl TlsConfig {
    /// Whether TCP connections speak TLS.
    pub fn is_on(&self) -> bool {
        self.certificate.is_some() || self.key.is_some()
    }
}

/// A file: by its path, or by its name among the service's credentials (systemd.exec(5)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CertificateFile(String);

impl CertificateFile {
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

impl TryFrom<String> for CertificateFile {
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

impl From<CertificateFile> for String {
    fn from(CertificateFile(text): CertificateFile) -> Self {
        text
    }
}
