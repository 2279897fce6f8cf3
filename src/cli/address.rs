//! Where the daemon is that a command is to talk to.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::exit::Failure;
use crate::config::{self, Sources};
use crate::daemon::Plugins;

/// The flag that names a daemon.
#[derive(Debug, clap::Args)]
pub(super) struct DaemonAddress {
    /// The daemon's address, such as http://127.0.0.1:8080 [default: what the configuration says]
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
    /// `http://HOST:PORT`, without a slash at the end.
    pub(super) fn resolve(&self, file: Option<PathBuf>) -> Result<String, Failure> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        let sources = Sources::of_process(file, Vec::new());
        let loaded = Plugins::default().with_checks(|checks| config::load(&sources, checks));
        let server = loaded.map_err(Failure::Config)?.config.server;
        let host = match server.host {
            IpAddr::V4(address) if address.is_unspecified() => [127, 0, 0, 1].into(),
            IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(1.into()),
            address => address,
        };
        Ok(format!("http://{}", SocketAddr::new(host, server.port)))
    }
}
