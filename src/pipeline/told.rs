//! What the pipeline tells the log.

use super::Answer;
use crate::alert::{Alert, State};
use crate::sample::{Moment, Reason};
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

/// Has the log tell of what somebody outside has brought about.
pub(super) fn answer(answer: &Answer, now: Moment) {
    match answer {
        Answer::Alert(alert) => {
            let Alert { id, rule_id, message, .. } = alert;
            let (alert_id, severity) = (&**id, alert.severity.name());
            if alert.state == State::Resolved {
                tracing::info!(name: "alert_resolved", alert_id, rule_id, severity, "alert resolved");
            } else if alert.starts_at == now.wall {
                let text = message.as_str();
                tracing::warn!(name: "alert_fired", alert_id, rule_id, severity, text, "alert fired");
            }
        }
        Answer::Task(task) => {
            tracing::debug!(task_id = &*task.id, status = task.status.name(), "task changed");
        }
        Answer::Done | Answer::Published => {}
    }
}
