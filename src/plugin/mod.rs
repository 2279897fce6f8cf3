//! The plugin host: from a configured name to a source of batches.

mod builtin;
pub mod process;
pub mod wire;

pub use builtin::builtins;

use std::collections::BTreeMap;
use std::time::Duration;

use gz_monitor_sdk::Host;
use serde_json::{Map, Value as Json};

use crate::sample::BatchBuilder;

/// Why a source gave no samples, or cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It will not work before its configuration changes.
    #[error("{0}")]
    Permanent(String),
    /// It may work later.
    #[error("{0}")]
    Transient(String),
    /// It broke half-way and must be made anew.
    #[error("{0}")]
    Poisoned(String),
}

/// A running collector. Calls may block; they come from one thread at a time.
pub trait Source: Send {
    /// Takes one reading. What was pushed before a failure is kept.
    ///
    /// # Errors
    /// [`Failure`], with a text for people.
    fn collect(&mut self, out: &mut BatchBuilder) -> Result<(), Failure>;
}

/// What a source is made for.
pub struct Context {
    /// The collector's name.
    pub name: String,
    pub host: Host,
    /// How long one call may take.
    pub deadline: Duration,
}

/// Makes sources of one kind.
pub trait Factory: Send + Sync {
    /// One line for people.
    fn summary(&self) -> &str;

    /// The interval that suits it, if it is not the common one.
    fn interval(&self) -> Option<Duration>;

    /// Whether it runs without being named.
    fn is_stock(&self) -> bool {
        true
    }

    /// Says what is wrong with a configuration, without making anything.
    ///
    /// # Errors
    /// A text for people.
    fn check(&self, config: &Map<String, Json>) -> Result<(), String>;

    /// Makes a source; may block.
    ///
    /// # Errors
    /// [`Failure`], with a text for people.
    fn make(
        &self,
        config: &Map<String, Json>,
        context: Context,
    ) -> Result<Box<dyn Source>, Failure>;
}

/// All plugins, by name.
#[derive(Default)]
pub struct PluginHost {
    factories: BTreeMap<String, Box<dyn Factory>>,
}

impl PluginHost {
    /// A host of the built-in plugins.
    pub fn with_builtins() -> Self {
        let mut host = Self::default();
        for (name, factory) in builtins() {
            host.add(name, factory);
        }
        host.add("command", Box::new(process::Command::new()));
        host
    }

    /// Adds a plugin; one of the same name is replaced.
    pub fn add(&mut self, name: &str, factory: Box<dyn Factory>) {
        self.factories.insert(name.to_owned(), factory);
    }

    /// The plugin of this name.
    pub fn get(&self, name: &str) -> Option<&dyn Factory> {
        self.factories.get(name).map(AsRef::as_ref)
    }

    /// The names of those that run without being named, sorted.
    pub fn stock(&self) -> impl Iterator<Item = &str> {
        let stock = self.factories.iter().filter(|(_, factory)| factory.is_stock());
        stock.map(|(name, _)| name.as_str())
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &dyn Factory)> {
        self.factories.iter().map(|(name, factory)| (name.as_str(), factory.as_ref()))
    }

    /// Their names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.factories.keys().map(String::as_str)
    }
}
