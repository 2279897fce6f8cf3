//! The control groups of a run: made for each container, and removed at the end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

const PREFIX: &str = "gz-monitor-e2e-";

/// Where nspawn may make groups: cgroup2 as the only hierarchy, or beside version 1, where systemd has
/// a hierarchy of its own too.
const ROOTS: [&str; 3] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];

/// The name of the group of a run, by the outer process of it.
pub fn name_of(process: u32) -> String {
    format!("{PREFIX}{process}")
}

/// Makes a group in the version 2 hierarchy, and says where.
pub fn make(run: &str, container: &str) -> anyhow::Result<PathBuf> {
    let root = ROOTS
        .iter()
        .map(Path::new)
        .find(|root| root.join("cgroup.controllers").exists())
        .context("cgroup2 is not mounted below /sys/fs/cgroup")?;
    let path = root.join(run).join(container);
    fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(path)
}

/// Removes the groups of a run whose processes are ending.
pub fn remove(run: &str) {
    for _ in 0..50 {
        let left = ROOTS.iter().map(|root| Path::new(root).join(run));
        if left.filter(|path| remove_tree(path).is_err()).count() == 0 {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Removes what runs have left that were killed with SIGKILL.
pub fn remove_orphans() {
    for root in ROOTS {
        let entries = fs::read_dir(root).into_iter().flatten().flatten();
        for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
            let process = name.strip_prefix(PREFIX);
            if process.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
                // One that is still in use is left to the next run.
                let _ = remove_tree(&Path::new(root).join(&name));
            }
        }
    }
}

/// Only the folders are ours to remove; the files in them go with them.
fn remove_tree(path: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(path)
}
