//! A certificate made for the purpose, for a server to show and for clients to trust.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The names of the files.
pub const CERTIFICATE: &str = "certificate.pem";
pub const KEY: &str = "key.pem";

/// Makes one for 127.0.0.1, and puts it and its key into files of `folder`.
pub fn make(folder: &Path) -> anyhow::Result<()> {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
    fs::write(folder.join(CERTIFICATE), made.cert.pem())?;
    let key = folder.join(KEY);
    fs::write(&key, made.signing_key.serialize_pem())?;
    Ok(fs::set_permissions(&key, Permissions::from_mode(0o600))?)
}

/// How a client speaks TLS to a server that shows the certificate of this file.
pub fn trusting(certificate: &Path) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate)?)?;
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
