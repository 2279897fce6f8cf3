//! A client of REST: one connection that is kept, and one request after the other.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail};
use socket2::{Domain, Socket, Type};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConnection, StreamOwned};

use super::certificate;
use super::daemon::Daemon;

/// A small answer, so that what comes before it counts.
const PATH: &str = "/api/v1/tasks";
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Client {
    stream: Box<dyn Stream>,
    request: String,
    buffer: Vec<u8>,
}

trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

impl Client {
    /// Connects from an address of 127.0.0.0/8.
    pub fn connect(daemon: &Daemon, from: IpAddr, token: Option<&str>) -> anyhow::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(from, 0).into())?;
        // Or else its port waits for a minute, and there are not that many.
        socket.set_linger(Some(Duration::ZERO))?;
        socket.connect(&daemon.address.into())?;
        let socket = TcpStream::from(socket);
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let stream: Box<dyn Stream> = match daemon.certificate() {
            None => Box::new(socket),
            Some(file) => {
                let name = ServerName::from(daemon.address.ip());
                let tls = ClientConnection::new(certificate::trusting(&file)?, name)?;
                Box::new(StreamOwned::new(tls, socket))
            }
        };
        let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
        let request = format!(
            "GET {PATH} HTTP/1.1\r\nHost: {}\r\n{}\r\n",
            daemon.address,
            bearer.unwrap_or_default()
        );
        Ok(Self { stream, request, buffer: vec![0; 64 << 10] })
    }

    /// One request; gives the status of the answer, which has been read to its end.
    pub fn ask(&mut self) -> anyhow::Result<u16> {
        self.stream.write_all(self.request.as_bytes())?;
        let mut kept = 0;
        loop {
            match self.stream.read(&mut self.buffer[kept..])? {
                0 => bail!("the daemon has closed the connection"),
                count => kept += count,
            }
            let bytes = &self.buffer[..kept];
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&bytes[..end])?.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.context("no length")?.trim().parse()?;
            if kept >= end + 4 + length {
                return Ok(head.split(' ').nth(1).context("no status")?.parse()?);
            }
        }
    }
}
