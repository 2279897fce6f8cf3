//! What one input does to alerts: how each was before, so that one message tells of all of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Alert, State};
use crate::severity::Severity;

/// An alert of which clients are to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub alert: Alert,
    /// The higher of its level before and now: whoever saw it learns that it was lowered.
    pub level: Severity,
}

/// The alerts that an input has changed, and how each was before.
#[derive(Debug, Default)]
pub(super) struct Changes(pub(super) BTreeMap<Arc<str>, Before>);

/// How an alert was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Before {
    /// None if there was no such alert.
    pub(super) state: Option<State>,
    pub(super) severity: Severity,
    /// Why it has changed.
    pub(super) cause: String,
    /// Whether clients are told even if neither its state nor its level has changed.
    pub(super) is_news: bool,
    /// Whether it is remembered all the same.
    pub(super) is_noted: bool,
}

impl Changes {
    /// Something of `alert` is about to change that is kept.
    pub(super) fn keep(&mut self, alert: &Alert) -> &mut Before {
        self.0.entry(alert.id.clone()).or_insert_with(|| Before {
            state: Some(alert.state),
            severity: alert.severity,
            cause: String::new(),
            is_news: false,
            is_noted: false,
        })
    }

    /// `alert` is about to change for this reason.
    pub(super) fn because(&mut self, alert: &Alert, cause: impl Into<String>) {
        self.keep(alert).cause = cause.into();
    }

    /// An alert has just come to be.
    pub(super) fn begin(&mut self, alert: &Alert) {
        let (severity, cause) = (alert.severity, String::new());
        let before = Before { state: None, severity, cause, is_news: false, is_noted: false };
        self.0.entry(alert.id.clone()).or_insert(before);
    }
}

impl Before {
    /// Whether clients are told of what became of it. What is pending is no news yet, nor that it no
    /// longer is.
    pub(super) fn tells(&self, alert: &Alert) -> bool {
        let was_heard = self.state.is_some_and(|state| state != State::Pending);
        let entered = self.state != Some(alert.state);
        match alert.state {
            State::Pending => false,
            State::Resolved => was_heard && entered || self.is_news,
            State::Firing | State::Silenced => {
                entered || self.severity != alert.severity || self.is_news
            }
        }
    }
}
