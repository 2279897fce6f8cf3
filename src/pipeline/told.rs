//! What the pipeline tells the log.

use super::Answer;
use crate::alert::{Alert, State};
use crate::sample::Reason;
use crate::store::Notice;

/// Has the log tell of what a batch brought to notice.
pub(super) fn notice(notice: &Notice) {
    match notice {
        Notice::Resets { collector, count, series } => {
            tracing::info!(collector = &**collector, count, series, "counters went down");
        }
        Notice::Rejected { collector, rejected } => {
            // A field that is none is not shown.
            let count = |reason| Some(rejected.count(reason)).filter(|count| *count > 0);
            tracing::warn!(
                collector = &**collector,
                invalid = count(Reason::Invalid),
                value = count(Reason::Value),
                duplicate = count(Reason::Duplicate),
                limit = count(Reason::Limit),
                timestamp = count(Reason::Timestamp),
                first = rejected.first().map(|(_, what)| what),
                "samples refused"
            );
        }
    }
}

/// Has the log tell of an alert that has changed.
pub(super) fn alert(alert: &Alert) {
    let Alert { id, rule_id, message, .. } = alert;
    let (alert_id, severity) = (&**id, alert.severity.name());
    let is_last = |state| alert.transitions.back().is_some_and(|last| last.state == state);
    let text = message.as_str();
    match alert.state {
        State::Firing if is_last(State::Firing) => {
            tracing::warn!(name: "alert_fired", alert_id, rule_id, severity, text, "alert fired");
        }
        State::Silenced => {
            let by = alert.silenced_by.as_deref();
            tracing::info!(name: "alert_silenced", alert_id, rule_id, severity, by, "alert silenced");
        }
        State::Resolved => {
            tracing::info!(name: "alert_resolved", alert_id, rule_id, severity, "alert resolved");
        }
        State::Firing | State::Pending => {}
    }
}

/// Has the log tell of what somebody outside has brought about.
pub(super) fn answer(answer: &Answer) {
    match answer {
        Answer::Task(task) => {
            tracing::debug!(task_id = &*task.id, status = task.status.name(), "task changed");
        }
        Answer::Silence(silence) => {
            let (silence_id, by) = (&*silence.id, silence.by.as_str());
            tracing::info!(silence_id, by, until = %silence.ends_at, "alerts silenced");
        }
        Answer::Alert(_) | Answer::Done | Answer::Published => {}
    }
}
