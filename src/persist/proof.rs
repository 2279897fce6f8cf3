//! The file beside the database that holds its lock, and the proof that it is the newest of its line.
//!
//! A database by itself cannot tell that it is an old copy, or that the daemon before this one had to
//! go on without it. This file can: it is small and of a fixed size, and is overwritten in place, which
//! a full disk still allows.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// What every such file begins with.
const FORM: &str = "gz-monitor-line 1";
/// One write of so few bytes is whole or not there.
const BYTES: usize = 256;

/// What is known of the line beside the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub epoch: String,
    /// The database has reserved at least all numbers up to this one.
    pub reserved: u64,
    /// Events from this number on may have been published without being stored.
    pub lost_from: Option<u64>,
}

/// The open file, locked as long as it is.
#[derive(Debug)]
pub struct ProofFile(File);

impl ProofFile {
    /// Opens and locks it; `None` if another process has it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn lock(path: &Path) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = file.open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What it says; `None` if nothing that can be understood.
    pub fn read(&self) -> Option<Proof> {
        let mut bytes = [0; BYTES];
        self.0.read_exact_at(&mut bytes, 0).ok()?;
        let text = std::str::from_utf8(&bytes).ok()?.trim_end().strip_prefix(FORM)?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let [epoch, reserved, whole] = words[..] else { return None };
        let lost_from = match whole.strip_prefix("lost-from-") {
            Some(number) => Some(number.parse().ok()?),
            None if whole == "whole" => None,
            None => return None,
        };
        Some(Proof { epoch: epoch.to_owned(), reserved: reserved.parse().ok()?, lost_from })
    }

    /// Replaces what it says, down to the disk.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, Proof { epoch, reserved, lost_from }: &Proof) -> io::Result<()> {
        let whole =
            lost_from.map_or_else(|| "whole".to_owned(), |from| format!("lost-from-{from}"));
        let text = format!("{FORM} {epoch} {reserved} {whole}");
        self.0.write_all_at(format!("{text:<0$}\n", BYTES - 1).as_bytes(), 0)?;
        self.0.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("line");
        let file = ProofFile::lock(&path).expect("opened").expect("free");
        assert!(ProofFile::lock(&path).expect("opened").is_none(), "it is locked");
        assert_eq!(file.read(), None);
        for lost_from in [None, Some(7)] {
            let proof = Proof { epoch: "17a8".to_owned(), reserved: 65_536, lost_from };
            file.write(&proof).expect("written");
            assert_eq!(file.read(), Some(proof));
            assert_eq!(std::fs::metadata(&path).expect("a file").len(), BYTES as u64);
        }
        drop(file);
        let file = ProofFile::lock(&path).expect("opened").expect("free again");
        for nonsense in ["", "gz-monitor-line 1 e", "gz-monitor-line 2 e 1 whole", "x\n"] {
            std::fs::write(&path, format!("{nonsense:<256}")).expect("written");
            assert_eq!(file.read(), None, "{nonsense}");
        }
    }
}
