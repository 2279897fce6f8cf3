//! A service manager for a test: the socket that a daemon tells how it is.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tempfile::TempDir;

use crate::support::PATIENCE;

/// The receiving end of sd_notify(3).
pub struct Manager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Manager {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        Self { socket, folder }
    }

    /// What `$NOTIFY_SOCKET` is to say.
    pub fn path(&self) -> String {
        self.file("notify").display().to_string()
    }

    /// A file beside the socket.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The next message: its assignments, one a line.
    pub fn next(&self) -> String {
        self.next_within(PATIENCE).expect("a message in time")
    }

    /// The next message, if one comes within this time.
    pub fn next_within(&self, time: Duration) -> Option<String> {
        let mut buffer = [0; 4096];
        self.socket.set_read_timeout(Some(time)).expect("a time-out");
        let count = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..count].to_vec()).expect("UTF-8"))
    }

    /// The next message with a file descriptor: what is said of it, and a copy of it.
    pub fn next_with_socket(&self) -> (String, OwnedFd) {
        let mut buffer = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        loop {
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut parts = [IoSliceMut::new(&mut buffer)];
            let flags = RecvFlags::CMSG_CLOEXEC;
            let received = recvmsg(&self.socket, &mut parts, &mut control, flags);
            let count = received.expect("a message in time").bytes;
            let text = String::from_utf8(buffer[..count].to_vec()).expect("UTF-8");
            let socket = control.drain().find_map(|message| match message {
                RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
                _ => None,
            });
            if let Some(socket) = socket {
                return (text, socket);
            }
        }
    }

    /// The messages up to the first that has an assignment beginning so, that one included.
    pub fn until(&self, start: &str) -> Vec<String> {
        let mut messages = Vec::new();
        loop {
            let message = self.next();
            let found = message.lines().any(|line| line.starts_with(start));
            messages.push(message);
            if found {
                return messages;
            }
        }
    }
}
