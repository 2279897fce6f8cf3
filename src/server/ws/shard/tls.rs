//! TLS over a socket that does not block, once the handshake is done.

use std::io::{self, Read as _, Write as _};

use rustls::ServerConnection;

use super::transport::Socket;

/// What is encrypted ahead of the socket: a client that does not read costs no more.
const AHEAD_BYTES: usize = 64 << 10;

/// An encrypted connection.
pub(in crate::server) struct Tls {
    socket: Socket,
    session: ServerConnection,
    /// The other side will send nothing more, properly or not.
    is_over: bool,
}

impl Tls {
    /// Goes on with a session whose handshake is done. What it has received already is read first.
    pub(super) fn new(socket: Socket, mut session: ServerConnection) -> Self {
        session.set_buffer_limit(Some(AHEAD_BYTES));
        Self { socket, session, is_over: false }
    }

    pub(super) fn socket_mut(&mut self) -> &mut Socket {
        &mut self.socket
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                // A client that closes without saying so in TLS closes all the same: in WebSocket.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !self.is_over => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
                read => return read,
            }
            if self.session.read_tls(&mut self.socket)? == 0 {
                self.is_over = true;
            }
            if let Err(error) = self.session.process_new_packets() {
                // The other side is to know why; whether it hears that is its affair.
                let _ = self.flush();
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
            // An answer of TLS itself, such as new keys.
            self.flush()?;
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        while self.flush()? && taken < bytes.len() {
            taken += self.session.writer().write(&bytes[taken..])?;
        }
        match taken {
            0 if !bytes.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            taken => Ok(taken),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<bool> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    pub(super) fn is_flushed(&self) -> bool {
        !self.session.wants_write()
    }

    pub(super) fn shutdown(&mut self) -> io::Result<()> {
        self.session.send_close_notify();
        self.flush()?;
        self.socket.shutdown()
    }
}
