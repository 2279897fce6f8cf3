//! The socket of a client: plain, or TLS over it.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SendFlags, SocketFlags, SocketType};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection};

pub struct Socket {
    plain: Plain,
    tls: Option<Box<ClientConnection>>,
}

struct Plain(OwnedFd);

impl Socket {
    /// Connects from an address; what is sent waits for the handshake of TLS.
    pub fn connect(
        server: SocketAddr,
        from: IpAddr,
        tls: Option<&Arc<ClientConfig>>,
    ) -> anyhow::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        net::bind(&socket, &SocketAddr::new(from, 0))?;
        net::connect(&socket, &server)?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        let name = ServerName::from(server.ip());
        let tls = tls.map(|config| ClientConnection::new(config.clone(), name)).transpose()?;
        Ok(Self { plain: Plain(socket), tls: tls.map(Box::new) })
    }

    /// Reads what is there; as of a plain socket, 0 is its end.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.plain.read(buffer) };
        tls.read_tls(&mut self.plain)?;
        tls.process_new_packets().map_err(io::Error::other)?;
        while tls.wants_write() {
            tls.write_tls(&mut self.plain)?;
        }
        tls.reader().read(buffer)
    }

    /// What a client sends is short, so that the kernel takes it at once.
    pub fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let Some(tls) = &mut self.tls else {
            let sent = self.plain.write(bytes)?;
            ensure!(sent == bytes.len(), "the server reads nothing");
            return Ok(());
        };
        tls.writer().write_all(bytes)?;
        while tls.wants_write() {
            tls.write_tls(&mut self.plain).context("the server reads nothing")?;
        }
        Ok(())
    }
}

impl Read for Plain {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        rustix::io::read(&self.0, buffer).map_err(io::Error::from)
    }
}

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        net::send(&self.0, bytes, SendFlags::NOSIGNAL).map_err(Errno::into)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.plain.0.as_fd()
    }
}
