//! Reports that could not be delivered: a file each in the person's state folder, and the way back.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delivery::{Daemon, Outcome};

/// Tasks that may wait; the oldest make room.
const FILES_MAX: usize = 100;
const ENDING: &str = "json";

/// A task whose end the daemon does not know.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Undelivered {
    /// The `--url` that it was run with; only a daemon named so is given it.
    pub(super) url: Option<String>,
    pub(super) id: String,
    pub(super) key: String,
    pub(super) name: String,
    pub(super) create: Value,
    pub(super) end: Value,
}

/// What has become of those that waited.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    pub(super) delivered: Vec<String>,
    /// Those that the daemon will not have, and why.
    pub(super) refused: Vec<String>,
    /// Why the rest still waits.
    pub(super) trouble: Option<String>,
}

impl Undelivered {
    /// Puts it into the folder; returns the file, and how many had to make room.
    pub(super) fn keep(&self) -> anyhow::Result<(PathBuf, usize)> {
        let folder =
            folder(|name| std::env::var_os(name)).context("neither $XDG_STATE_HOME nor $HOME")?;
        keep_in(&folder, self)
    }
}

fn keep_in(folder: &Path, task: &Undelivered) -> anyhow::Result<(PathBuf, usize)> {
    let make = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    make.with_context(|| folder.display().to_string())?;
    let waiting = files(folder);
    let excess = (waiting.len() + 1).saturating_sub(FILES_MAX);
    waiting.iter().take(excess).for_each(|file| drop(fs::remove_file(file)));
    // Its time comes first, so that names sort by age.
    let (ms, random) = (jiff::Timestamp::now().as_millisecond(), fastrand::u32(..));
    let path = folder.join(format!("{ms:015}-{random:08x}.{ENDING}"));
    let part = path.with_extension("part");
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        file.write_all(serde_json::to_string(task)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, &path)
    };
    let written = write().with_context(|| path.display().to_string());
    if written.is_err() {
        // Half of it is of no use.
        let _ = fs::remove_file(&part);
    }
    written.map(|()| (path, excess))
}

/// Delivers what waits for this daemon, the oldest first, until it does not answer.
pub(super) async fn deliver(daemon: &Daemon) -> Delivered {
    let folder = folder(|name| std::env::var_os(name));
    let mut all = Delivered::default();
    for path in folder.as_deref().map(files).unwrap_or_default() {
        let read = fs::read_to_string(&path).ok();
        let Some(task) = read.and_then(|text| serde_json::from_str::<Undelivered>(&text).ok())
        else {
            all.refused.push(format!("{} makes no sense and is left alone", path.display()));
            continue;
        };
        if task.url.as_deref() != daemon.address.url() {
            continue;
        }
        let outcome = match daemon.create(&task.key, &task.create).await {
            Outcome::Accepted(_) => daemon.update(&task.id, &task.end).await,
            other => other,
        };
        match outcome {
            Outcome::Accepted(_) => all.delivered.push(format!("{} ({})", task.id, task.name)),
            Outcome::Refused { detail, .. } => all.refused.push(format!("{}: {detail}", task.id)),
            Outcome::Later(trouble) => {
                all.trouble = Some(trouble);
                break;
            }
        }
        // Another one may have been quicker.
        let _ = fs::remove_file(&path);
    }
    all
}

/// The files that wait, the oldest first.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_ours = |path: &PathBuf| path.extension().is_some_and(|ending| ending == ENDING);
    let mut files: Vec<PathBuf> = entries.filter(is_ours).collect();
    files.sort_unstable();
    files
}

fn folder(env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("gz-monitor/undelivered"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let task = |number: usize| Undelivered {
            url: None,
            id: number.to_string(),
            key: number.to_string(),
            name: "n".to_owned(),
            create: Value::Null,
            end: Value::Null,
        };
        let mut dropped = 0;
        for number in 0..FILES_MAX + 2 {
            fs::write(folder.path().join(format!("{number:015}-0.json")), "{}").expect("a file");
        }
        let (path, excess) = keep_in(folder.path(), &task(7)).expect("kept");
        dropped += excess;
        let left = files(folder.path());
        assert_eq!((dropped, left.len(), left.last()), (3, FILES_MAX, Some(&path)));
        assert!(left[0].ends_with("000000000000003-0.json"), "{left:?}");
        let read: Undelivered =
            serde_json::from_str(&fs::read_to_string(path).expect("read")).expect("JSON");
        assert_eq!(read.id, "7");
    }

    #[test]
    fn it_is_where_a_person_keeps_state() {
        let find = |given: &[(&str, &str)]| {
            folder(|name| {
                let found = given.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            })
        };
        assert_eq!(find(&[("HOME", "/h")]), Some("/h/.local/state/gz-monitor/undelivered".into()));
        let both = [("HOME", "/h"), ("XDG_STATE_HOME", "/s")];
        assert_eq!(find(&both), Some("/s/gz-monitor/undelivered".into()));
        assert_eq!(find(&[("HOME", "relative")]), None);
    }
}
