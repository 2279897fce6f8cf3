//! Secrets: what only their owner knows, and what is kept of them instead.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// What a token begins with, so that programs that look for secrets in repositories and logs know it.
const PREFIX: &str = "gzm_";
/// Bytes of chance.
const CHANCE: usize = 32;
/// No secret is longer; one that is need not be looked at.
pub(super) const LENGTH_MAX: usize = 128;

/// A token, or the name of a session. It is shown where somebody asks for that in so many words.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// What is kept of a secret: its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; CHANCE]);

impl Secret {
    /// A new one, of 256 random bits.
    ///
    /// # Errors
    /// If the system has no random numbers to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut chance = [0; CHANCE];
        getrandom::fill(&mut chance)?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(chance))))
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Fingerprint {
    /// That of a text that somebody says is a secret.
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// That of a certificate.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    #[cfg(test)]
    pub(in crate::server) const fn filled(byte: u8) -> Self {
        Self([byte; CHANCE])
    }

    /// Whether both are the same, in a time that does not tell how much of them is.
    pub(super) fn is(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong = "a SHA-256 has 64 digits from 0 to f";
        if text.len() != 2 * CHANCE || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong);
        }
        let mut bytes = [0; CHANCE];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = str::from_utf8(digits).map_err(|_| wrong)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_256_bits_of_chance_and_does_not_show_itself() {
        let (one, other) = (Secret::random().expect("chance"), Secret::random().expect("chance"));
        assert_ne!(one, other);
        let letters = one.expose().strip_prefix(PREFIX).expect("the prefix");
        assert_eq!(URL_SAFE_NO_PAD.decode(letters).expect("base64").len(), 32);
        // A subprotocol of WebSocket may have no other signs (RFC 9110 section 5.6.2).
        assert!(one.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        assert_eq!(format!("{one:?}"), "Secret(…)");
    }

    #[test]
    fn a_fingerprint_is_the_sha_256() {
        // FIPS 180-4, the example of one block.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let fingerprint = Fingerprint::of("abc");
        assert_eq!(fingerprint.to_string(), known);
        assert_eq!(Fingerprint::try_from(known.to_owned()), Ok(fingerprint));
        assert!(bool::from(fingerprint.is(&Fingerprint::of("abc"))));
        assert!(!bool::from(fingerprint.is(&Fingerprint::of("abd"))));
        for text in ["", "ba78", &known.replace('b', "g"), &format!("{known}00"), "é"] {
            assert!(Fingerprint::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
