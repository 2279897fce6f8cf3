//! All plugins by name: those of the program itself, and those that the plugin folders hold now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};

use super::child::{Described, Description};
use super::dropin::DropIn;
use super::folder::{self, Found};
use super::process::{self, Command, Config, Launcher};
use super::{Capabilities, Factory, builtins};

/// A library has this long to be loaded and described: nothing of the daemon's goes on meanwhile at
/// its start.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for the most collectors, each with the longest schema, as JSON has it.
const DESCRIPTION_BYTES_MAX: u64 = 16 << 20;
/// Libraries that are described at the same time.
const DESCRIBED_AT_ONCE: usize = 8;

/// Collectors that have gone and are remembered.
const GONE_MAX: usize = 1_000;

/// A file, and why it or a part of it is not used.
pub type Refused = (PathBuf, String);
type Factories = BTreeMap<String, Arc<dyn Factory>>;

/// All plugins, by name.
pub struct PluginHost {
    factories: RwLock<Factories>,
    seen: Mutex<Seen>,
    launcher: Arc<Launcher>,
}

/// What the plugin folders held at the last look.
#[derive(Default)]
struct Seen {
    libraries: BTreeMap<Found, Described>,
    /// Folders and files that others can change, and the like.
    untrusted: Vec<Refused>,
    /// These, and what is wrong with libraries.
    refused: Vec<Refused>,
    /// Collectors that were there once, and the files that had them.
    gone: BTreeMap<String, PathBuf>,
}

impl PluginHost {
    /// A host of the plugins of the program itself, which runs now.
    pub fn with_builtins() -> Self {
        // As it runs, even if its file was replaced since.
        Self::of("/proc/self/exe".to_owned())
    }

    /// What starts programs.
    pub fn launcher(&self) -> Arc<Launcher> {
        self.launcher.clone()
    }

    /// A host of the plugins of `program`, which is a `gz-monitor`.
    pub fn of(program: String) -> Self {
        let launcher = Arc::new(Launcher::new(program));
        let host = Self {
            factories: RwLock::default(),
            seen: Mutex::default(),
            launcher: launcher.clone(),
        };
        for (name, factory) in builtins() {
            host.add(name, factory.into());
        }
        host.add("command", Arc::new(Command::new(launcher)));
        host
    }

    /// Adds a plugin; one of the same name is replaced.
    pub fn add(&self, name: &str, factory: Arc<dyn Factory>) {
        self.factories.write().insert(name.to_owned(), factory);
    }

    /// The plugin of this name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Factory>> {
        self.factories.read().get(name).cloned()
    }

    /// From now on programs that end get no time to do so in good order: they are killed.
    pub fn hurry(&self) {
        self.launcher.hurry();
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<(String, Arc<dyn Factory>)> {
        let factories = self.factories.read();
        factories.iter().map(|(name, factory)| (name.clone(), factory.clone())).collect()
    }

    /// Looks through `folders`: libraries that are new or changed are described, each in a child of
    /// its own, and those that are gone are forgotten. Says whether anything has changed. May block
    /// for as long as the children take.
    pub fn discover(&self, folders: &[PathBuf]) -> bool {
        let mut seen = self.seen.lock();
        let scan = folder::scan(folders);
        if seen.libraries.keys().eq(scan.found.iter()) && seen.untrusted == scan.refused {
            return false;
        }
        let mut before = std::mem::take(&mut seen.libraries);
        let mut unknown = Vec::new();
        for found in scan.found {
            match before.remove(&found) {
                Some(described) => drop(seen.libraries.insert(found, described)),
                None => unknown.push(found),
            }
        }
        seen.libraries.extend(describe_all(&self.launcher, unknown));
        seen.remember(before);
        let mut refused = scan.refused.clone();
        refused.extend(self.settle(&seen.libraries));
        for (path, reason) in refused.iter().filter(|new| !seen.refused.contains(new)) {
            tracing::warn!(path = %path.display(), reason, "plugin refused");
        }
        (seen.untrusted, seen.refused) = (scan.refused, refused);
        true
    }

    /// What the plugin folders hold that is not used, and why.
    pub fn refused(&self) -> Vec<Refused> {
        self.seen.lock().refused.clone()
    }

    /// Why there may be no plugin of this name: a file in the plugin folders had it, or is refused
    /// and may have it. None if no file can be the reason.
    pub fn why_missing(&self, name: &str) -> Option<String> {
        let seen = self.seen.lock();
        let had_it = seen.gone.get(name);
        let undescribed = seen.libraries.iter().filter_map(|(found, described)| {
            described.as_ref().err().map(|reason| (&found.path, reason))
        });
        let untrusted = seen.untrusted.iter().map(|(path, reason)| (path, reason));
        let suspects: Vec<(&PathBuf, &String)> = untrusted.chain(undescribed).collect();
        let is_it = |path: &PathBuf| had_it == Some(path) || bears(path, name);
        if let Some((path, reason)) = suspects.iter().find(|(path, _)| is_it(path)) {
            return Some(format!("{} is refused: {reason}", path.display()));
        }
        if let Some(path) = had_it {
            let is_there = seen.libraries.keys().any(|found| found.path == *path);
            let how = if is_there { "no longer has it" } else { "is gone" };
            return Some(format!("{} {how}", path.display()));
        }
        let (path, reason) = suspects.first()?;
        Some(format!("it may be in {}, which is refused: {reason}", path.display()))
    }

    /// The libraries in use, and which collectors of theirs are.
    pub fn libraries(&self) -> Vec<(PathBuf, Vec<Description>)> {
        let (seen, factories) = (self.seen.lock(), self.factories.read());
        let is_used = |found: &Found, id| {
            factories.get(id).is_some_and(|plugin| plugin.revision() == found.revision())
        };
        let used = seen.libraries.iter().filter_map(|(found, described)| {
            let described = described.as_ref().ok()?.iter();
            let used = described.filter(|one| is_used(found, &one.id)).cloned().collect();
            Some((found.path.clone(), used))
        });
        used.collect()
    }

    /// Describes a library in a child and makes its collectors ready to be started, wherever it lies.
    ///
    /// # Errors
    /// Why it is no plugin.
    pub fn open(&self, file: &Path) -> Result<Vec<(Description, DropIn)>, String> {
        let make = |description: Description| {
            let (file, launcher) = (file.to_owned(), self.launcher.clone());
            (description.clone(), DropIn::new(file, description, 1, launcher))
        };
        Ok(describe(&self.launcher, file)?.into_iter().map(make).collect())
    }

    /// Puts the collectors of these libraries beside the plugins of the program itself, all at once;
    /// says which cannot be used. Of two with one name the first has it, by the path of its file.
    fn settle(&self, libraries: &BTreeMap<Found, Described>) -> Vec<Refused> {
        let mut factories = self.factories.write();
        factories.retain(|_, factory| factory.revision() == 0);
        let (mut owners, mut refused) = (BTreeMap::<&str, &Path>::new(), Vec::new());
        for (found, described) in libraries {
            let mut refuse = |reason| refused.push((found.path.clone(), reason));
            let described = match described {
                Ok(described) => described,
                Err(reason) => {
                    refuse(reason.clone());
                    continue;
                }
            };
            for description in described {
                let id = &description.id;
                if let Some(owner) = owners.get(&**id) {
                    let owner = owner.display();
                    refuse(format!("its collector {id:?} has the name of one of {owner}"));
                } else if factories.contains_key(id) {
                    refuse(format!("its collector {id:?} has the name of a built-in plugin"));
                } else {
                    let (file, launcher) = (found.path.clone(), self.launcher.clone());
                    let plugin = DropIn::new(file, description.clone(), found.revision(), launcher);
                    factories.insert(id.clone(), Arc::new(plugin));
                    owners.insert(id, &found.path);
                }
            }
        }
        refused
    }
}

impl Seen {
    /// Takes note of what these files had, which are gone or others now.
    fn remember(&mut self, files: BTreeMap<Found, Described>) {
        for (found, described) in files {
            for description in described.into_iter().flatten() {
                if self.gone.len() < GONE_MAX || self.gone.contains_key(&description.id) {
                    self.gone.insert(description.id, found.path.clone());
                }
            }
        }
    }
}

/// Whether a library's file is named after a plugin: `name.so` or `libname.so`, and `-` is as good as
/// `_`.
fn bears(path: &Path, name: &str) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let (stem, name) = (stem.replace('_', "-"), name.replace('_', "-"));
    stem == name || stem.strip_prefix("lib") == Some(&name)
}

/// Has libraries described, several at a time, because one that hangs takes all the time it has.
fn describe_all(launcher: &Launcher, unknown: Vec<Found>) -> Vec<(Found, Described)> {
    let mut all = Vec::with_capacity(unknown.len());
    for some in unknown.chunks(DESCRIBED_AT_ONCE) {
        thread::scope(|scope| {
            let start = |found: &Found| {
                let path = found.path.clone();
                (found.clone(), scope.spawn(move || describe(launcher, &path)))
            };
            let running: Vec<_> = some.iter().map(start).collect();
            all.extend(running.into_iter().map(|(found, child)| {
                let lost = |_| Err("the thread that had it described is lost".to_owned());
                (found, child.join().unwrap_or_else(lost))
            }));
        });
    }
    all
}

/// Has a library described in a child, because to load it is to run it.
fn describe(launcher: &Launcher, path: &Path) -> Described {
    let file = path.to_str().ok_or("its path is not UTF-8")?;
    let config = Config::of([launcher.ourselves(), "plugin-host", file].map(str::to_owned));
    let process =
        launcher.start(&config, Capabilities::NONE, &[]).map_err(|error| error.to_string())?;
    let deadline = Instant::now() + DESCRIBE_TIMEOUT;
    let bytes = process::finish(process, deadline, DESCRIPTION_BYTES_MAX)
        .map_err(|how| format!("it was loaded to be described, and {how}"))?;
    if bytes.is_empty() {
        return Err("it was loaded to be described, and ended the process".to_owned());
    }
    serde_json::from_slice(&bytes).map_err(|error| format!("its description: {error}"))?
}
