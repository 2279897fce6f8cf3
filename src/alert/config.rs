//! `[alerts]`: how many alerts are kept, how rules are evaluated, and the rules themselves.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::severity::Severity;
use crate::units::HumanDuration;

/// Alerts and the rules that fire them. Rules are also in the files alerts.d/*.toml beside the main
/// one, as `[[alerts.rule]]` like here, and in alerts.d/*.yml, as Prometheus has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Alerts kept; at the bound the one that was resolved longest ago makes room.
    pub max_alerts: usize,
    /// Time between two evaluations of a rule that does not say otherwise.
    pub interval: HumanDuration,
    /// Rules that there may be, and recording rules.
    pub max_rules: usize,
    /// Alerts that one rule may have at once; a rule whose expression gives more fails.
    pub max_alerts_per_rule: usize,
    /// Silences that there may be.
    pub max_silences: usize,
    /// How long after a start an alert of before is not resolved for want of samples.
    pub start_grace: HumanDuration,
    /// An alert that begins to fire so often within `flap_window` is flapping: it is resolved only
    /// when its condition has not held for as long as that. 0 means that none is ever flapping.
    pub flap_count: usize,
    /// See `flap_count`.
    pub flap_window: HumanDuration,
    /// A rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rule: Vec<RuleConfig>,
    /// A recording rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub record: Vec<RecordConfig>,
    /// Alerts that keep others silent while they are firing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inhibit: Vec<InhibitConfig>,
    /// Times at which alerts are silent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<MaintenanceConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_alerts: 1_000,
            interval: HumanDuration::secs(15),
            max_rules: 2_000,
            max_alerts_per_rule: 100,
            max_silences: 1_000,
            start_grace: HumanDuration::secs(60),
            flap_count: 5,
            flap_window: HumanDuration::secs(600),
            rule: Vec::new(),
            record: Vec::new(),
            inhibit: Vec::new(),
            maintenance: Vec::new(),
        }
    }
}

/// A rule: what its expression gives are its alerts. A later file may change keys of it by its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// What tells it from other rules.
    #[schemars(extend("examples" = ["cpu-high"]))]
    pub id: String,
    /// What people call it; the id, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["High CPU usage"]))]
    pub name: Option<String>,
    /// Whether it is evaluated.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The condition, in PromQL: an alert for each element of its result.
    #[schemars(extend("examples" = ["system_cpu_usage_percent > 90"]))]
    pub expr: String,
    /// A second condition, which is a comparison: an alert that is firing is resolved only when this
    /// holds, so that it does not come and go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["system_cpu_usage_percent < 70"]))]
    pub resolve: Option<String>,
    /// How long the condition has to hold before the alert is firing.
    #[serde(default, rename = "for", skip_serializing_if = "is_zero")]
    pub hold: HumanDuration,
    /// How long the alert goes on firing after the condition no longer holds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub keep_firing_for: HumanDuration,
    /// How bad it is.
    #[serde(default = "medium")]
    pub severity: Severity,
    /// What it says, with places for labels and the value: {{ $labels.device }}, {{ $value }}.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["CPU usage is {{ $value | printf \"%.1f\" }} %"]))]
    pub message: Option<String>,
    /// The bound of the condition, for clients; that of the expression, if it ends in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Time between two evaluations; that of `[alerts]`, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<HumanDuration>,
    /// Ids of rules: while one of them has a firing alert, those of this one are silent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["network-down"]]))]
    pub depends_on: Vec<String>,
    /// The group that it is shown in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["host"]))]
    pub group: Option<String>,
    /// Added to the labels of each of its alerts; may have places.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What there is to know besides; may have places.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A recording rule: what its expression gives is kept as series of a name of its own, which queries,
/// rules and /metrics know. The collector `recording-rules` evaluates all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordConfig {
    /// What tells it from other recording rules.
    #[schemars(extend("examples" = ["cpu-busy"]))]
    pub id: String,
    /// The name of its series.
    #[schemars(extend("examples" = ["host:cpu_busy:ratio"]))]
    pub record: String,
    /// What they are, in PromQL.
    #[schemars(extend("examples" = ["avg(rate(node_cpu_seconds_total{mode!=\"idle\"}[5m]))"]))]
    pub expr: String,
    /// Time between two evaluations; that of `[alerts]`, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<HumanDuration>,
    /// The group that it is shown in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["host"]))]
    pub group: Option<String>,
    /// Added to the labels of each of its series; an empty one takes a label away.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Alerts that keep others silent while they are firing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InhibitConfig {
    /// What it is called.
    #[schemars(extend("examples" = ["only-the-worst"]))]
    pub name: String,
    /// The alerts that silence others, by their labels.
    #[schemars(extend("examples" = [["severity=critical"]]))]
    pub source: Vec<String>,
    /// The alerts that are silenced, by their labels.
    #[schemars(extend("examples" = [["severity=~info|low"]]))]
    pub target: Vec<String>,
    /// Labels in which the two have to agree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["device"]]))]
    pub equal: Vec<String>,
}

/// Times at which alerts are silent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceConfig {
    /// What it is called.
    #[schemars(extend("examples" = ["updates"]))]
    pub name: String,
    /// When it begins, as cron(8) has it: minute, hour, day of the month, month, day of the week.
    #[schemars(extend("examples" = ["30 2 * * SUN"]))]
    pub schedule: String,
    /// How long it takes.
    pub duration: HumanDuration,
    /// The time zone of the schedule, such as "Europe/Berlin".
    #[serde(default = "utc")]
    #[schemars(extend("examples" = ["Europe/Berlin"]))]
    pub timezone: String,
    /// The alerts that are silenced, by their labels; all, if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["severity=low"]]))]
    pub matchers: Vec<String>,
}

fn yes() -> bool {
    true
}

fn is_zero(duration: &HumanDuration) -> bool {
    duration.is_zero()
}

fn medium() -> Severity {
    Severity::Medium
}

fn utc() -> String {
    "UTC".to_owned()
}
