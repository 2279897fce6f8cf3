//! The journal: whether our standard error is it, and its native protocol
//! (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).

use std::io;
use std::os::linux::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use rustix::net::sockopt::set_socket_send_buffer_size;

const SOCKET: &str = "/run/systemd/journal/socket";

/// Bytes that may be on their way to journald, as far as the kernel lets us; sd-journal asks for as
/// many.
const SEND_BUFFER_BYTES: usize = 8 << 20;

/// Bytes of one value; the rest is cut off.
const VALUE_BYTES_MAX: usize = 16 << 10;

/// Bytes of an entry, well below what a datagram can hold; fields that do not fit are left out.
const ENTRY_BYTES_MAX: usize = 128 << 10;

/// Whether systemd connected standard error to the journal (systemd.exec(5), `$JOURNAL_STREAM`). The
/// variable is inherited, so it says so only if the device and inode that it names are still those of
/// the stream.
pub fn is_connected() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stderr) = std::fs::metadata("/proc/self/fd/2") else { return false };
    stream == format!("{}:{}", stderr.st_dev(), stderr.st_ino())
}

/// A way to journald that never waits for it: what the kernel does not queue is refused.
#[derive(Debug)]
pub struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

/// An entry in the making.
#[derive(Debug, Default)]
pub struct Entry(Vec<u8>);

impl Journal {
    /// Finds journald.
    ///
    /// # Errors
    /// If nobody listens.
    pub fn connect() -> io::Result<Self> {
        Self::at(path())
    }

    fn at(path: PathBuf) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        // Less will do.
        let _ = set_socket_send_buffer_size(&socket, SEND_BUFFER_BYTES);
        let journal = Self { socket, path };
        match journal.send(&Entry::default()) {
            // It is there, and busy.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(journal),
            sent => sent.map(|()| journal),
        }
    }

    /// Sends an entry.
    ///
    /// # Errors
    /// `WouldBlock` while journald takes nothing, and those of send(2).
    pub fn send(&self, entry: &Entry) -> io::Result<()> {
        // By its path each time: journald may have been started anew.
        self.socket.send_to(&entry.0, &self.path).map(drop)
    }
}

/// Tests of a debug build may have a journal of their own.
fn path() -> PathBuf {
    let other = std::env::var_os("GZ_MONITOR_DEBUG_JOURNAL").filter(|_| cfg!(debug_assertions));
    other.map_or(SOCKET.into(), PathBuf::from)
}

impl Entry {
    /// Adds a field. Of the name, letters, digits and underscores count.
    pub fn put(&mut self, name: &str, value: &str) {
        let is_allowed = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        let name: String = name.chars().map(|c| if c == '.' { '_' } else { c }).collect();
        let name: String = name.trim_start_matches('_').chars().filter(is_allowed).collect();
        let mut end = value.len().min(VALUE_BYTES_MAX);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        if name.is_empty() || self.0.len() + name.len() + end > ENTRY_BYTES_MAX {
            return;
        }
        let value = &value.as_bytes()[..end];
        self.0.extend_from_slice(name.to_ascii_uppercase().as_bytes());
        self.0.push(b'\n');
        self.0.extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.0.extend_from_slice(value);
        self.0.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_a_name_a_length_and_a_value() {
        let mut entry = Entry::default();
        entry.put("__task.id", "a\nb");
        entry.put("é", "no name is left");
        assert_eq!(entry.0, b"TASK_ID\n\x03\0\0\0\0\0\0\0a\nb\n");
        entry.put("x", &"ä".repeat(VALUE_BYTES_MAX));
        assert_eq!(entry.0.len(), 20 + 1 + 1 + 8 + VALUE_BYTES_MAX + 1);
        (0..100).for_each(|_| entry.put("x", &"ä".repeat(VALUE_BYTES_MAX)));
        assert!(entry.0.len() <= ENTRY_BYTES_MAX + 16, "{}", entry.0.len());
    }

    #[test]
    fn a_journal_that_is_stuck_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        assert!(Journal::at(path.clone()).is_err(), "there is none");
        let journald = UnixDatagram::bind(&path).expect("a socket");
        let journal = Journal::at(path).expect("a journal");
        let mut entry = Entry::default();
        entry.put("MESSAGE", "m");
        let refused = (0..100_000).find_map(|_| journal.send(&entry).err());
        assert_eq!(refused.map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
        let mut buffer = [0; 64];
        // The first one only asked who is there.
        for _ in 0..2 {
            journald.recv(&mut buffer).expect("an entry");
        }
        assert!(buffer.starts_with(b"MESSAGE\n\x01"));
        journal.send(&entry).expect("it goes on");
    }
}
