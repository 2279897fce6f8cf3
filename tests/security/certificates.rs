//! Certificates for tests, and TLS clients that look at them.

use std::path::Path;
use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, crypto};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Builder, Daemon, daemon};
use crate::{Answered, exchange, request};

/// A certificate of this machine's own, and its key, in PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Pair {
    /// One for localhost, valid from `before` days ago to `after` days from now.
    pub fn new(before: i64, after: i64) -> Self {
        let names = ["localhost", "127.0.0.1", "monitor.example"].map(str::to_owned);
        let mut params = CertificateParams::new(names).expect("names");
        let day = |days: i64| {
            let day = Timestamp::now().to_zoned(TimeZone::UTC).saturating_add(days.days());
            date_time_ymd(day.year().into(), day.month() as u8, day.day() as u8)
        };
        (params.not_before, params.not_after) = (day(-before), day(after));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Puts both where [`config`] says.
    pub fn write(&self, folder: &Path) {
        std::fs::write(folder.join("tls.pem"), &self.certificate).expect("a file");
        std::fs::write(folder.join("tls.key"), &self.key).expect("a file");
    }

    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("PEM")
    }
}

/// A configuration with the certificate in `folder`; `more` is of `[server]`.
pub fn config(folder: &Path, more: &str) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    let (certificate, key) = (path("tls.pem"), path("tls.key"));
    format!("[server]\n{more}\n[server.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n")
}

/// A daemon that speaks TLS with `pair`, to be started.
pub fn secured(pair: &Pair, more: &str) -> Builder {
    let builder = daemon();
    pair.write(builder.path());
    let config = config(builder.path(), more);
    builder.config(&config)
}

/// What a client offers.
pub struct Offer {
    pub versions: &'static [&'static SupportedProtocolVersion],
    pub protocols: &'static [&'static str],
    pub client: Option<Owned>,
}

/// An authority of clients.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

/// A client's certificate, and its key.
#[derive(Clone)]
pub struct Owned {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate with this DNS name, good for a day.
    pub fn client(&self, name: &str) -> Owned {
        self.client_until(name, Timestamp::now().as_second() + 86_400)
    }

    /// The same, good until this second of the calendar.
    pub fn client_until(&self, name: &str, end: i64) -> Owned {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::DnsName(name.try_into().expect("ASCII"))];
        let since_1970 = std::time::Duration::from_secs(end.unsigned_abs());
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(1970, 1, 1) + since_1970;
        let key = KeyPair::generate().expect("a key");
        let made = params.signed_by(&key, &self.issuer).expect("a certificate");
        Owned { certificate: made.der().clone(), key: key.serialize_der() }
    }
}

impl Default for Offer {
    fn default() -> Self {
        Self { versions: rustls::ALL_VERSIONS, protocols: &["http/1.1"], client: None }
    }
}

/// Shakes hands, trusting `pair` alone.
pub async fn shake(
    daemon: &Daemon,
    pair: &Pair,
    offer: Offer,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(pair.der()).expect("a certificate");
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(offer.versions).expect("versions");
    let builder = builder.with_root_certificates(roots);
    let mut client = match offer.client {
        None => builder.with_no_client_auth(),
        Some(Owned { certificate, key }) => {
            let key = PrivateKeyDer::try_from(key).expect("a key");
            builder.with_client_auth_cert(vec![certificate], key).expect("a certificate")
        }
    };
    client.alpn_protocols = offer.protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(daemon.address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(client)).connect(name, stream).await
}

/// A connection by TLS.
pub async fn connect(daemon: &Daemon, pair: &Pair) -> TlsStream<TcpStream> {
    shake(daemon, pair, Offer::default()).await.expect("a handshake")
}

/// The same, showing a certificate.
pub async fn connect_as(daemon: &Daemon, pair: &Pair, client: &Owned) -> TlsStream<TcpStream> {
    let offer = Offer { client: Some(client.clone()), ..Offer::default() };
    shake(daemon, pair, offer).await.expect("a handshake")
}

/// Asks by TLS.
pub async fn ask_securely(daemon: &Daemon, pair: &Pair, method: &str, path: &str) -> Answered {
    let host = daemon.address.to_string();
    let mut stream = connect(daemon, pair).await;
    exchange(&mut stream, &request(method, path, &[("Host", &host)])).await
}

/// The version that was agreed on.
pub fn version(stream: &TlsStream<TcpStream>) -> Option<ProtocolVersion> {
    stream.get_ref().1.protocol_version()
}
