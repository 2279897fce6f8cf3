//! Finds libraries in the plugin folders, and trusts only those that nobody else can change.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Libraries that one folder may have.
const FILES_MAX: usize = 256;

/// A library that may be loaded, as it was when it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Device, inode, size and time of change: another file in its place has others.
    pub(super) stamp: (u64, u64, u64, i64, i64),
}

impl Found {
    /// A number that another file in its place does not have, and never 0.
    pub(super) fn revision(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish().max(1)
    }
}

/// What was found, and what must not be used, with the reason.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) found: Vec<Found>,
    pub(super) refused: Vec<(PathBuf, String)>,
}

/// Looks for `*.so` in `folders`; one that is not there is empty.
pub(super) fn scan(folders: &[PathBuf]) -> Scan {
    let mut scan = Scan::default();
    for folder in folders {
        match fs::symlink_metadata(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => scan.refused.push((folder.clone(), error.to_string())),
            Ok(_) => match trusted(folder) {
                Ok(_) => scan.list(folder),
                Err(reason) => scan.refused.push((folder.clone(), reason)),
            },
        }
    }
    scan.found.sort();
    scan.refused.sort();
    scan
}

impl Scan {
    fn list(&mut self, folder: &Path) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.refused.push((folder.to_owned(), error.to_string())),
        };
        let is_library = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "so");
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_library);
        let paths: Vec<PathBuf> = paths.take(FILES_MAX + 1).collect();
        if paths.len() > FILES_MAX {
            let reason = format!("it has more than {FILES_MAX} libraries");
            return self.refused.push((folder.to_owned(), reason));
        }
        for path in paths {
            match trusted(&path) {
                Ok(meta) => {
                    let stamp =
                        (meta.dev(), meta.ino(), meta.size(), meta.ctime(), meta.ctime_nsec());
                    self.found.push(Found { path, stamp });
                }
                Err(reason) => self.refused.push((path, reason)),
            }
        }
    }
}

/// Whether only root and we ourselves can change what is at `path`.
///
/// # Errors
/// Who else can, or why that cannot be told.
pub fn trusted(path: &Path) -> Result<fs::Metadata, String> {
    let meta = fs::metadata(path).map_err(|error| error.to_string())?;
    let us = rustix::process::geteuid().as_raw();
    if meta.uid() != 0 && meta.uid() != us {
        let owner = meta.uid();
        return Err(format!("user {owner} owns it; it must be root or the daemon's own user"));
    }
    if meta.mode() & 0o022 != 0 {
        let mode = meta.mode() & 0o7777;
        return Err(format!("others can write to it (mode {mode:o}); chmod go-w it"));
    }
    Ok(meta)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn file(path: &Path, mode: u32) {
        fs::write(path, "").expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    #[test]
    fn only_what_nobody_else_can_change() {
        let folder = tempfile::tempdir().expect("a folder");
        file(&folder.path().join("good.so"), 0o755);
        file(&folder.path().join("bad.so"), 0o775);
        file(&folder.path().join("note.txt"), 0o644);
        let result = scan(&[folder.path().to_owned(), "/nonexistent/plugins".into()]);
        let names: Vec<_> = result.found.iter().map(|found| &found.path).collect();
        assert_eq!(names, [&folder.path().join("good.so")]);
        let [(path, reason)] = &result.refused[..] else { panic!("{result:?}") };
        assert_eq!(*path, folder.path().join("bad.so"));
        assert!(reason.contains("775") && reason.contains("go-w"), "{reason}");
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        file(&folder.path().join("good.so"), 0o755);
        let mode = fs::Permissions::from_mode(0o777);
        fs::set_permissions(folder.path(), mode).expect("a mode");
        let result = scan(&[folder.path().to_owned()]);
        assert!(result.found.is_empty() && result.refused.len() == 1, "{result:?}");
    }

    #[test]
    fn a_replaced_file_is_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.so");
        file(&path, 0o755);
        let before = scan(&[folder.path().to_owned()]).found;
        assert_eq!(before, scan(&[folder.path().to_owned()]).found);
        file(&folder.path().join("new"), 0o755);
        fs::rename(folder.path().join("new"), &path).expect("replaced");
        assert_ne!(before, scan(&[folder.path().to_owned()]).found);
    }
}
