//! `[server.tls]`: which certificate is shown to whom comes by TCP, where its key is, and which
//! certificates of clients are good for what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::client_name::ClientName;
use crate::server::CredentialFile;
use crate::server::auth::Role;

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
    /// The authorities whose certificates clients may show, in PEM, in the same way. Without them no
    /// client is asked for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", example = "/etc/gz-monitor/tls/clients.pem")]
    pub client_ca: Option<CredentialFile>,
    /// Whether a client has to show one: with "required" there is no handshake without.
    pub client_certificates: ClientCertificates,
    /// Who may do what by the name in their certificate, without a token. As soon as there is one of
    /// these, everybody else is asked for a token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client: Vec<TlsClient>,
}

/// Whether a client has to show a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// It may show one.
    #[default]
    Optional,
    /// There is no handshake without.
    Required,
}

/// What the owner of a certificate may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsClient {
    /// A name in the certificate: a DNS name, a mail address or a URI among its alternative names.
    /// Where it has none of these, the common name of its subject.
    #[schemars(with = "String", example = "prometheus.example.org")]
    pub name: ClientName,
    /// What whoever shows it may do.
    pub role: Role,
    /// The groups whose messages they may see and send; all of them if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
}

impl TlsConfig {
    /// Whether TCP connections speak TLS.
    pub fn is_on(&self) -> bool {
        self.certificate.is_some() || self.key.is_some()
    }
}
