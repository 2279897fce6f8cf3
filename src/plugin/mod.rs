//! The plugin host: from a configured name to a source of batches.

mod builtin;
mod capability;
pub mod child;
mod config;
mod dropin;
mod folder;
mod host;
pub mod library;
pub mod process;
pub mod wire;

pub use builtin::{INTERNAL, RECORDING_RULES, builtins, is_builtin, needs_daemon};
pub use capability::Capabilities;
pub use config::{Config, Isolation};
pub use dropin::DropIn;
pub use folder::trusted;
pub use host::{PluginHost, Refused};

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use gz_monitor_sdk::{Host, Kind, Reload};
use serde_json::{Map, Value as Json};

use crate::sample::{BatchBuilder, Value};

/// Why a source gave no samples, or cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It will not work before its configuration changes.
    #[error("{0}")]
    Permanent(String),
    /// There is nothing to measure on this machine, which is no failure.
    #[error("{0}")]
    Absent(String),
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

    /// Takes a new configuration, or says that a source is to be made anew with it.
    ///
    /// # Errors
    /// [`Failure::Poisoned`] if it broke over it and has to be made anew; after any other the old
    /// configuration stays in force.
    fn reload(&mut self, config: &Map<String, Json>) -> Result<Reload, Failure> {
        let _ = config;
        Ok(Reload::Restart)
    }

    /// Ends it in good order, within a bound; nothing else is called after it. One that is dropped
    /// without it is ended as quickly as can be.
    ///
    /// # Errors
    /// How it ended, if not well. It has ended all the same.
    fn end(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// A number as the store has it, of the kind that a plugin says it is.
fn value(kind: Kind, number: f64) -> Value {
    match kind {
        Kind::Gauge => Value::Gauge(number),
        Kind::Counter => Value::Counter(number),
    }
}

/// What a source is made for.
pub struct Context {
    /// The collector's name.
    pub name: String,
    pub host: Host,
    /// How long one call may take.
    pub deadline: Duration,
    /// Where a library runs.
    pub isolation: Isolation,
    /// Samples that one collection may bring.
    pub max_samples: usize,
    /// What of the daemon's own its child gets.
    pub wanted: process::Wanted,
    /// How often a program was started for this collector so far.
    pub starts: Arc<AtomicU64>,
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

    /// Tells this plugin from one of the same name that comes in its place; 0 for what is part of the
    /// program.
    fn revision(&self) -> u64 {
        0
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
