//! Sockets that the service manager hands over (sd_listen_fds(3)): those of a socket unit, and our
//! own that it has kept for us over a restart (its file descriptor store).

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixListener;

use listenfd::ListenFd;
use nix::unistd::close;
use rustix::net::sockopt::socket_acceptconn;
use sd_notify::NotifyState;

/// What gz-monitor.socket calls its sockets.
const UNIT_NAME: &str = "http";

/// What the names of ours begin with.
const KEPT_PREFIX: &str = "listen-";

/// What was handed over.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Of a socket unit.
    pub of_unit: Vec<Socket>,
    /// Kept for us, with the names that they were kept by.
    pub kept: Vec<(String, Socket)>,
    /// What is wrong with the others, which are closed.
    pub refused: Vec<String>,
}

/// A listening socket.
#[derive(Debug)]
pub enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Takes what was handed over, once. Removes `$LISTEN_FDS` and `$LISTEN_PID`, and so has to be called
/// before there is a second thread.
pub fn inherited() -> Inherited {
    let mut inherited = Inherited::default();
    // Asked first, because listenfd does not insist that the descriptors are meant for us. From here
    // on no child inherits them.
    let names: Vec<String> = match sd_notify::listen_fds_with_names() {
        Ok(fds) => fds.map(|(_, name)| name).collect(),
        Err(error) => {
            inherited.refused.push(format!("$LISTEN_FDS: {error}"));
            return inherited;
        }
    };
    if names.is_empty() {
        return inherited;
    }
    let mut fds = ListenFd::from_env();
    for (index, name) in names.into_iter().enumerate() {
        match take(&mut fds, index) {
            Ok(socket) if name == UNIT_NAME => inherited.of_unit.push(socket),
            Ok(socket) if name.starts_with(KEPT_PREFIX) => inherited.kept.push((name, socket)),
            Ok(_) => inherited.refused.push(format!("{name:?}: the name is none of ours")),
            Err(error) => inherited.refused.push(format!("{name:?}: {error}")),
        }
    }
    inherited
}

/// What is no listening socket is closed.
fn take(fds: &mut ListenFd, index: usize) -> io::Result<Socket> {
    let gone = || io::Error::other("it is not there");
    if let Ok(socket) = fds.take_tcp_listener(index) {
        let socket = socket.ok_or_else(gone)?;
        return listening(&socket).map(|()| Socket::Tcp(socket));
    }
    if let Ok(socket) = fds.take_unix_listener(index) {
        let socket = socket.ok_or_else(gone)?;
        return listening(&socket).map(|()| Socket::Unix(socket));
    }
    if let Some(fd) = fds.take_raw_fd(index)? {
        close(fd)?;
    }
    Err(io::Error::other("it is neither a TCP nor a Unix stream socket"))
}

fn listening(socket: &impl AsFd) -> io::Result<()> {
    if socket_acceptconn(socket)? { Ok(()) } else { Err(io::Error::other("it does not listen")) }
}

/// The name by which the socket of an address is kept.
pub fn name_of(address: std::net::SocketAddr) -> String {
    // The names of several are joined by colons.
    format!("{KEPT_PREFIX}{address}").replace(':', "_")
}

/// Has the service manager keep a socket for the next process of this service.
pub fn keep(name: &str, socket: BorrowedFd<'_>) {
    // Nothing is to be polled for: a listening socket never hangs up.
    let states = [NotifyState::FdStore, NotifyState::FdName(name), NotifyState::Custom("FDPOLL=0")];
    let kept = tokio::task::block_in_place(|| sd_notify::notify_with_fds(&states, &[socket]));
    if let Err(error) = kept {
        tracing::warn!(%error, "the service manager cannot keep a socket");
    }
}

/// Has it forget those of this name.
pub fn forget(name: &str) {
    super::notify::send(&[NotifyState::FdStoreRemove, NotifyState::FdName(name)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_name() {
        let check = |address: &str, expected: &str| {
            assert_eq!(name_of(address.parse().expect("an address")), expected);
        };
        check("127.0.0.1:8080", "listen-127.0.0.1_8080");
        check("[::1]:80", "listen-[__1]_80");
    }
}
