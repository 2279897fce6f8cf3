//! Whom a receiver has to be to be believed, over TLS.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::file;

/// TLS with whoever the authorities of this machine vouch for, or those in the file.
///
/// # Errors
/// What is wrong with the file.
pub(super) async fn client(ca: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(ca) => {
            let pem = file::read(ca).await.map_err(|error| format!("ca: {error}"))?;
            let certificates = CertificateDer::pem_slice_iter(&pem).flatten();
            let (added, _) = roots.add_parsable_certificates(certificates);
            if added == 0 {
                return Err(format!("ca: {} has no certificate in PEM", ca.display()));
            }
        }
        None => {
            let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
            let found = found.map_err(|_| "the certificates of this machine were not read")?;
            roots.add_parsable_certificates(found.certs);
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder =
        builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
