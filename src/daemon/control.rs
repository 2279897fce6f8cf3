//! The Unix socket by which this machine's commands reach the daemon, whatever its configuration
//! says of addresses.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fchmod};
use tokio::net::{UnixListener, UnixSocket};

use super::sockets::BACKLOG;

/// Owner and group may connect, for which connect(2) wants the right to write.
const MODE: u32 = 0o660;

/// The file of a Unix socket, removed with this value unless another has taken its place.
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl SocketFile {
    /// Makes a socket at `path`, in the place of one that nobody serves any more. It appears there
    /// when it is ready, with the mode that it keeps.
    ///
    /// # Errors
    /// `AddrInUse` if a daemon answers there, `AlreadyExists` if something else is there, and those
    /// of bind(2) and rename(2).
    pub(super) fn listen(path: &Path) -> io::Result<(Self, UnixListener)> {
        check_place(path)?;
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixSocket::new_stream()?;
        // The file is made with the mode of the socket, as far as the umask lets it.
        fchmod(&socket, Mode::from_raw_mode(MODE))?;
        socket.bind(&new)?;
        let made = fs::set_permissions(&new, fs::Permissions::from_mode(MODE))
            .and_then(|()| socket.listen(BACKLOG))
            .and_then(|listener| Ok((identity(&new)?, listener)))
            .and_then(|made| fs::rename(&new, path).map(|()| made));
        match made {
            Ok((identity, listener)) => Ok((Self { path: path.to_owned(), identity }, listener)),
            Err(error) => {
                // The error before this one is the one to tell.
                let _ = fs::remove_file(&new);
                Err(error)
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|present| present == self.identity) {
            // The next daemon replaces what stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A socket that nobody serves may be replaced; nothing else.
fn check_place(path: &Path) -> io::Result<()> {
    let present = match fs::symlink_metadata(path) {
        Ok(present) => present,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !present.file_type().is_socket() {
        let kind = io::ErrorKind::AlreadyExists;
        return Err(io::Error::new(kind, "there is something that is not a socket"));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another daemon answers there")),
        Err(_) => Ok(()),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
