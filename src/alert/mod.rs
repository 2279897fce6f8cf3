//! Alerts from rules and from outside, their states and their counts.
//!
//! `rules.rs` is what is evaluated, read from `config.rs`, and `judge.rs` what a rule gives at one time;
//! who evaluates rules hands a [`Round`] to the [`Registry`]. `round.rs` is what becomes of alerts then,
//! `muting.rs` which of them are silent, and `replay.rs` plays all of that over the past. `recording.rs` is
//! a rule of the other kind, which has series in place of alerts.

mod changes;
mod config;
mod error;
mod judge;
mod matcher;
mod muting;
mod recording;
mod registry;
mod replay;
mod round;
mod rule;
mod rules;
mod silence;
mod template;
#[cfg(test)]
mod tests;
mod window;

pub use changes::Told;
pub use config::{Config, InhibitConfig, MaintenanceConfig, RecordConfig, RuleConfig};
pub use error::Error;
pub use judge::judge;
pub use matcher::{Matcher, MatcherError};
pub use recording::{Recorded, Recording};
pub use registry::{Acknowledge, Registry, Report, id_of};
pub use replay::{Firing, Past, Replay, replay};
pub use round::{Evaluations, Health, Outcome, Round, Ruling};
pub use rule::{Mistake, Rule, Seen};
pub use rules::{BadEntry, Rules};
pub use silence::{NewSilence, Silence, SilenceError};
pub use template::{Filling, Template, TemplateError};

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::severity::Severity;

/// Names and their texts, in the order of the names.
pub type Labels = BTreeMap<String, String>;

/// So many of an alert's last transitions are kept.
const MAX_TRANSITIONS: usize = 32;

/// Something that somebody should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Stable for a rule and a label set: see [`id_of`].
    pub id: Arc<str>,
    pub rule_id: String,
    pub rule_name: String,
    pub state: State,
    pub severity: Severity,
    /// Those of its series and of its rule, as [`Alert::label`] has them beside its own.
    pub labels: Labels,
    pub annotations: Labels,
    pub message: String,
    /// What was measured, and the bound it passed.
    pub value: Option<f64>,
    pub threshold: Option<f64>,
    /// Whether a rule of ours fires it, or somebody outside.
    pub of_rule: bool,
    /// Since when its condition holds, whether it is firing yet or not.
    pub starts_at: Timestamp,
    /// Since when it is resolved.
    pub ends_at: Option<Timestamp>,
    /// Who has taken it on, since it began.
    pub acknowledgement: Option<Acknowledgement>,
    /// What keeps it silent, if it is, in words.
    pub silenced_by: Option<String>,
    /// Since when its condition no longer holds, while it goes on firing all the same.
    pub lapsed_at: Option<Timestamp>,
    /// Whether it came and went so often that its end is waited for.
    pub flapping: bool,
    /// When it was firing the last time, while it is pending again.
    pub last_time: Option<(Timestamp, Timestamp)>,
    /// The last of its changes, oldest first.
    pub transitions: VecDeque<Transition>,
}

/// That somebody knows of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    pub by: String,
    /// May be empty.
    pub comment: String,
    pub at: Timestamp,
}

/// One change of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    pub at: Timestamp,
    /// What it was from then on.
    pub state: State,
    pub value: Option<f64>,
    /// Why, in words.
    pub cause: String,
}

impl Alert {
    /// The label of this name. `alertname`, `rule_id` and `severity` are what every alert has; where
    /// its labels have the same name, they go first.
    pub fn label(&self, name: &str) -> Option<&str> {
        let own = self.labels.get(name).map(String::as_str);
        own.or_else(|| match name {
            "alertname" => Some(self.rule_name.as_str()),
            "rule_id" => Some(self.rule_id.as_str()),
            "severity" => Some(self.severity.name()),
            _ => None,
        })
    }

    /// It is over, from now on.
    fn resolve(&mut self, now: Timestamp) {
        self.state = State::Resolved;
        self.ends_at = Some(now);
        (self.lapsed_at, self.silenced_by, self.flapping) = (None, None, false);
    }

    /// Remembers that something has happened to it.
    fn note(&mut self, now: Timestamp, cause: impl Into<String>) {
        if self.transitions.len() == MAX_TRANSITIONS {
            self.transitions.pop_front();
        }
        let (state, value, cause) = (self.state, self.value, cause.into());
        self.transitions.push_back(Transition { at: now, state, value, cause });
    }
}

/// What became of one alert, for whoever keeps alerts.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all entries are alerts")]
pub enum Entry {
    /// It is as this says.
    Kept(Alert),
    /// The alert of this id is gone.
    Gone(Arc<str>),
    /// There is this silence.
    Silenced(Silence),
    /// The silence of this id is over.
    Heard(Arc<str>),
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its condition holds, but not for long enough.
    Pending,
    Firing,
    /// It would be firing, if nothing kept it silent.
    Silenced,
    Resolved,
}

impl State {
    /// Every state.
    pub const ALL: [State; 4] = [State::Pending, State::Firing, State::Silenced, State::Resolved];

    /// The state of this name.
    pub fn of(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Firing => "firing",
            State::Silenced => "silenced",
            State::Resolved => "resolved",
        }
    }

    /// Whether it is firing, heard or not.
    pub fn is_active(self) -> bool {
        matches!(self, State::Firing | State::Silenced)
    }
}

/// How many alerts there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    pub rules: usize,
    /// Those of the other three; what is pending is none yet.
    pub alerts: usize,
    pub firing: usize,
    pub resolved: usize,
    pub silenced: usize,
}
