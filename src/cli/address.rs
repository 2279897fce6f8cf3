//! Where the daemon is that a command is to talk to.

use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Once;

use http::uri::{Authority, Scheme};

use super::exit::Failure;
use super::local_socket::{self, Target, Way};
use super::own_token::Identity;
use super::trust::Trust;
use crate::config::{self, Sources};
use crate::server;

/// The flags that name a daemon.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct DaemonAddress {
    /// The daemon's address, such as http://127.0.0.1:8080 [default: the socket of the daemon that
    /// systemd runs, else what the configuration says]
    #[arg(long, value_name = "URL", value_parser = address)]
    url: Option<Address>,
    /// Believe a daemon that speaks TLS by these certificates, in PEM: of authorities, or its own
    /// [default: the configured one, or with --url the authorities of this machine]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Show the daemon the token in this file [default: $GZ_MONITOR_TOKEN, else, with an address,
    /// ~/.config/gz-monitor/token]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Say which daemon is asked, and as whom
    #[arg(short, long)]
    verbose: bool,
}

/// `http://HOST:PORT`, or `https`.
#[derive(Debug, Clone)]
struct Address {
    /// Without a slash at the end.
    text: String,
    authority: Authority,
    is_secure: bool,
}

/// An address may end in a slash.
fn address(text: &str) -> Result<Address, String> {
    let uri: Option<http::Uri> = text.parse().ok();
    let uri = uri.filter(|uri| uri.path() == "/" && uri.query().is_none());
    let parts = uri.map(http::Uri::into_parts);
    let parts = parts.and_then(|parts| Some((parts.scheme?, parts.authority?)));
    match parts {
        Some((scheme, authority)) if scheme == Scheme::HTTP || scheme == Scheme::HTTPS => {
            let text = format!("{scheme}://{authority}");
            Ok(Address { text, authority, is_secure: scheme == Scheme::HTTPS })
        }
        _ => Err("write http://HOST:PORT or https://HOST:PORT".to_owned()),
    }
}

impl DaemonAddress {
    /// Whether somebody has said where.
    pub(super) fn is_named(&self) -> bool {
        self.url.is_some()
    }

    /// The address that was said.
    pub(super) fn url(&self) -> Option<&str> {
        self.url.as_ref().map(|address| address.text.as_str())
    }

    /// Where the daemon is, and who asks it.
    pub(super) fn resolve(&self, file: Option<PathBuf>) -> Result<Target, Failure> {
        let way = self.way(file)?;
        let identity = Identity::find(self.token_file.as_deref(), &way)?;
        let target = Target { way, identity };
        if self.verbose {
            // Whoever asks again and again need not say so each time.
            static SAID: Once = Once::new();
            let text = format!("gz-monitor: asking {target} {}", target.identity);
            // Where nobody reads standard error it is not missed.
            SAID.call_once(|| drop(writeln!(io::stderr().lock(), "{text}")));
        }
        Ok(target)
    }

    /// The configuration is asked last: somebody may just be changing it.
    fn way(&self, file: Option<PathBuf>) -> Result<Way, Failure> {
        let given = self.ca.clone().map(Trust::File);
        if let Some(Address { authority, is_secure, .. }) = &self.url {
            let trust = is_secure.then(|| given.unwrap_or(Trust::System));
            return Ok(Way::Url { authority: authority.clone(), trust });
        }
        // A file that was named says where its daemon is.
        if file.is_none()
            && let Some(socket) = local_socket::find()
        {
            return Ok(Way::Socket(socket));
        }
        let sources = Sources::of_process(file, Vec::new());
        let loaded = config::load_without_plugins(&sources);
        let server = loaded.map_err(Failure::Config)?.config.server;
        let address = reachable(SocketAddr::new(server.host, server.port));
        let authority = address.to_string().parse::<Authority>().map_err(anyhow::Error::from)?;
        let trust = server.tls.is_on().then(|| given.unwrap_or_else(|| configured(&server)));
        Ok(Way::Url { authority, trust })
    }
}

/// The certificate that the daemon was told to show.
fn configured(server: &server::Config) -> Trust {
    let file = server.tls.certificate.as_ref();
    // A credential is the daemon's alone; its name at least tells what is missing.
    let path = file.map(|file| file.path().unwrap_or_else(|| file.as_str().into()));
    path.map_or(Trust::System, Trust::File)
}

/// Where a daemon that listens on `address` is reached from this machine: an address that means any
/// is none that a client can connect to.
pub(super) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let is_v4 = address.is_ipv4();
        address.set_ip(if is_v4 { [127, 0, 0, 1].into() } else { IpAddr::V6(1.into()) });
    }
    address
}
