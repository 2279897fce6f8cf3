//! Sets tracing up: text on a terminal, journald under systemd. Nobody who logs ever waits: lines go
//! into a queue, which one thread writes out, and what does not fit is lost, and counted.

mod journal;
mod line;
mod lost;
mod message_id;
mod queue;
#[cfg(test)]
mod tests;
mod text;

pub use lost::lines_lost;
pub use message_id::MESSAGE_IDS;

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{Registry, reload};

use crate::systemd::journal::is_connected;
use journal::Journal;
use lost::LOST;
use queue::{Backlog, LINES_MAX, Queue, queue};
use text::Text;

/// How long the start waits to learn whether there is a journal. One that does not even refuse is
/// there, and busy.
const JOURNAL_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the end waits for the last lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// The log of this process, once it has one.
static QUEUE: OnceLock<Queue> = OnceLock::new();

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

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    LogsAlready(#[from] TryInitError),
    #[error("cannot start the thread that writes the log: {0}")]
    Thread(#[from] io::Error),
}

/// At its end, also by a panic, what is queued of the log is written, unless that takes too long.
pub struct FlushAtEnd;

impl Drop for FlushAtEnd {
    fn drop(&mut self) {
        if let Some(queue) = QUEUE.get() {
            queue.flush(FLUSH_TIMEOUT);
        }
    }
}

impl Telemetry {
    /// Starts logging. Where the journal was asked for and does not answer, text goes to standard
    /// error, with a line that says so.
    ///
    /// # Errors
    /// If this process logs already, or can have no further thread.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        let wants_journal = match config.format {
            Format::Auto => is_connected(),
            Format::Text => false,
            Format::Journald => true,
        };
        let (filter, level) = reload::Layer::new(LevelFilter::from(config.level));
        let (queue, backlog) = queue(LINES_MAX, &LOST);
        Registry::default().with(filter).with(queue.clone()).try_init()?;
        let _ = QUEUE.set(queue);
        let (sender, found) = sync_channel(1);
        let writer = std::thread::Builder::new().name("log".to_owned());
        writer.spawn(move || write(backlog, wants_journal, &sender))?;
        let is_journal = wants_journal && found.recv_timeout(JOURNAL_TIMEOUT).unwrap_or(true);
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

/// Writes the log, from its first line to the end of the process. Says whether there is a journal.
fn write(backlog: Backlog, wants_journal: bool, found: &SyncSender<bool>) {
    let journal = wants_journal.then(Journal::connect).transpose();
    // The start may wait no longer.
    let _ = found.try_send(matches!(journal, Ok(Some(_))));
    if let Ok(Some(mut journal)) = journal {
        return backlog.write(|line| {
            journal.write(line);
            Ok(())
        });
    }
    if let Err(error) = journal {
        tracing::warn!(%error, "journald does not answer; the log goes to standard error");
    }
    let text = Text::on_stderr();
    backlog.write(|line| text.write(&line));
}
