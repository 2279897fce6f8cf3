//! A host's /proc and /sys to be tampered with: this one's, but for the load averages.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A root for `collectors.root`.
pub struct Root(TempDir);

impl Root {
    /// Links to what is really there; `proc/loadavg` is missing.
    pub fn without_load() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let proc = folder.path().join("proc");
        fs::create_dir(&proc).expect("a folder");
        symlink("/sys", folder.path().join("sys")).expect("a link");
        for entry in fs::read_dir("/proc").expect("/proc") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            if name != "loadavg" && !name.starts_with(|c: char| c.is_ascii_digit()) {
                symlink(format!("/proc/{name}"), proc.join(&name)).expect("a link");
            }
        }
        Self(folder)
    }

    /// As [`Root::without_load`], with a pipe for the load averages: who reads it waits for ever.
    pub fn with_load_that_blocks() -> Self {
        let root = Self::without_load();
        let made = Command::new("mkfifo").arg(root.load()).status();
        assert!(made.expect("mkfifo").success());
        root
    }

    /// Puts load averages in place, and ends the wait of whoever reads the pipe.
    pub fn mend(&self) {
        // Waits until somebody reads.
        let pipe = self.load().exists();
        let end = pipe.then(|| fs::OpenOptions::new().write(true).open(self.load()));
        let new = self.load().with_extension("new");
        fs::write(&new, "0.10 0.20 0.30 1/2 3\n").expect("a file");
        fs::rename(new, self.load()).expect("renamed");
        drop(end);
    }

    /// The section of a configuration that names it, with more keys of that section.
    pub fn config(&self, more: &str) -> String {
        format!("[collectors]\nroot = \"{}\"\n{more}\n", self.0.path().display())
    }

    fn load(&self) -> PathBuf {
        self.0.path().join("proc/loadavg")
    }
}
