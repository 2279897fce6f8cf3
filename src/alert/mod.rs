//! Alerts from rules and from outside, their states and their counts.

mod config;
mod registry;

pub use config::Config;
pub use registry::{Error, Registry, Report, id_of};

use std::sync::Arc;

use jiff::Timestamp;

use crate::severity::Severity;

/// Something that somebody should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub id: Arc<str>,
    pub rule_id: String,
    pub rule_name: String,
    pub state: State,
    pub severity: Severity,
    pub message: String,
    /// What was measured, and the bound it passed.
    pub value: Option<f64>,
    pub threshold: Option<f64>,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
}

/// What became of one alert, for whoever keeps alerts.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// It is as this says.
    Kept(Alert),
    /// The alert of this id is gone.
    Gone(Arc<str>),
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Firing,
    Resolved,
}

impl State {
    /// The state of this name.
    pub fn of(name: &str) -> Option<State> {
        [State::Firing, State::Resolved].into_iter().find(|state| state.name() == name)
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            State::Firing => "firing",
            State::Resolved => "resolved",
        }
    }
}

/// How many alerts there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    pub rules: usize,
    pub alerts: usize,
    pub firing: usize,
    pub resolved: usize,
    pub silenced: usize,
}
