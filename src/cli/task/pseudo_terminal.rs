//! A terminal for the command's output where ours is one, so that it prints what it prints to people.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Stdio;

use parking_lot::Mutex;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{
    OptionalActions, OutputModes, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};

/// The end of a terminal from which is read what is printed to the other, and ours beside it.
pub(super) struct PseudoTerminal {
    master: OwnedFd,
    ours: OwnedFd,
    size: Mutex<Option<(u16, u16)>>,
}

impl PseudoTerminal {
    /// One of the size of `ours`, that changes nothing of what is printed to it: ours does that.
    pub(super) fn like(ours: BorrowedFd<'_>) -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let mut modes = tcgetattr(&master)?;
        modes.output_modes.remove(OutputModes::OPOST);
        tcsetattr(&master, OptionalActions::Now, &modes)?;
        let terminal = Self { master, ours: ours.try_clone_to_owned()?, size: Mutex::new(None) };
        terminal.adopt_size();
        Ok(terminal)
    }

    /// What the command prints to.
    pub(super) fn end(&self) -> io::Result<Stdio> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        Ok(ioctl_tiocgptpeer(&self.master, flags)?.into())
    }

    /// Where that comes out.
    pub(super) fn reader(&self) -> io::Result<File> {
        Ok(File::from(self.master.try_clone()?))
    }

    /// Takes over the size of ours; says whether it has changed.
    pub(super) fn adopt_size(&self) -> bool {
        let Ok(size) = tcgetwinsize(self.ours.as_fd()) else { return false };
        let Winsize { ws_row, ws_col, .. } = size;
        let has_changed = self.size.lock().replace((ws_row, ws_col)) != Some((ws_row, ws_col));
        has_changed && tcsetwinsize(&self.master, size).is_ok()
    }
}
