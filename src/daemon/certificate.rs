//! Takes up a renewed certificate by itself, and tells of one that ends soon.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::server::{App, Certificate, CredentialFile, TlsConfig, TlsError};

/// How often the files are looked at. What has changed is read once it stands still for as long,
/// because a certificate and its key are two files.
pub(super) const INTERVAL: Duration = Duration::from_secs(5);

/// Whoever has not renewed a certificate is told once a day.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(86_400);

/// The certificate of a daemon, and its files.
pub(super) struct CertificateKeeper {
    app: App,
    config: TlsConfig,
    /// The files when they were last read, well or not; and when they were last looked at.
    read: Stamp,
    seen: Stamp,
    refused: Option<String>,
    warned: Option<(Instant, String)>,
}

/// What tells whether the files have changed: device, inode, length and time of each.
type Stamp = [Option<(u64, u64, u64, i64, i64)>; 3];

impl CertificateKeeper {
    /// Has clients shown what `config` names.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub(super) fn start(app: App, config: &TlsConfig) -> Result<Self, TlsError> {
        let config = config.clone();
        let mut keeper = Self {
            app,
            config,
            read: Stamp::default(),
            seen: Stamp::default(),
            refused: None,
            warned: None,
        };
        let loaded = keeper.load(&keeper.config.clone())?;
        keeper.adopt(loaded);
        Ok(keeper)
    }

    /// Reads what `config` names; it is in force once it is given to [`Self::adopt`].
    pub(super) fn load(&self, config: &TlsConfig) -> Result<Loaded, TlsError> {
        // Before the files are read: what changes meanwhile is seen as a change.
        let stamp = stamp(config);
        let certificate = Certificate::load(config, Timestamp::now())?;
        Ok(Loaded { config: config.clone(), stamp, certificate })
    }

    /// Has new clients shown this. Gives what has changed, as a reload tells it: by its key, what it
    /// was and what it is.
    pub(super) fn adopt(&mut self, loaded: Loaded) -> Vec<(&'static str, [Option<String>; 2])> {
        let Loaded { config, stamp, certificate } = loaded;
        let (before, now) = (self.app.certificate(), certificate.as_ref());
        let end = |one: &Certificate| format!("valid until {}", one.validity.not_after);
        let ends = [before.as_deref().map(end), now.map(end)];
        let print = |one: &Certificate| Some(format!("SHA-256 {}", one.authorities?));
        let prints = [before.as_deref().and_then(print), now.and_then(print)];
        let told = [("server.tls.certificate", ends), ("server.tls.client_ca", prints)];
        self.app.adopt_certificate(certificate);
        (self.config, self.read, self.seen) = (config, stamp, stamp);
        self.refused = None;
        told.into_iter().filter(|(_, [before, now])| before != now).collect()
    }

    /// Looks whether the files have changed, and takes up what is in them. Gives what is to be said
    /// about the certificate as it now is.
    pub(super) async fn look(&mut self) -> Option<String> {
        if self.config.is_on() {
            let config = self.config.clone();
            let now = tokio::task::spawn_blocking(move || stamp(&config)).await.unwrap_or_default();
            let stands_still = now == self.seen;
            self.seen = now;
            if now != self.read && stands_still {
                self.read = now;
                self.read_again().await;
            }
        }
        let certificate = self.app.certificate()?;
        let concern = certificate.validity.concern(Timestamp::now());
        let concern = self.refused.clone().or(concern);
        self.warn(concern.as_deref());
        concern
    }

    async fn read_again(&mut self) {
        let config = self.config.clone();
        let read = move || Certificate::load(&config, Timestamp::now());
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(Some(certificate))) => {
                let (file, not_after) =
                    (certificate.path.display(), certificate.validity.not_after);
                tracing::info!(name: "certificate_taken_up", %file, %not_after, "the TLS certificate has changed");
                self.app.adopt_certificate(Some(certificate));
                self.refused = None;
            }
            Ok(Err(error)) => {
                let text = format!("the new TLS certificate is not taken up: {error}");
                self.refused = Some(text);
            }
            Ok(Ok(None)) | Err(_) => {}
        }
    }

    fn warn(&mut self, concern: Option<&str>) {
        let Some(text) = concern else {
            self.warned = None;
            return;
        };
        let is_told = self.warned.as_ref().is_some_and(|(at, told)| {
            // The days that are left are no news.
            let is_same = told.split(|c: char| c.is_ascii_digit()).next()
                == text.split(|c: char| c.is_ascii_digit()).next();
            is_same && at.elapsed() < BETWEEN_WARNINGS
        });
        if !is_told {
            tracing::warn!(name: "certificate_trouble", "{text}");
            self.warned = Some((Instant::now(), text.to_owned()));
        }
    }
}

/// A certificate that was read, and is not in force.
pub(super) struct Loaded {
    config: TlsConfig,
    stamp: Stamp,
    certificate: Option<Certificate>,
}

fn stamp(config: &TlsConfig) -> Stamp {
    [&config.certificate, &config.key, &config.client_ca].map(|file| {
        let path = file.as_ref().and_then(CredentialFile::path)?;
        let meta = fs::metadata(path).ok()?;
        Some((meta.dev(), meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))
    })
}
