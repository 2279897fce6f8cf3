//! `[[notify.route]]`: which alerts go to which channels.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::severity::Severity;
use crate::units::HumanDuration;

/// Which alerts go to which channels, in what groups, and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// What it is called. If absent: by what it matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"night")]
    pub name: Option<String>,
    /// The channels that are told, by name.
    #[schemars(example = &["ops"])]
    pub channels: Vec<String>,
    /// Conditions on labels, all of which hold: job=web, device!=sda, host=~"web.*", host!~"db.*".
    /// severity, alertname and rule_id are labels of every alert.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = &["job=web"])]
    pub matches: Vec<String>,
    /// Alerts at or above this level.
    #[serde(default = "info")]
    pub severity: Severity,
    /// Whether the routes behind it are tried as well.
    #[serde(default, rename = "continue")]
    pub goes_on: bool,
    /// Alerts with equal values of these labels are told in one notification; "..." stands for all.
    /// If empty, all alerts of the route are one group.
    #[serde(default = "by_name")]
    #[schemars(example = &["alertname"])]
    pub group_by: Vec<String>,
    /// Instead of notify.group_wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<HumanDuration>,
    /// Instead of notify.group_interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_interval: Option<HumanDuration>,
    /// Instead of notify.repeat_interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_interval: Option<HumanDuration>,
    /// What fires for so long after it was first told, and nobody has acknowledged, goes to
    /// escalate_to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after: Option<HumanDuration>,
    /// The channels that are told then, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = &["boss"])]
    pub escalate_to: Vec<String>,
}

fn info() -> Severity {
    Severity::Info
}

fn by_name() -> Vec<String> {
    vec!["alertname".to_owned()]
}

impl RouteConfig {
    /// Every alert to these channels.
    pub fn to(channels: Vec<String>) -> Self {
        Self {
            name: None,
            channels,
            matches: Vec::new(),
            severity: info(),
            goes_on: false,
            group_by: by_name(),
            group_wait: None,
            group_interval: None,
            repeat_interval: None,
            escalate_after: None,
            escalate_to: Vec::new(),
        }
    }

    /// What tells it from other routes, whatever it does with its alerts: a change of times or
    /// channels does not make it another one.
    pub fn key(&self) -> String {
        let named = self.name.clone();
        named.unwrap_or_else(|| format!("{}:{}", self.severity.name(), self.matches.join(",")))
    }
}
