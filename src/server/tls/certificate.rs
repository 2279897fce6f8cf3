//! A certificate with its key, looked at as a whole before a client sees it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use x509_cert::der::Decode as _;

use super::client_ca::Authorities;
use super::config::TlsConfig;
use super::error::TlsError;
use super::validity::{Standing, Validity, timestamp};
use crate::server::CredentialFile;
use crate::server::auth::Fingerprint;

/// Bytes of a file of PEM; a long chain has some ten thousand.
const FILE_MAX: u64 = 1 << 20;

/// A certificate that clients can be shown.
pub struct Certificate {
    pub(super) server: Arc<ServerConfig>,
    /// What tells the authorities of clients from others, if clients are asked for certificates.
    pub authorities: Option<Fingerprint>,
    pub validity: Validity,
    /// Where it was read from.
    pub path: PathBuf,
}

impl Certificate {
    /// Reads what `config` names; `None` if it names nothing.
    ///
    /// # Errors
    /// What is wrong with which file: it cannot be read, it is no PEM, the key belongs to another
    /// certificate, the certificate has expired.
    pub fn load(config: &TlsConfig, now: Timestamp) -> Result<Option<Self>, TlsError> {
        let (certificate, key) = match (&config.certificate, &config.key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(_), None) => return Err(alone("certificate", "key")),
            (None, Some(_)) => return Err(alone("key", "certificate")),
        };
        let (path, pem) = read("certificate", certificate)?;
        let chain = chain("certificate", &path, &pem)?;
        let validity = validity("certificate", &path, &chain[0])?;
        if validity.standing(now) == Standing::Expired {
            let text = format!("expired {}", validity.not_after);
            let hint = "renew it; gz-monitor takes up a new one by itself";
            return Err(TlsError::in_file("certificate", &path, &text, hint));
        }
        let (key_path, pem) = read("key", key)?;
        let key = private_key(&key_path, &pem)?;
        let provider = Arc::new(ring::default_provider());
        let certified = certify(chain, key, &provider, [&path, &key_path])?;
        let clients = Authorities::load(config, &provider, now)?;
        let authorities = clients.as_ref().map(|clients| clients.fingerprint);
        let server = Arc::new(server(certified, clients, provider)?);
        Ok(Some(Self { server, authorities, validity, path }))
    }
}

/// TLS 1.2 and 1.3, for HTTP/1.1 only.
fn server(
    certified: CertifiedKey,
    clients: Option<Authorities>,
    provider: Arc<CryptoProvider>,
) -> Result<ServerConfig, TlsError> {
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| TlsError {
        key: "certificate",
        message: format!("no TLS: {error}"),
        hint: None,
    })?;
    let resolver = Arc::new(SingleCertAndKey::from(certified));
    let builder = match &clients {
        Some(clients) => builder.with_client_cert_verifier(clients.verifier.clone()),
        None => builder.with_no_client_auth(),
    };
    let mut server = builder.with_cert_resolver(resolver);
    if clients.is_some() {
        // A session that is taken up again is not looked at again: its certificate may have ended.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
    }
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(server)
}

fn certify(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
    [certificate, key_path]: [&Path; 2],
) -> Result<CertifiedKey, TlsError> {
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            let text = format!("is not the key of the certificate in {}", certificate.display());
            let hint = "name the key with which the certificate was asked for";
            TlsError::in_file("key", key_path, &text, hint)
        }
        error => {
            let text = format!("cannot be used: {error}");
            let hint = "keys are RSA of 2048 bits or more, ECDSA P-256 or P-384, or Ed25519";
            TlsError::in_file("key", key_path, &text, hint)
        }
    })
}

fn alone(there: &'static str, missing: &str) -> TlsError {
    let message = format!("there is a {there} and no {missing}");
    TlsError::new(there, message, "TLS takes both")
}

pub(super) fn read(
    key: &'static str,
    file: &CredentialFile,
) -> Result<(PathBuf, Vec<u8>), TlsError> {
    let Some(path) = file.path() else {
        let message = format!("{:?} is no path, and there are no credentials", file.as_str());
        let hint =
            "write a path that begins with /, or have systemd hand it over with LoadCredential=";
        return Err(TlsError::new(key, message, hint));
    };
    let bytes = read_all(&path).map_err(|error| TlsError::unreadable(key, &path, &error))?;
    Ok((path, bytes))
}

/// What is no file, or has no end, is not waited for.
fn read_all(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(io::Error::other("it has more than 1 MiB"));
    }
    Ok(bytes)
}

pub(super) fn chain(
    key: &'static str,
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let hint = "it has to begin with -----BEGIN CERTIFICATE-----";
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let text = match chain {
        Ok(chain) if !chain.is_empty() => return Ok(chain),
        Ok(_) => "has no certificate in PEM".to_owned(),
        Err(error) => format!("is not PEM: {error}"),
    };
    Err(TlsError::in_file(key, path, &text, hint))
}

fn private_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    let is_encrypted = pem.windows(9).any(|window| window == b"ENCRYPTED");
    let (text, hint) = match PrivateKeyDer::from_pem_slice(pem) {
        Ok(key) => return Ok(key),
        Err(_) if is_encrypted => (
            "is encrypted, and nobody is there to enter a password".to_owned(),
            "take the password off with `openssl pkey`, and let nobody else read the file",
        ),
        Err(rustls::pki_types::pem::Error::NoItemsFound) => {
            ("has no private key in PEM".to_owned(), "it has to have -----BEGIN PRIVATE KEY-----")
        }
        Err(error) => {
            (format!("is not PEM: {error}"), "it has to have -----BEGIN PRIVATE KEY-----")
        }
    };
    Err(TlsError::in_file("key", path, &text, hint))
}

pub(super) fn validity(
    key: &'static str,
    path: &Path,
    certificate: &CertificateDer<'_>,
) -> Result<Validity, TlsError> {
    let parsed = x509_cert::Certificate::from_der(certificate).map_err(|error| {
        let (text, hint) = match key {
            "certificate" => ("begins with", "put the daemon's own certificate first"),
            _ => ("has", "write it anew, in PEM"),
        };
        let text = format!("{text} what is no certificate (X.509): {error}");
        TlsError::in_file(key, path, &text, hint)
    })?;
    let validity = parsed.tbs_certificate().validity();
    Ok(Validity {
        not_before: timestamp(validity.not_before.to_unix_duration()),
        not_after: timestamp(validity.not_after.to_unix_duration()),
    })
}
