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
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

impl DaemonAddress {
    /// `http://HOST:PORT`, without a slash at the end.
    pub(super) fn resolve(&self, file: Option<PathBuf>) -> Result<String, Failure> {
        if let Some(url) = &self.url {
            return Ok(url.trim_end_matches('/').to_owned());
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
