//! Why a path cannot be read: which step of the way to it is closed, and to whom.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The way to a path, from `/` on, as far as it can be gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    pub(super) steps: Vec<Step>,
    /// What does not exist.
    pub(super) missing: Option<PathBuf>,
    /// Whether process 1 has the path; `None` if that cannot be told.
    pub(super) is_on_host: Option<bool>,
}

/// A folder or file on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) path: PathBuf,
    pub(super) user: u32,
    pub(super) group: u32,
    /// The name of the group, if it has one.
    pub(super) group_name: Option<String>,
    pub(super) mode: u32,
    pub(super) is_folder: bool,
}

/// The path that an error is about: the last before what is said of it, else the first of all.
pub(super) fn named_in(text: &str) -> Option<PathBuf> {
    let end = ["Permission denied", "Operation not permitted", "No such file", "Read-only file"]
        .iter()
        .filter_map(|phrase| text.find(phrase))
        .min();
    let words = |part: &str| {
        let is_end = |c: char| c.is_whitespace() || "\"'`:;,()<>=".contains(c);
        let is_path =
            |word: &&str| word.len() > 1 && word.starts_with('/') && !word.starts_with("//");
        part.split(is_end).filter(is_path).map(PathBuf::from).collect::<Vec<_>>()
    };
    let before = words(&text[..end.unwrap_or(text.len())]).pop();
    before.or_else(|| words(text).into_iter().next())
}

impl Way {
    /// Looks at each step. Symbolic links are followed; what cannot be looked at ends the way.
    pub(super) fn to(path: &Path, group_name: impl Fn(u32) -> Option<String>) -> Self {
        let mut way = Self::default();
        let mut ancestors: Vec<&Path> = path.ancestors().collect();
        ancestors.reverse();
        for path in ancestors {
            match fs::metadata(path) {
                Ok(found) => way.steps.push(Step {
                    path: path.to_owned(),
                    user: found.uid(),
                    group: found.gid(),
                    group_name: group_name(found.gid()),
                    mode: found.mode() & 0o7777,
                    is_folder: found.is_dir(),
                }),
                Err(error) => {
                    if error.kind() == io::ErrorKind::NotFound {
                        way.missing = Some(path.to_owned());
                    }
                    break;
                }
            }
        }
        let of_host = Path::new("/proc/1/root").join(path.strip_prefix("/").unwrap_or(path));
        way.is_on_host = match fs::symlink_metadata(of_host) {
            Ok(_) => Some(true),
            Err(error) => (error.kind() == io::ErrorKind::NotFound).then_some(false),
        };
        way
    }

    /// The first step that a user without capabilities is kept from: folders want the right to search,
    /// a file the right to read, or to be run.
    pub(super) fn closed_to(&self, user: u32, groups: &[u32], is_run: bool) -> Option<&Step> {
        self.steps.iter().find(|step| {
            let class = match () {
                () if step.user == user => 6,
                () if groups.contains(&step.group) => 3,
                () => 0,
            };
            let wanted = if step.is_folder || is_run { 1 } else { 4 };
            step.mode >> class & wanted == 0
        })
    }
}

impl Step {
    /// Whether the group may what others may not.
    pub(super) fn is_open_to_group(&self) -> bool {
        let wanted = if self.is_folder { 0o010 } else { 0o040 };
        self.mode & wanted != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_errors() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(named_in(text).as_deref(), expected.map(Path::new), "{text}");
        };
        check("/proc/loadavg: Permission denied (os error 13)", Some("/proc/loadavg"));
        check(
            "ended with exit status: 1; its last words: cat: /a/b: Permission denied",
            Some("/a/b"),
        );
        check("[Errno 13] Permission denied: '/dev/sda'", Some("/dev/sda"));
        check("http://host/a: Permission denied", None);
        check("cannot run /x/y: Permission denied", Some("/x/y"));
        check("Smartctl open device: /dev/sda failed: Permission denied", Some("/dev/sda"));
        check("cannot reach a/b", None);
        check("nothing / here", None);
    }

    #[test]
    fn the_closed_step() {
        let step = |path: &str, user, group, mode, is_folder| {
            let (path, group_name) = (PathBuf::from(path), None);
            Step { path, user, group, group_name, mode, is_folder }
        };
        let way = Way {
            steps: vec![
                step("/", 0, 0, 0o755, true),
                step("/srv", 0, 6, 0o750, true),
                step("/srv/f", 5, 6, 0o600, false),
            ],
            ..Way::default()
        };
        let closed = |user, groups: &[u32]| {
            way.closed_to(user, groups, false).map(|step| step.path.display().to_string())
        };
        assert_eq!(closed(7, &[7]).as_deref(), Some("/srv"));
        assert_eq!(closed(7, &[7, 6]).as_deref(), Some("/srv/f"));
        assert_eq!(closed(5, &[6]), None);
        assert_eq!(way.closed_to(5, &[6], true), Some(&way.steps[2]));
        assert!(way.steps[1].is_open_to_group() && !way.steps[2].is_open_to_group());
    }

    #[test]
    fn the_way_to_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let way = Way::to(&folder.path().join("absent/file"), |_| None);
        assert_eq!(way.missing, Some(folder.path().join("absent")));
        assert_eq!(way.steps.last().expect("steps").path, folder.path());
        assert!(way.steps[0].is_folder && way.steps[0].path == Path::new("/"));
    }
}
