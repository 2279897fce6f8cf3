//! Where the daemon is that a command is to talk to.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::exit::Failure;
use super::local_socket::{self, Target};
use crate::config::{self, Sources};

/// The flag that names a daemon.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct DaemonAddress {
    /// The daemon's address, such as http://127.0.0.1:8080 [default: the socket of the daemon that
    /// systemd runs, else what the configuration says]
    #[arg(long, value_name = "URL", value_parser = origin)]
    url: Option<String>,
}

/// `http://HOST:PORT` of an address, which may end in a slash.
fn origin(text: &str) -> Result<String, String> {
    let uri: Option<http::Uri> = text.parse().ok();
    let uri = uri.filter(|uri| uri.scheme_str() == Some("http") && uri.path() == "/");
    let authority = uri.as_ref().and_then(http::Uri::authority);
    let authority = authority.ok_or("write http://HOST:PORT")?;
    Ok(format!("http://{authority}"))
}

impl DaemonAddress {
    /// Whether somebody has said where.
    pub(super) fn is_named(&self) -> bool {
        self.url.is_some()
    }

    /// The address that was said.
    pub(super) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Where the daemon is. The configuration is asked last: somebody may just be changing it.
    pub(super) fn resolve(&self, file: Option<PathBuf>) -> Result<Target, Failure> {
        if let Some(url) = &self.url {
            return Ok(Target::Url(url.clone()));
        }
        // A file that was named says where its daemon is.
        if file.is_none()
            && let Some(socket) = local_socket::find()
        {
            return Ok(Target::Socket(socket));
        }
        let sources = Sources::of_process(file, Vec::new());
        let loaded = config::load_without_plugins(&sources);
        let server = loaded.map_err(Failure::Config)?.config.server;
        let address = reachable(SocketAddr::new(server.host, server.port));
        Ok(Target::Url(format!("http://{address}")))
    }
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
