//! Alerts that are told together: which of them are news, and when it is time to say so.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::notice::Status;
use super::route::Times;
use super::{Kind, Labels, Notice};
use crate::severity::Severity;

/// A group of a route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    /// The route's key.
    pub(super) route: String,
    /// What its alerts have in common.
    pub(super) labels: Labels,
    members: BTreeMap<String, Member>,
    /// When it was last told of.
    sent: Option<Timestamp>,
    /// When its news are due, if there are any.
    flush: Option<Timestamp>,
}

/// An alert of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Member {
    notice: Notice,
    told: Option<Told>,
}

/// That an alert was told of as firing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    /// The first time.
    at: Timestamp,
    severity: Severity,
    /// Whether those to whom it is escalated know of it too.
    escalated: bool,
}

/// What is to be told of a group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct News {
    pub(super) kind: Kind,
    /// What fires, the worst first, then what is resolved.
    pub(super) alerts: Vec<Notice>,
    /// Those among them that were escalated before, and are resolved.
    pub(super) relieved: Vec<Notice>,
}

impl Group {
    pub(super) fn new(route: &str, labels: Labels) -> Self {
        let (members, sent, flush) = (BTreeMap::new(), None, None);
        Self { route: route.to_owned(), labels, members, sent, flush }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.members.contains_key(id)
    }

    /// The alerts in it.
    pub(super) fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.members.values().map(|member| &member.notice)
    }

    /// Leaves an alert out from now on.
    pub(super) fn forget(&mut self, id: &str) {
        self.members.remove(id);
    }

    /// Takes in what an alert has become.
    pub(super) fn hear(&mut self, notice: Notice, times: &Times, now: Timestamp) {
        let told = self.members.get(&notice.id).and_then(|member| member.told.clone());
        let is_news = match (notice.status, &told) {
            (Status::Firing, Some(told)) => notice.severity > told.severity,
            (Status::Firing, None) | (Status::Resolved, Some(_)) => true,
            // Who was not told that it fires need not know that it has ended.
            (Status::Resolved, None) | (Status::Pending | Status::Silenced, _) => {
                return self.forget(&notice.id);
            }
        };
        self.members.insert(notice.id.clone(), Member { notice, told });
        if is_news {
            let due = match self.sent {
                None => later(now, times.wait),
                Some(sent) => later(sent, times.interval).max(now),
            };
            self.flush = Some(self.flush.map_or(due, |flush| flush.min(due)));
        }
    }

    /// When somebody has to look at it again, if nothing happens before.
    pub(super) fn due(&self, times: &Times) -> Option<Timestamp> {
        let parts = [self.flush, self.repeat_due(times), self.escalation_due(times)];
        parts.into_iter().flatten().min()
    }

    /// What is to be told now, all of which counts as told from then on.
    pub(super) fn news(&mut self, times: &Times, now: Timestamp) -> Option<News> {
        let is_due = self.flush.is_some_and(|flush| flush <= now);
        let repeats = self.repeat_due(times).is_some_and(|due| due <= now);
        if !is_due && !repeats {
            return None;
        }
        self.flush = None;
        let has_news = self.members.values().any(Member::is_news);
        if !has_news && !repeats {
            return None;
        }
        let is_firing = self.members.values().any(|member| member.notice.is_firing());
        let kind = match (has_news, is_firing) {
            (true, true) => Kind::Firing,
            (true, false) => Kind::Resolved,
            (false, _) => Kind::Repeat,
        };
        let relieved = self.members.values().filter(|member| {
            !member.notice.is_firing() && member.told.as_ref().is_some_and(|told| told.escalated)
        });
        let relieved = relieved.map(|member| member.notice.clone()).collect();
        let alerts = self.worst_first(|_| true);
        self.members.retain(|_, member| member.notice.is_firing());
        for member in self.members.values_mut() {
            let severity = member.notice.severity;
            let first = Told { at: now, severity, escalated: false };
            member.told.get_or_insert(first).severity = severity;
        }
        self.sent = Some(now);
        Some(News { kind, alerts, relieved })
    }

    /// What is to be escalated now, which counts as such from then on.
    pub(super) fn escalation(&mut self, times: &Times, now: Timestamp) -> Option<News> {
        let after = times.escalate?;
        let is_due = |member: &Member| member.escalates_at(after).is_some_and(|due| due <= now);
        let alerts = self.worst_first(is_due);
        for member in self.members.values_mut().filter(|member| is_due(member)) {
            member.told.iter_mut().for_each(|told| told.escalated = true);
        }
        let relieved = Vec::new();
        (!alerts.is_empty()).then_some(News { kind: Kind::Escalation, alerts, relieved })
    }

    /// Nothing is later than the times allow, whatever the clock has done meanwhile.
    pub(super) fn restored(mut self, times: &Times, now: Timestamp) -> Self {
        let latest = later(now, times.wait.max(times.interval));
        self.flush = self.flush.map(|flush| flush.min(latest));
        self.sent = self.sent.map(|sent| sent.min(now));
        self
    }

    fn worst_first(&self, which: impl Fn(&Member) -> bool) -> Vec<Notice> {
        let members = self.members.values().filter(|member| which(member));
        let mut alerts: Vec<Notice> = members.map(|member| member.notice.clone()).collect();
        let rank = |alert: &Notice| (!alert.is_firing(), std::cmp::Reverse(alert.severity));
        alerts.sort_by(|one, other| rank(one).cmp(&rank(other)).then(one.id.cmp(&other.id)));
        alerts
    }

    fn repeat_due(&self, times: &Times) -> Option<Timestamp> {
        let waits = |member: &Member| member.is_unanswered() && member.told.is_some();
        let sent = self.sent.filter(|_| self.members.values().any(waits))?;
        Some(later(sent, times.repeat))
    }

    fn escalation_due(&self, times: &Times) -> Option<Timestamp> {
        let after = times.escalate?;
        self.members.values().filter_map(|member| member.escalates_at(after)).min()
    }
}

impl Member {
    fn is_unanswered(&self) -> bool {
        self.notice.is_firing() && !self.notice.is_acknowledged()
    }

    fn is_news(&self) -> bool {
        match &self.told {
            Some(told) => !self.notice.is_firing() || self.notice.severity > told.severity,
            None => true,
        }
    }

    fn escalates_at(&self, after: Duration) -> Option<Timestamp> {
        let told = self.told.as_ref().filter(|told| !told.escalated && self.is_unanswered())?;
        Some(later(told.at, after))
    }
}

/// As late as there are times, if not so late.
pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
