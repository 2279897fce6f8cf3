//! The processes in /proc, walked with three system calls each and without an allocation.

use std::fmt::Write;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use gz_monitor_sdk::{Error, Host, Result};
use rustix::fs::{CWD, Mode, OFlags, RawDir, openat};

/// Room for what one getdents64(2) brings, some hundred names.
const ENTRIES_BYTES: usize = 8 << 10;

/// A `stat` line is about 350 bytes; its longest possible one is below this.
const STAT_BYTES: usize = 2 << 10;

/// All processes that this one may see.
pub struct ProcessTable {
    proc: PathBuf,
    entries: Vec<u8>,
    stat: Vec<u8>,
    name: String,
}

impl ProcessTable {
    /// Fails if /proc cannot be opened.
    pub fn open(host: &Host) -> Result<Self> {
        let (entries, stat) = (Vec::with_capacity(ENTRIES_BYTES), vec![0; STAT_BYTES]);
        let table = Self { proc: host.path("proc"), entries, stat, name: String::new() };
        table.directory()?;
        Ok(table)
    }

    /// How many there are.
    pub fn count(&mut self) -> Result<usize> {
        let directory = self.directory()?;
        let mut entries = RawDir::new(&directory, self.entries.spare_capacity_mut());
        let mut count = 0;
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(io::Error::from)?;
            count += usize::from(pid_of(entry.file_name().to_bytes()).is_some());
        }
        Ok(count)
    }

    /// Calls `each` with the number and the `stat` line of every process, skipping those that end
    /// meanwhile and those that may not be read.
    pub fn walk(&mut self, mut each: impl FnMut(u32, &[u8])) -> Result {
        let directory = self.directory()?;
        let mut entries = RawDir::new(&directory, self.entries.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(io::Error::from)?;
            let Some(pid) = pid_of(entry.file_name().to_bytes()) else { continue };
            self.name.clear();
            if write!(self.name, "{pid}/stat").is_err() {
                continue;
            }
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let Ok(file) = openat(&directory, self.name.as_str(), flags, Mode::empty()) else {
                continue;
            };
            if let Ok(length) = rustix::io::read(&file, &mut self.stat[..]) {
                each(pid, &self.stat[..length]);
            }
        }
        Ok(())
    }

    fn directory(&self) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(CWD, &self.proc, flags, Mode::empty())
            .map_err(|errno| Error::Unavailable(format!("{}: {errno}", self.proc.display())))
    }
}

/// Only processes have names that are numbers.
fn pid_of(name: &[u8]) -> Option<u32> {
    name.first().filter(|byte| byte.is_ascii_digit())?;
    str::from_utf8(name).ok()?.parse().ok()
}
