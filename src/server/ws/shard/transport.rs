//! A client's connection as bytes, whatever it is made of. Nothing here waits.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;

use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use socket2::SockRef;
use tokio_util::either::Either;

use super::tls::Tls;
use crate::server::socket::{Accepted, Stream};

/// What the kernel takes beyond what it can send: else it keeps megabytes for a client that does not
/// read, and a message waits behind them.
const NOTSENT_BYTES: u32 = 64 << 10;

/// A connection.
pub(in crate::server) enum Transport {
    Plain(Socket),
    Tls(Box<Tls>),
}

/// A socket that does not block.
pub(in crate::server) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Takes a socket away from tokio.
    fn new(stream: Accepted) -> io::Result<Self> {
        match stream {
            Either::Left(stream) => {
                let stream = TcpStream::from_std(stream.into_std()?);
                // Without it, it only costs more memory.
                let _ = SockRef::from(&stream).set_tcp_notsent_lowat(NOTSENT_BYTES);
                Ok(Socket::Tcp(stream))
            }
            Either::Right(stream) => Ok(Socket::Unix(UnixStream::from_std(stream.into_std()?))),
        }
    }

    pub(super) fn shutdown(&self) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Socket::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }
}

impl io::Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(buffer),
            Socket::Unix(stream) => stream.read(buffer),
        }
    }
}

impl io::Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write(bytes),
            Socket::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport {
    /// Takes over a connection. What a session of TLS has received already is read first.
    pub(in crate::server) fn new(stream: Stream) -> io::Result<Self> {
        Ok(match stream {
            Either::Left(Either::Left(stream)) => {
                Transport::Plain(Socket::new(Either::Left(stream))?)
            }
            Either::Left(Either::Right(stream)) => {
                let (stream, session) = stream.into_inner();
                Transport::Tls(Box::new(Tls::new(Socket::new(Either::Left(stream))?, session)))
            }
            Either::Right(stream) => Transport::Plain(Socket::new(Either::Right(stream))?),
        })
    }

    fn socket_mut(&mut self) -> &mut Socket {
        match self {
            Transport::Plain(socket) => socket,
            Transport::Tls(tls) => tls.socket_mut(),
        }
    }

    /// Has `registry` tell of changes.
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        match self.socket_mut() {
            Socket::Tcp(stream) => registry.register(stream, token, both),
            Socket::Unix(stream) => registry.register(stream, token, both),
        }
    }

    /// Reads what is there.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match self {
                Transport::Plain(socket) => socket.read(buffer),
                Transport::Tls(tls) => tls.read(buffer),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Writes what there is room for.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let written = match self {
                Transport::Plain(socket) => socket.write(bytes),
                Transport::Tls(tls) => tls.write(bytes),
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => return written,
            }
        }
    }

    /// Writes what was taken and not written; whether nothing of that is left.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        match self {
            Transport::Plain(_) => Ok(true),
            Transport::Tls(tls) => tls.flush(),
        }
    }

    /// Whether nothing is left that was taken and not written.
    pub(super) fn is_flushed(&self) -> bool {
        match self {
            Transport::Plain(_) => true,
            Transport::Tls(tls) => tls.is_flushed(),
        }
    }

    /// Says that nothing more comes.
    pub(super) fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Transport::Plain(socket) => socket.shutdown(),
            Transport::Tls(tls) => tls.shutdown(),
        }
    }
}
