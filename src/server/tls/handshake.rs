//! The handshake of one connection, within a limit, and a plain answer to who speaks plainly.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Certificate;

/// For whoever came by `http://`: what a browser or curl shows.
const PLAIN: &str = "{\"title\":\"Bad Request\",\"status\":400,\"code\":\"tls_required\",\
    \"detail\":\"This port speaks HTTPS: write https:// instead of http://.\"}";

/// Why there was no handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It took too long.
    Timeout,
    /// The client spoke HTTP without TLS.
    Plain,
    /// The client went away, does not trust the certificate, or speaks nothing that we do.
    Protocol,
}

impl Failure {
    pub const ALL: [Self; 3] = [Self::Timeout, Self::Plain, Self::Protocol];

    /// As metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Plain => "plain_http",
            Self::Protocol => "protocol",
        }
    }
}

/// Counts handshakes.
#[derive(Debug, Default)]
pub struct Handshakes {
    done: AtomicU64,
    failed: [AtomicU64; Failure::ALL.len()],
}

impl Handshakes {
    /// Those that succeeded.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Those that failed, by reason.
    pub fn failed(&self) -> [(Failure, u64); Failure::ALL.len()] {
        Failure::ALL.map(|why| (why, self.failed[why as usize].load(Ordering::Relaxed)))
    }
}

/// Has a client shake hands within `limit`; `None` if it does not, and then it is gone.
pub(in crate::server) async fn accept(
    mut stream: TcpStream,
    certificate: &Certificate,
    limit: Duration,
    handshakes: &Handshakes,
) -> Option<Box<TlsStream<TcpStream>>> {
    let acceptor = TlsAcceptor::from(certificate.server.clone());
    let attempt = async {
        if speaks_plainly(&stream).await? {
            // Who cannot take a few hundred bytes in a second gets no answer.
            let _ = timeout(Duration::from_secs(1), refuse(&mut stream)).await;
            return Ok(Err(Failure::Plain));
        }
        acceptor.accept(stream).await.map(Ok)
    };
    let outcome: Result<io::Result<_>, _> = timeout(limit, attempt).await;
    let failure = match outcome {
        Ok(Ok(Ok(stream))) => {
            handshakes.done.fetch_add(1, Ordering::Relaxed);
            return Some(Box::new(stream));
        }
        Ok(Ok(Err(failure))) => failure,
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            Failure::Protocol
        }
        Err(_) => Failure::Timeout,
    };
    handshakes.failed[failure as usize].fetch_add(1, Ordering::Relaxed);
    None
}

/// A handshake begins with 22; the methods of HTTP begin with a letter.
async fn speaks_plainly(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    let count = stream.peek(&mut first).await?;
    Ok(count > 0 && first[0].is_ascii_uppercase())
}

async fn refuse(stream: &mut TcpStream) -> io::Result<()> {
    let length = PLAIN.len();
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{PLAIN}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    // A socket that is closed with bytes unread is reset, and the answer may be lost with it.
    let mut unread = [0; 1024];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}
