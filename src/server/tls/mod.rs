//! TLS for what comes by TCP: the certificate, looked at before it is used, the handshake, and what
//! clients show in it.

mod certificate;
mod client_ca;
mod client_name;
mod config;
mod error;
mod handshake;
mod validity;

pub use certificate::Certificate;
pub use client_name::ClientName;
pub use config::{ClientCertificates, TlsClient, TlsConfig};
pub use error::TlsError;
pub use handshake::{Failure, Handshakes};
pub use validity::{Standing, Validity};

pub(super) use client_name::ClientCertificate;
pub(super) use handshake::accept;
