//! How bad an alert is: five levels, and their order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The level of an alert, least first, so that levels compare.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// Every level, least first.
    pub const ALL: [Severity; 5] =
        [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The level of this name.
    pub fn of(name: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|level| level.name() == name)
    }

    /// Its name in messages and filters.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}
