//! What is on its way to a client: frames, written as one piece.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::server::socket::WriteHalf;

/// Frames that wait for the socket.
pub(super) struct Outgoing {
    writer: WriteHalf,
    frames: Vec<u8>,
    messages: u64,
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

impl Outgoing {
    pub(super) fn new(writer: WriteHalf) -> Self {
        Self { writer, frames: Vec::new(), messages: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Adds the frame of a message.
    pub(super) fn push(&mut self, frame: &[u8]) {
        self.frames.extend_from_slice(frame);
        self.messages += 1;
    }

    /// Adds a frame that is no message.
    pub(super) fn push_control(&mut self, frame: &[u8]) {
        self.frames.extend_from_slice(frame);
    }

    /// Writes all there is. The limit is on progress: a slow client is not a dead one.
    ///
    /// # Errors
    /// The socket's, and `TimedOut`.
    pub(super) async fn flush(&mut self, limit: Duration) -> io::Result<Sent> {
        let mut rest = &self.frames[..];
        while !rest.is_empty() {
            let count = timeout(limit, self.writer.write(rest)).await??;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            rest = &rest[count..];
        }
        // TLS keeps records back while the socket takes none.
        timeout(limit, self.writer.flush()).await??;
        let sent = Sent { messages: self.messages, bytes: self.frames.len() as u64 };
        // Most of the time a client is owed nothing: its memory goes to others meanwhile.
        (self.frames, self.messages) = (Vec::new(), 0);
        Ok(sent)
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// The socket's.
    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        self.writer.shutdown().await
    }
}
