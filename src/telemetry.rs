//! Sets tracing up: text on a terminal, journald under systemd.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
