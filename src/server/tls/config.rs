//! `[server.tls]`: which certificate is shown to whom comes by TCP, and where its key is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::server::CredentialFile;

/// The certificate with which TCP connections speak TLS. Without one they do not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate and those between it and its authority, in PEM: the path of the file, or the
    /// name of a credential of the service (LoadCredential=). It is read again when it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", example = "/etc/gz-monitor/tls/fullchain.pem")]
    pub certificate: Option<CredentialFile>,
    /// Its private key, in PEM, in the same way. Only the daemon's user should be able to read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", example = "/etc/gz-monitor/tls/privkey.pem")]
    pub key: Option<CredentialFile>,
}

impl TlsConfig {
    /// Whether TCP connections speak TLS.
    pub fn is_on(&self) -> bool {
        self.certificate.is_some() || self.key.is_some()
    }
}
