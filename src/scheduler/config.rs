//! `[collectors]` and `[[collector]]`: what is collected, how often, and within what bounds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plugin::Isolation;
use crate::units::HumanDuration;

/// What holds for every collector that does not say otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Time between two collections, at least 100ms. Ticks fall on multiples of it.
    pub interval: HumanDuration,
    /// Every tick is late by a random time up to this one.
    pub jitter: HumanDuration,
    /// A collection that takes longer has failed.
    pub deadline: HumanDuration,
    /// After failures the interval doubles each time, up to this one.
    pub backoff_max: HumanDuration,
    /// After so many failures in a row it is broken: tried only every `backoff_max`, until one
    /// collection succeeds or somebody has it restarted.
    pub max_failures: u32,
    /// Where the host's /proc and /sys are found.
    pub root: PathBuf,
    /// Samples that one collection may bring; more are dropped and counted.
    pub max_samples: usize,
    /// Labels that one sample may have.
    pub max_labels: usize,
    /// Bytes that a metric name, label name or label value may have.
    pub max_text: usize,
    /// How far the time that a sample bears itself may be from that of its collection, before or
    /// after; a sample beyond is dropped and counted.
    pub max_clock_skew: HumanDuration,
    /// What becomes of a gauge that is infinite or not a number: "drop" counts it, "keep" passes it
    /// on. Such a counter is always dropped.
    pub non_finite: NonFinite,
}

/// What becomes of a gauge that is infinite or not a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NonFinite {
    /// It is dropped and counted: hardly ever does a collector mean it.
    #[default]
    Drop,
    /// It is kept; in JSON it is null.
    Keep,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: HumanDuration::secs(5),
            jitter: HumanDuration::secs(0),
            deadline: HumanDuration::secs(10),
            backoff_max: HumanDuration::secs(300),
            max_failures: 10,
            root: PathBuf::from("/"),
            max_samples: 10_000,
            max_labels: 32,
            max_text: 1_024,
            max_clock_skew: HumanDuration::secs(300),
            non_finite: NonFinite::Drop,
        }
    }
}

/// One collector. The built-in ones run without being named; an entry of the same name changes one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// What it is called in messages and metrics; the plugin's name if absent. One with a `command`
    /// needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The plugin that collects.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub plugin: String,
    /// Instead of a plugin: the absolute path of a program that prints samples, and its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["/path/of/a/program", "argument"]]))]
    pub command: Vec<String>,
    /// Where the code of a library runs; "inline" is in the daemon itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub isolation: Isolation,
    /// Whether it runs.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Time between two collections; the plugin's own, else that of `[collectors]`, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<HumanDuration>,
    /// As in `[collectors]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<HumanDuration>,
    /// As in `[collectors]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<HumanDuration>,
    /// As in `[collectors]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_finite: Option<NonFinite>,
    /// Capabilities of the daemon that its program, or the child of its library, keeps; it keeps no
    /// others. See capabilities(7).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["CAP_NET_RAW"]]))]
    pub capabilities: Vec<String>,
    /// Credentials of the service (LoadCredential= of systemd.exec(5)) that its program, or the child
    /// of its library, reads from $CREDENTIALS_DIRECTORY.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["db-password"]]))]
    pub credentials: Vec<String>,
    /// Added to each of its samples.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The plugin's own configuration.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub config: serde_json::Map<String, serde_json::Value>,
}

/// The plugin that runs programs, and the key by which it is told which.
pub(super) const COMMAND: &str = "command";

fn is_default(isolation: &Isolation) -> bool {
    *isolation == Isolation::default()
}

fn yes() -> bool {
    true
}

impl Instance {
    /// The entry that runs `plugin` with nothing but defaults.
    pub fn of(plugin: &str) -> Self {
        Self {
            name: None,
            plugin: plugin.to_owned(),
            command: Vec::new(),
            isolation: Isolation::default(),
            enabled: true,
            interval: None,
            jitter: None,
            deadline: None,
            non_finite: None,
            capabilities: Vec::new(),
            credentials: Vec::new(),
            labels: BTreeMap::new(),
            config: serde_json::Map::new(),
        }
    }

    /// The plugin that collects; a command is run by the plugin of that name.
    pub fn plugin(&self) -> &str {
        if self.command.is_empty() { &self.plugin } else { COMMAND }
    }

    /// The plugin's own configuration, the command included.
    pub fn plugin_config(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut config = self.config.clone();
        if !self.command.is_empty() {
            config.insert(COMMAND.to_owned(), self.command.clone().into());
        }
        config
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.plugin)
    }
}
