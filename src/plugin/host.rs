//! All plugins by name: those of the program itself, and those that the plugin folders hold now.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};

use super::child::Description;
use super::dropin::DropIn;
use super::folder::{self, Found};
use super::process::{self, Command, Config, Launcher};
use super::{Factory, builtins};

/// A library has this long to be loaded and described.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(10);
const DESCRIPTION_BYTES_MAX: u64 = 1 << 20;

/// All plugins, by name.
pub struct PluginHost {
    factories: RwLock<BTreeMap<String, Arc<dyn Factory>>>,
    seen: Mutex<Seen>,
    launcher: Arc<Launcher>,
}

/// What the plugin folders held at the last look.
#[derive(Default)]
struct Seen {
    libraries: BTreeMap<Found, Library>,
    /// Folders and files that others can change, and the like.
    refused: Vec<(PathBuf, String)>,
}

/// What came of one library.
#[derive(Default)]
struct Library {
    names: Vec<String>,
    refused: Vec<String>,
}

impl PluginHost {
    /// A host of the plugins of the program itself, which runs now.
    pub fn with_builtins() -> Self {
        // As it runs, even if its file was replaced since.
        Self::of("/proc/self/exe".to_owned())
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
        if seen.libraries.keys().eq(scan.found.iter()) && seen.refused == scan.refused {
            return false;
        }
        let mut before = std::mem::take(&mut seen.libraries);
        for (path, reason) in scan.refused.iter().filter(|new| !seen.refused.contains(new)) {
            tracing::warn!(path = %path.display(), reason, "not used for plugins");
        }
        seen.refused = scan.refused;
        for found in scan.found {
            let library = before.remove(&found).unwrap_or_else(|| self.describe(&found));
            seen.libraries.insert(found, library);
        }
        let present = |name: &String| seen.libraries.values().any(|one| one.names.contains(name));
        let mut factories = self.factories.write();
        for name in before.values().flat_map(|library| &library.names).filter(|n| !present(n)) {
            factories.remove(name);
        }
        true
    }

    /// What the plugin folders hold that is not used, and why.
    pub fn refused(&self) -> Vec<(PathBuf, String)> {
        let seen = self.seen.lock();
        let libraries = seen.libraries.iter().flat_map(|(found, library)| {
            library.refused.iter().map(|reason| (found.path.clone(), reason.clone()))
        });
        seen.refused.iter().cloned().chain(libraries).collect()
    }

    /// Adds the collectors of a library.
    fn describe(&self, found: &Found) -> Library {
        let mut library = Library::default();
        let mut hasher = DefaultHasher::new();
        found.hash(&mut hasher);
        let revision = hasher.finish();
        match describe(&self.launcher, &found.path) {
            Err(reason) => library.refused.push(reason),
            Ok(described) => {
                for description in described {
                    self.add_collector(found, description, revision, &mut library);
                }
            }
        }
        for reason in &library.refused {
            tracing::warn!(path = %found.path.display(), reason, "plugin refused");
        }
        library
    }

    fn add_collector(
        &self,
        found: &Found,
        description: Description,
        revision: u64,
        library: &mut Library,
    ) {
        let name = description.id.clone();
        if self.get(&name).is_some_and(|present| present.revision() == 0) {
            let reason = format!("its collector {name:?} has the name of a built-in plugin");
            return library.refused.push(reason);
        }
        let (file, launcher) = (found.path.clone(), self.launcher.clone());
        self.add(&name, Arc::new(DropIn::new(file, description, revision, launcher)));
        library.names.push(name);
    }
}

/// Has a library described in a child, because to load it is to run it.
fn describe(launcher: &Launcher, path: &Path) -> Result<Vec<Description>, String> {
    let file = path.to_str().ok_or("its path is not UTF-8")?;
    let config = Config::of([launcher.ourselves(), "plugin-host", file].map(str::to_owned));
    let process = launcher.start(&config, &[]).map_err(|error| error.to_string())?;
    let deadline = Instant::now() + DESCRIBE_TIMEOUT;
    let bytes = process::finish(process, deadline, DESCRIPTION_BYTES_MAX)?;
    serde_json::from_slice(&bytes).map_err(|error| format!("its description: {error}"))
}
