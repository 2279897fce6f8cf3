//! Where configuration comes from: a file, the files in `alerts.d` and `conf.d` beside it, the
//! environment, flags.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Origin;
use super::problem::Problem;

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "/etc/gz-monitor/gz-monitor.toml";

/// Bytes that one file may have.
pub const MAX_FILE_SIZE: u64 = 1 << 20;

/// Files that one `conf.d`, or one `alerts.d`, may have.
pub const MAX_FILES: usize = 256;

/// Where configuration comes from. Nothing at all by default, which yields the defaults.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The main file. The `*.toml`, `*.yml` and `*.yaml` in `alerts.d` beside it are read before it,
    /// the `*.toml` in `conf.d` after it, in the order of their names; none of all that if it is
    /// `None`.
    pub file: Option<PathBuf>,
    /// Whether somebody named the file, so that it has to be there.
    pub explicit: bool,
    /// The environment, as `std::env::vars_os` gives it; only `GZ_MONITOR__SECTION__KEY` counts.
    pub env: Vec<(OsString, OsString)>,
    /// What flags say, in the order of the command line.
    pub flags: Vec<Override>,
}

/// A value that a flag sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The key, dotted: `server.port`.
    pub path: String,
    /// A text as it is where the key takes one, else a TOML value: `9090`, `true`.
    pub value: String,
    /// The flag as it is written, for messages: `--port`.
    pub flag: String,
}

impl Sources {
    /// What a daemon reads: `file` if it is given, else [`DEFAULT_FILE`] if that exists, and the
    /// environment of this process.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<Override>) -> Self {
        let explicit = file.is_some();
        let file = file.unwrap_or_else(|| DEFAULT_FILE.into());
        Self { file: Some(file), explicit, env: std::env::vars_os().collect(), flags }
    }
}

/// A file that was read.
pub(super) struct Document {
    pub(super) path: Arc<Path>,
    pub(super) bytes: Vec<u8>,
    pub(super) kind: Kind,
}

/// What may be in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Everything.
    Settings,
    /// Rules, and what keeps their alerts silent.
    Rules,
    /// Rules as Prometheus has them.
    PrometheusRules,
}

impl Kind {
    /// That of a file in `alerts.d`.
    pub(super) fn of_rules(path: &Path) -> Self {
        let is_toml = path.extension().is_some_and(|extension| extension == "toml");
        if is_toml { Self::Rules } else { Self::PrometheusRules }
    }
}

/// Reads the main file and those beside it, in order; what cannot be read becomes a problem.
pub(super) fn read(sources: &Sources, problems: &mut Vec<Problem>) -> Vec<Document> {
    let Some(main) = &sources.file else { return Vec::new() };
    let folder = main.parent().unwrap_or(Path::new(""));
    let mut documents = Vec::new();
    for path in list(&folder.join("alerts.d"), &["toml", "yml", "yaml"], problems) {
        let kind = Kind::of_rules(&path);
        documents.extend(document(path, kind, problems));
    }
    match read_file(main) {
        Ok(bytes) => {
            let (path, kind) = (main.as_path().into(), Kind::Settings);
            documents.push(Document { path, bytes, kind });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && !sources.explicit => {}
        Err(error) => problems.push(unreadable(main, &error)),
    }
    for path in list(&folder.join("conf.d"), &["toml"], problems) {
        documents.extend(document(path, Kind::Settings, problems));
    }
    documents
}

fn document(path: PathBuf, kind: Kind, problems: &mut Vec<Problem>) -> Option<Document> {
    match read_file(&path) {
        Ok(bytes) => Some(Document { path: path.into(), bytes, kind }),
        Err(error) => {
            problems.push(unreadable(&path, &error));
            None
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let message = match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    Problem::new(&Origin::file(path), "", format!("cannot be read: {message}"), None)
}

/// The files in `folder` with one of these endings, by name, without hidden ones, which editors leave
/// behind.
fn list(folder: &Path, endings: &[&str], problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            problems.push(unreadable(folder, &error));
            return Vec::new();
        }
    };
    let is_ours = |path: &PathBuf| {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let ending = path.extension();
        !hidden && ending.is_some_and(|ending| endings.iter().any(|known| *known == ending))
    };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(is_ours);
    let mut paths: Vec<PathBuf> = paths.take(MAX_FILES + 1).collect();
    if paths.len() > MAX_FILES {
        let message = format!("has more than {MAX_FILES} files");
        problems.push(Problem::new(&Origin::file(folder), "", message, None));
        return Vec::new();
    }
    paths.sort();
    paths
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    // Opening a named pipe would wait for whoever writes to it.
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err(io::Error::other(format!("it is larger than {} KiB", MAX_FILE_SIZE >> 10)));
    }
    Ok(bytes)
}
