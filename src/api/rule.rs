//! Rules as Prometheus' HTTP API has them, with what is our own beside; and what they would have done.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::alert::{self, Health, Registry, State};
use crate::query;
use crate::sample::rfc3339;
use crate::severity::Severity;
use crate::units::HumanDuration;

/// The group of rules that name none.
const NO_GROUP: &str = "rules";

/// `data` of `GET /api/v1/rules`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RuleGroups {
    /// Those that Prometheus' rule files name, and "rules" for the others.
    pub groups: Vec<RuleGroup>,
}

/// Rules that are shown together.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RuleGroup {
    pub name: String,
    /// Empty: a rule may be put together from several files.
    pub file: &'static str,
    /// Seconds between two evaluations of its first rule.
    pub interval: f64,
    pub rules: Vec<AnyRule>,
}

/// A rule of either kind.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum AnyRule {
    Alerting(Box<Rule>),
    Recording(RecordingRule),
}

/// A recording rule, and how it is doing.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingRule {
    pub id: String,
    /// The name of its series.
    pub name: String,
    /// "recording".
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its expression.
    pub query: String,
    /// Seconds between two evaluations.
    pub interval: f64,
    pub labels: BTreeMap<String, String>,
    #[serde(flatten)]
    pub health: RuleHealth,
}

/// What the last evaluation of a rule came to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleHealth {
    /// "unknown" before the first evaluation, then "ok" or "err".
    pub health: &'static str,
    /// Why the last evaluation failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Seconds that the last evaluation took.
    pub evaluation_time: f64,
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_evaluation: Option<String>,
}

/// An alerting rule, and how it is doing.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub id: String,
    pub name: String,
    /// "alerting".
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// "inactive", "pending" or "firing": that of its worst alert, silenced or not.
    pub state: &'static str,
    /// Its expression.
    pub query: String,
    /// What the expression compares with a bound; all of it, if it ends in no comparison.
    pub compared: String,
    /// The condition for its alerts to be resolved, if it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve: Option<String>,
    pub severity: Severity,
    pub threshold: Option<f64>,
    /// Seconds for which its condition has to hold.
    pub duration: f64,
    /// Seconds for which its alerts go on after that.
    pub keep_firing_for: f64,
    /// Seconds between two evaluations.
    pub interval: f64,
    pub depends_on: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub alerts: Vec<RuleAlert>,
    #[serde(flatten)]
    pub health: RuleHealth,
}

/// An alert that is not resolved.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleAlert {
    /// As `/api/v1/alerts` has it.
    pub id: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// "pending", "firing" or "silenced".
    pub state: &'static str,
    /// RFC 3339, UTC.
    pub active_at: String,
    /// As text: "NaN", "+Inf" and "-Inf" are no JSON.
    pub value: String,
}

impl RuleGroups {
    /// All rules; of recording rules, how they are doing by their ids.
    pub fn new(alerts: &Registry, recordings: &BTreeMap<Arc<str>, Health>) -> Self {
        let rules = alerts.rules();
        let mut active: BTreeMap<&str, Vec<RuleAlert>> = BTreeMap::new();
        for alert in alerts.iter().filter(|it| it.of_rule && it.state != State::Resolved) {
            active.entry(&alert.rule_id).or_default().push(RuleAlert::from(alert));
        }
        let mut groups: BTreeMap<&str, Vec<AnyRule>> = BTreeMap::new();
        for rule in rules.recordings() {
            let shown = RecordingRule::new(rule, recordings.get(&rule.id));
            let group = groups.entry(rule.group.as_deref().unwrap_or(NO_GROUP)).or_default();
            group.push(AnyRule::Recording(shown));
        }
        for written in rules.config().rule.iter() {
            let Some(rule) = rules.get(&written.id) else { continue };
            let health = alerts.health(&rule.id);
            let mut shown = Rule::new(rule, health);
            shown.labels.clone_from(&written.labels);
            shown.annotations.clone_from(&written.annotations);
            shown.alerts = active.remove(&*rule.id).unwrap_or_default();
            shown.state = state_of(&shown.alerts);
            let group = groups.entry(rule.group.as_deref().unwrap_or(NO_GROUP)).or_default();
            group.push(AnyRule::Alerting(Box::new(shown)));
        }
        let group = |(name, rules): (&str, Vec<AnyRule>)| RuleGroup {
            name: name.to_owned(),
            file: "",
            interval: rules.first().map_or(0.0, AnyRule::interval),
            rules,
        };
        Self { groups: groups.into_iter().map(group).collect() }
    }
}

fn state_of(alerts: &[RuleAlert]) -> &'static str {
    let is = |state: State| alerts.iter().any(|alert| alert.state == state.name());
    if is(State::Firing) || is(State::Silenced) {
        "firing"
    } else if is(State::Pending) {
        "pending"
    } else {
        "inactive"
    }
}

impl Rule {
    fn new(rule: &alert::Rule, health: Option<&Health>) -> Self {
        Self {
            id: rule.id.to_string(),
            name: rule.name.clone(),
            kind: "alerting",
            state: "inactive",
            query: rule.expr.clone(),
            compared: rule.query.compared(),
            resolve: rule.resolve.clone(),
            severity: rule.severity,
            threshold: rule.threshold,
            duration: rule.hold.as_secs_f64(),
            keep_firing_for: rule.keep_firing_for.as_secs_f64(),
            interval: rule.interval.as_secs_f64(),
            depends_on: rule.depends_on.clone(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            alerts: Vec::new(),
            health: health.into(),
        }
    }
}

impl AnyRule {
    fn interval(&self) -> f64 {
        match self {
            Self::Alerting(rule) => rule.interval,
            Self::Recording(rule) => rule.interval,
        }
    }
}

impl RecordingRule {
    fn new(rule: &alert::Recording, health: Option<&Health>) -> Self {
        Self {
            id: rule.id.to_string(),
            name: rule.record.clone(),
            kind: "recording",
            query: rule.expr.clone(),
            interval: rule.interval.as_secs_f64(),
            labels: rule.labels.clone(),
            health: health.into(),
        }
    }
}

impl From<Option<&Health>> for RuleHealth {
    fn from(health: Option<&Health>) -> Self {
        Self {
            health: match health {
                None => "unknown",
                Some(health) if health.error.is_none() => "ok",
                Some(_) => "err",
            },
            last_error: health.and_then(|health| health.error.clone()),
            evaluation_time: health.map_or(0.0, |health| health.took.as_secs_f64()),
            last_evaluation: health.map(|health| rfc3339(health.at)),
        }
    }
}

impl From<&alert::Alert> for RuleAlert {
    fn from(alert: &alert::Alert) -> Self {
        let own = ["alertname", "severity"].into_iter();
        let own = own.filter_map(|name| Some((name.to_owned(), alert.label(name)?.to_owned())));
        let mut labels: BTreeMap<String, String> = own.collect();
        labels.extend(alert.labels.clone());
        Self {
            id: alert.id.to_string(),
            labels,
            annotations: alert.annotations.clone(),
            state: alert.state.name(),
            active_at: rfc3339(alert.starts_at),
            value: alert.value.map(query::text).unwrap_or_default(),
        }
    }
}

/// `data` of `GET /api/v1/rules/replay`: what rules would have done.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Replays {
    /// RFC 3339, UTC.
    pub from: String,
    pub to: String,
    pub rules: Vec<Replay>,
}

/// What one rule would have done.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Replay {
    pub id: String,
    pub name: String,
    pub severity: Severity,
    /// Oldest first.
    pub firings: Vec<Firing>,
    /// Why it is not known, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A time for which an alert would have been firing.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Firing {
    /// The alert's id.
    pub id: String,
    pub labels: BTreeMap<String, String>,
    pub message: String,
    pub value: Option<f64>,
    /// RFC 3339, UTC.
    pub from: String,
    /// Absent if it still would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How long it would have been firing: "2h30m".
    #[schemars(with = "String")]
    #[serde(serialize_with = "super::brief")]
    pub lasted: HumanDuration,
}

impl Replay {
    /// What came of the replay of this rule, which ended at `end`.
    pub fn new(rule: &alert::Rule, replay: &alert::Replay, end: jiff::Timestamp) -> Self {
        let firing = |firing: &alert::Firing| {
            let lasted = firing.to.unwrap_or(end).duration_since(firing.from);
            let lasted = std::time::Duration::try_from(lasted).unwrap_or_default();
            Firing {
                id: firing.alert.id.to_string(),
                labels: firing.alert.labels.clone(),
                message: firing.alert.message.clone(),
                value: firing.alert.value,
                from: rfc3339(firing.from),
                to: firing.to.map(rfc3339),
                lasted: HumanDuration(lasted),
            }
        };
        Self {
            id: rule.id.to_string(),
            name: rule.name.clone(),
            severity: rule.severity,
            firings: replay.firings.iter().map(firing).collect(),
            error: replay.error.clone(),
        }
    }
}
