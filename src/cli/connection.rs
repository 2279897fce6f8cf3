//! A connection to a daemon, by whichever way a command reaches it.

use std::io;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::local_socket::{Target, Way};
use super::request::NoDaemon;
use super::trust::Trust;

/// A connection to a daemon.
pub(super) type Connection = Either<UnixStream, Either<TcpStream, Box<TlsStream<TcpStream>>>>;

/// Connects to the daemon at `target`.
///
/// # Errors
/// [`NoDaemon`], or why it is not believed to be one.
pub(super) async fn connect(target: &Target) -> anyhow::Result<Connection> {
    let absent = |error: io::Error| -> anyhow::Error {
        match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
                NoDaemon(target.to_string()).into()
            }
            _ => anyhow::anyhow!("cannot connect to {target}: {error}"),
        }
    };
    let (authority, trust) = match &target.way {
        Way::Socket(path) => {
            return UnixStream::connect(path).await.map(Either::Left).map_err(absent);
        }
        Way::Url { authority, trust } => (authority, trust),
    };
    // The brackets of IPv6 are of addresses in text.
    let host = authority.host().trim_matches(|c| matches!(c, '[' | ']'));
    let usual = if trust.is_some() { 443 } else { 80 };
    let port = authority.port_u16().unwrap_or(usual);
    let stream = TcpStream::connect((host, port)).await.map_err(absent)?;
    match trust {
        None => Ok(Either::Right(Either::Left(stream))),
        Some(trust) => {
            let stream = secure(stream, host, trust).await;
            let stream = stream.with_context(|| format!("no TLS with the daemon at {target}"))?;
            Ok(Either::Right(Either::Right(Box::new(stream))))
        }
    }
}

async fn secure(
    stream: TcpStream,
    host: &str,
    trust: &Trust,
) -> anyhow::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned())?;
    let connector = TlsConnector::from(Arc::new(trust.client()?));
    Ok(connector.connect(name, stream).await?)
}
