//! Sets tracing up: text on a terminal, journald under systemd. Nobody who logs ever waits: a line that
//! cannot be written at once is lost, and counted.

mod journal_layer;
mod lost;
mod message_id;
mod stderr;

pub use lost::lines_lost;
pub use message_id::MESSAGE_IDS;

use std::io::{self, IsTerminal as _};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::systemd::journal::{self, Journal};
use journal_layer::JournalLayer;
use stderr::Stderr;

/// The log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The least severe lines that are written.
    pub level: Level,
    /// Where they go: "auto" is journald when systemd started us, else text on standard error.
    pub format: Format,
}

/// How severe a log line is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// Where log lines go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// To journald when systemd started us, else text.
    #[default]
    Auto,
    /// Text on standard error.
    Text,
    /// The journal's own protocol, with fields.
    Journald,
}

/// The log of this process.
pub struct Telemetry {
    level: reload::Handle<LevelFilter, Registry>,
    /// Whether lines go to the journal.
    pub is_journal: bool,
}

impl Telemetry {
    /// Starts logging. Where the journal was asked for and does not answer, text goes to standard
    /// error, with a line that says so.
    ///
    /// # Errors
    /// If this process logs already.
    pub fn start(config: &Config) -> Result<Self, tracing_subscriber::util::TryInitError> {
        let wants_journal = match config.format {
            Format::Auto => journal::is_connected(),
            Format::Text => false,
            Format::Journald => true,
        };
        let journal = wants_journal.then(|| Journal::connect().map(JournalLayer)).transpose();
        let (journal, missing) = match journal {
            Ok(journal) => (journal, None),
            Err(error) => (None, Some(error)),
        };
        let is_journal = journal.is_some();
        let text = (!is_journal).then(|| {
            let lines = fmt::layer().with_writer(Stderr).with_target(false);
            lines.with_ansi(io::stderr().is_terminal())
        });
        let (filter, level) = reload::Layer::new(LevelFilter::from(config.level));
        let layers = journal.map(Layer::boxed).into_iter().chain(text.map(Layer::boxed));
        let layers: Vec<_> = layers.collect();
        Registry::default().with(layers.with_filter(filter)).try_init()?;
        if let Some(error) = missing {
            tracing::warn!(%error, "journald does not answer; the log goes to standard error");
        }
        Ok(Self { level, is_journal })
    }

    /// Adopts a new level.
    pub fn set_level(&self, level: Level) {
        if let Err(error) = self.level.modify(|filter| *filter = level.into()) {
            tracing::warn!(%error, "cannot change the log level");
        }
    }
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
            Level::Trace => LevelFilter::TRACE,
        }
    }
}
