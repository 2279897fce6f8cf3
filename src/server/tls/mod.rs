//! TLS for what comes by TCP: the certificate, looked at before it is used, and the handshake.

mod certificate;
mod config;
mod error;
mod handshake;
mod validity;

pub use certificate::Certificate;
pub use config::TlsConfig;
pub use error::TlsError;
pub use handshake::{Failure, Handshakes};
pub use validity::{Standing, Validity};

pub(super) use handshake::accept;
