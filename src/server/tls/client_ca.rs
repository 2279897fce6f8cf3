//! The authorities whose certificates clients may show, and what looks at them.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::certificate::{chain, read, validity};
use super::config::{ClientCertificates, TlsConfig};
use super::error::TlsError;
use super::validity::Standing;
use crate::server::auth::Fingerprint;

const KEY: &str = "client_ca";

/// What looks at clients' certificates.
pub(super) struct Authorities {
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
    /// What tells these from others.
    pub(super) fingerprint: Fingerprint,
}

impl Authorities {
    /// Reads those that `config` names; `None` if it names none.
    ///
    /// # Errors
    /// What is wrong with the file: it cannot be read, has none in PEM, or all have expired.
    pub(super) fn load(
        config: &TlsConfig,
        provider: &Arc<CryptoProvider>,
        now: Timestamp,
    ) -> Result<Option<Self>, TlsError> {
        let Some(file) = &config.client_ca else { return Ok(None) };
        let (path, pem) = read(KEY, file)?;
        let all = chain(KEY, &path, &pem)?;
        let roots = Arc::new(roots(&path, &all, now)?);
        let builder = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
        let builder = match config.client_certificates {
            ClientCertificates::Optional => builder.allow_unauthenticated(),
            ClientCertificates::Required => builder,
        };
        let verifier = builder.build().map_err(|error| {
            let text = format!("cannot be used: {error}");
            TlsError::in_file(KEY, &path, &text, "put the certificate of the authority there")
        })?;
        let bytes: Vec<u8> = all.iter().flat_map(|one| one.as_ref()).copied().collect();
        Ok(Some(Self { verifier, fingerprint: Fingerprint::of_bytes(&bytes) }))
    }
}

/// Those that are in force. One that has expired is left out: nobody else looks at that later.
fn roots(
    path: &Path,
    all: &[CertificateDer<'static>],
    now: Timestamp,
) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let mut last = None;
    for one in all {
        let validity = validity(KEY, path, one)?;
        if validity.standing(now) == Standing::Expired {
            last = last.max(Some(validity.not_after));
            continue;
        }
        roots.add(one.clone()).map_err(|error| {
            let text = format!("has a certificate that cannot be used: {error}");
            TlsError::in_file(KEY, path, &text, "put the certificates of authorities there")
        })?;
    }
    match last {
        Some(last) if roots.is_empty() => {
            let text = format!("has nothing but what has expired, the last {last}");
            Err(TlsError::in_file(KEY, path, &text, "put the authority's new certificate there"))
        }
        _ => Ok(roots),
    }
}
