//! The names in a client's certificate, and those that the configuration lists. Pure.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::validity::timestamp;
use crate::server::auth::Fingerprint;

/// Bytes of a name; URIs are the longest.
const NAME_MAX: usize = 512;
/// Names of one certificate that are looked at.
const NAMES_MAX: usize = 100;

/// A name that the configuration lists. What it is like tells what kind of name it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientName(String);

/// A name in a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Dns(String),
    Email(String),
    Uri(String),
    /// The common name, of a certificate that has none of the others.
    Common(String),
}

/// A certificate that a client has shown, and whose signatures are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct ClientCertificate {
    pub(in crate::server) fingerprint: Fingerprint,
    pub(in crate::server) not_after: Timestamp,
    names: Vec<Name>,
}

impl ClientCertificate {
    /// What is in it; `None` if it is none.
    pub(in crate::server) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let parsed = x509_cert::Certificate::from_der(der).ok()?;
        let certificate = parsed.tbs_certificate();
        let not_after = timestamp(certificate.validity().not_after.to_unix_duration());
        let alternatives = certificate.get_extension::<SubjectAltName>().ok()?;
        let alternatives = alternatives.map(|(_, SubjectAltName(names))| names).unwrap_or_default();
        let names = alternatives.iter().filter_map(Name::alternative);
        let mut names: Vec<Name> = names.take(NAMES_MAX).collect();
        if names.is_empty() {
            let common = certificate.subject().common_name().ok().flatten();
            names.extend(common.map(|name| Name::Common(name.value().into_owned())));
        }
        let fingerprint = Fingerprint::of_bytes(der);
        Some(Self { fingerprint, not_after, names })
    }

    /// Whether it has this name.
    pub(in crate::server) fn is(&self, listed: &ClientName) -> bool {
        self.names.iter().any(|name| listed.is(name))
    }

    /// Its names, for people.
    pub(in crate::server) fn names(&self) -> String {
        let names = self.names.iter().map(|name| match name {
            Name::Dns(text) | Name::Email(text) | Name::Uri(text) | Name::Common(text) => &**text,
        });
        names.collect::<Vec<_>>().join(", ")
    }
}

impl Name {
    fn alternative(name: &GeneralName) -> Option<Self> {
        match name {
            GeneralName::DnsName(text) => Some(Self::Dns(text.to_string())),
            GeneralName::Rfc822Name(text) => Some(Self::Email(text.to_string())),
            GeneralName::UniformResourceIdentifier(text) => Some(Self::Uri(text.to_string())),
            _ => None,
        }
    }
}

impl ClientName {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it means this name. A name of one kind is never one of another, however it is written:
    /// an authority that gives anybody a mail address need not give them a host.
    fn is(&self, name: &Name) -> bool {
        let listed = self.0.as_str();
        let (is_uri, is_email) = (listed.contains(':'), listed.contains('@'));
        match name {
            Name::Dns(text) => !is_uri && !is_email && listed.eq_ignore_ascii_case(text),
            Name::Email(text) => !is_uri && is_email && is_same_mailbox(listed, text),
            Name::Uri(text) => is_uri && listed == text,
            Name::Common(text) => listed == text,
        }
    }
}

/// Of a mail address the host may be written in any case (RFC 5280 section 4.2.1.6).
fn is_same_mailbox(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((one, host)), Some((other, other_host))) => {
            one == other && host.eq_ignore_ascii_case(other_host)
        }
        _ => false,
    }
}

impl TryFrom<String> for ClientName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.contains('*') {
            return Err(format!("{text:?} has a *: patterns are not possible, write each name"));
        }
        let is_name = (1..=NAME_MAX).contains(&text.len()) && !text.contains(char::is_control);
        match is_name && text.trim() == text {
            true => Ok(Self(text)),
            false => Err(format!(
                "{text:?} is no name in a certificate: write one such as \"prometheus.example.org\", \"ops@example.org\" or \"spiffe://example.org/prometheus\""
            )),
        }
    }
}

impl From<ClientName> for String {
    fn from(ClientName(text): ClientName) -> Self {
        text
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    /// A certificate with this common name and these other names.
    fn certificate(common: &str, names: &[SanType]) -> ClientCertificate {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.to_vec();
        params.distinguished_name.push(DnType::CommonName, common);
        let key = KeyPair::generate().expect("a key");
        let made = params.self_signed(&key).expect("a certificate");
        ClientCertificate::read(made.der()).expect("it is one")
    }

    fn dns(text: &str) -> SanType {
        SanType::DnsName(text.try_into().expect("ASCII"))
    }

    fn email(text: &str) -> SanType {
        SanType::Rfc822Name(text.try_into().expect("ASCII"))
    }

    fn uri(text: &str) -> SanType {
        SanType::URI(text.try_into().expect("ASCII"))
    }

    #[test]
    fn a_name_is_of_one_kind() {
        let check = |common: &str, names: &[SanType], listed: &str, expected: bool| {
            let name = ClientName::try_from(listed.to_owned()).expect(listed);
            let certificate = certificate(common, names);
            assert_eq!(certificate.is(&name), expected, "{listed} in {}", certificate.names());
        };
        check("", &[dns("a.example"), dns("b.example")], "b.example", true);
        check("", &[dns("A.example")], "a.EXAMPLE", true);
        check("", &[dns("a.example")], "example", false);
        check("", &[dns("*.example")], "a.example", false);
        check("", &[email("ops@Example.org")], "ops@example.org", true);
        check("", &[email("Ops@example.org")], "ops@example.org", false);
        check("", &[uri("spiffe://example.org/a")], "spiffe://example.org/a", true);
        check("", &[uri("spiffe://example.org/A")], "spiffe://example.org/a", false);
        // Each in the place of another.
        check("", &[email("a.example")], "a.example", false);
        check("", &[uri("a.example")], "a.example", false);
        check("", &[dns("ops@example.org")], "ops@example.org", false);
        check("", &[dns("spiffe://example.org/a")], "spiffe://example.org/a", false);
        // The common name counts where nothing else is there to count.
        check("prometheus", &[], "prometheus", true);
        check("ops@example.org", &[], "ops@example.org", true);
        check("prometheus", &[], "Prometheus", false);
        check("prometheus", &[dns("other.example")], "prometheus", false);
        let address = SanType::IpAddress([192, 0, 2, 1].into());
        check("prometheus", &[address], "prometheus", true);
        check("", &[], "prometheus", false);
    }

    #[test]
    fn what_can_be_no_name_is_refused() {
        for text in ["", " a", "a\n", "*.example", &"a".repeat(NAME_MAX + 1)] {
            assert!(ClientName::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        assert_eq!(ClientCertificate::read(&CertificateDer::from(&b"\x30\x00"[..])), None);
    }
}
