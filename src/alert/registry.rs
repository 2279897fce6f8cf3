//! All alerts, and the only ways to change one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use sha1::{Digest, Sha1};

use super::{Alert, Config, Entry, Labels, State, Stats};
use crate::bounds::OutOfBounds;
use crate::sample::{brief, is_label_name};
use crate::severity::Severity;

const NAME_BYTES_MAX: usize = 256;
const MESSAGE_BYTES_MAX: usize = 4096;
/// Labels, and annotations, that a report may have.
const LABELS_MAX: usize = 32;

/// What somebody outside reports.
#[derive(Debug, Clone)]
pub struct Report {
    pub rule_id: String,
    pub rule_name: String,
    pub severity: Severity,
    /// They tell alerts of one rule apart.
    pub labels: Labels,
    pub annotations: Labels,
    pub message: String,
    pub value: Option<f64>,
    pub threshold: Option<f64>,
}

impl Report {
    fn check(&self) -> Result<(), Error> {
        OutOfBounds::check("rule_id", self.rule_id.len(), NAME_BYTES_MAX)?;
        OutOfBounds::check("rule_name", self.rule_name.len(), NAME_BYTES_MAX)?;
        OutOfBounds::check("message", self.message.len(), MESSAGE_BYTES_MAX)?;
        if self.labels.len().max(self.annotations.len()) > LABELS_MAX {
            return Err(Error::Labels);
        }
        for (name, text) in self.labels.iter().chain(&self.annotations) {
            if !is_label_name(name) {
                return Err(Error::LabelName(brief(name)));
            }
            OutOfBounds::check("a label", text.len(), MESSAGE_BYTES_MAX)?;
        }
        Ok(())
    }
}

/// Why an alert was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("there is no alert {0:?}")]
    NotFound(String),
    #[error("alert {0:?} is resolved already")]
    Resolved(String),
    #[error(transparent)]
    Length(#[from] OutOfBounds),
    #[error("there may be {LABELS_MAX} labels and {LABELS_MAX} annotations")]
    Labels,
    #[error("\"{0}\" is no name of a label: letters, digits and _, and no digit first")]
    LabelName(String),
    #[error("{0} alerts are firing, as many as may be")]
    Full(usize),
}

/// All alerts, by id.
#[derive(Debug)]
pub struct Registry {
    alerts: BTreeMap<Arc<str>, Alert>,
    max_alerts: usize,
    entries: Vec<Entry>,
}

impl Registry {
    /// No alerts.
    pub fn new(config: &Config) -> Self {
        Self { alerts: BTreeMap::new(), max_alerts: config.max_alerts, entries: Vec::new() }
    }

    /// Takes in alerts that were kept; one that is here already stays as it is.
    pub fn restore(&mut self, alerts: Vec<Alert>) {
        for alert in alerts {
            self.alerts.entry(alert.id.clone()).or_insert(alert);
        }
    }

    /// What has changed since this was last asked, in order.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Adopts new bounds for what comes; alerts that are here stay.
    pub fn configure(&mut self, config: &Config) {
        self.max_alerts = config.max_alerts;
    }

    /// Fires the alert of the report's rule, or brings the firing one up to date.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Labels`], [`Error::LabelName`], [`Error::Full`].
    pub fn fire(&mut self, report: Report, now: Timestamp) -> Result<&Alert, Error> {
        report.check()?;
        let id: Arc<str> = id_of(&report.rule_id, &report.labels).into();
        let present = self.alerts.get(&id);
        if present.is_none() {
            self.make_room()?;
        }
        let firing = self.alerts.get(&id).filter(|alert| alert.state.is_active());
        let goes_on = firing.is_some();
        let starts_at = firing.map_or(now, |alert| alert.starts_at);
        let acknowledgement = firing.and_then(|alert| alert.acknowledgement.clone());
        let present = self.alerts.get(&id);
        let mut alert = Alert {
            id: id.clone(),
            rule_id: report.rule_id,
            rule_name: report.rule_name,
            state: State::Firing,
            severity: report.severity,
            labels: report.labels,
            annotations: report.annotations,
            message: report.message,
            value: report.value,
            threshold: report.threshold,
            starts_at,
            ends_at: None,
            acknowledgement,
            silenced_by: None,
            lapsed_at: None,
            flapping: false,
            transitions: present.map_or_else(VecDeque::new, |it| it.transitions.clone()),
        };
        if !goes_on {
            alert.note(now, "reported");
        }
        self.entries.push(Entry::Kept(alert.clone()));
        Ok(self.alerts.entry(id).insert_entry(alert).into_mut())
    }

    /// Ends a firing alert.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Resolved`].
    pub fn resolve(&mut self, id: &str, now: Timestamp) -> Result<&Alert, Error> {
        let alert = self.alerts.get_mut(id).ok_or_else(|| Error::NotFound(id.to_owned()))?;
        if alert.state == State::Resolved {
            return Err(Error::Resolved(id.to_owned()));
        }
        alert.ends_at = Some(now);
        alert.enter(State::Resolved, now, "reported as resolved");
        self.entries.push(Entry::Kept(alert.clone()));
        Ok(alert)
    }

    /// One alert.
    pub fn get(&self, id: &str) -> Option<&Alert> {
        self.alerts.get(id)
    }

    /// All alerts, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values()
    }

    /// The level of the worst firing alert.
    pub fn worst(&self) -> Option<Severity> {
        self.firing().map(|alert| alert.severity).max()
    }

    /// How many there are.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        for alert in self.iter() {
            match alert.state {
                State::Pending => continue,
                State::Firing => stats.firing += 1,
                State::Silenced => stats.silenced += 1,
                State::Resolved => stats.resolved += 1,
            }
            stats.alerts += 1;
        }
        stats
    }

    fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.iter().filter(|alert| alert.state == State::Firing)
    }

    fn make_room(&mut self) -> Result<(), Error> {
        while self.alerts.len() >= self.max_alerts {
            let oldest =
                self.alerts.values().filter(|a| a.ends_at.is_some()).min_by_key(|a| a.ends_at);
            let id = oldest.map(|alert| alert.id.clone());
            let id = id.ok_or(Error::Full(self.alerts.len()))?;
            self.alerts.remove(&id);
            self.entries.push(Entry::Gone(id));
        }
        Ok(())
    }
}

/// The id of a rule's alert with these labels, which outlives a restart. How bad it is may change, so
/// that a label `severity` is no part of it.
pub fn id_of(rule_id: &str, labels: &Labels) -> String {
    let mut digest = Sha1::new_with_prefix(rule_id);
    for (name, text) in labels.iter().filter(|(name, _)| *name != "severity") {
        // No text in UTF-8 has this byte.
        digest.update([0xff_u8]);
        digest.update(name);
        digest.update([0xff_u8]);
        digest.update(text);
    }
    digest.finalize()[..6].iter().fold("alert-".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn report(rule: &str, severity: Severity) -> Report {
        Report {
            rule_id: rule.to_owned(),
            rule_name: rule.to_owned(),
            severity,
            labels: Labels::new(),
            annotations: Labels::new(),
            message: "it is".to_owned(),
            value: Some(92.5),
            threshold: None,
        }
    }

    #[test]
    fn firing_again_updates_and_a_new_fire_starts_anew() {
        let mut alerts = Registry::new(&Config::default());
        let first = alerts.fire(report("cpu", Severity::High), at(1)).expect("fired").clone();
        let again = alerts.fire(report("cpu", Severity::Critical), at(2)).expect("fired").clone();
        assert_eq!((&again.id, again.starts_at), (&first.id, at(1)));
        assert_eq!(alerts.worst(), Some(Severity::Critical));
        let resolved = alerts.resolve(&first.id, at(3)).expect("resolved");
        assert_eq!((resolved.state, resolved.ends_at), (State::Resolved, Some(at(3))));
        assert_eq!(alerts.resolve(&first.id, at(4)), Err(Error::Resolved(first.id.to_string())));
        assert_eq!(alerts.worst(), None);
        let anew = alerts.fire(report("cpu", Severity::Low), at(5)).expect("fired");
        assert_eq!((anew.starts_at, anew.ends_at), (at(5), None));
    }

    #[test]
    fn alerts_of_one_rule_are_told_apart_by_their_labels_but_not_by_how_bad_they_are() {
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let plain = id_of("cpu", &labels(&[]));
        assert_eq!(plain, id_of("cpu", &labels(&[("severity", "page")])));
        let one = id_of("cpu", &labels(&[("a", "b"), ("c", "d")]));
        assert_ne!(one, plain);
        assert_ne!(one, id_of("cpu", &labels(&[("a", "bcd")])));
        assert_ne!(id_of("cpua", &labels(&[])), id_of("cpu", &labels(&[("a", "")])));
    }

    #[test]
    fn what_happened_to_an_alert_is_remembered_within_a_bound() {
        let mut alerts = Registry::new(&Config::default());
        for second in 0..40 {
            let id = alerts.fire(report("a", Severity::High), at(second)).expect("fired").id.clone();
            alerts.fire(report("a", Severity::High), at(second)).expect("fired again");
            alerts.resolve(&id, at(second)).expect("resolved");
        }
        let alert = alerts.iter().next().expect("one");
        let last = alert.transitions.back().expect("some");
        assert_eq!((alert.transitions.len(), last.state, last.at), (32, State::Resolved, at(39)));
    }

    #[test]
    fn labels_have_bounds() {
        let mut alerts = Registry::new(&Config::default());
        let mut check = |labels: Labels| {
            alerts.fire(Report { labels, ..report("a", Severity::Low) }, at(1)).err()
        };
        let named = |name: &str, text: &str| Labels::from([(name.to_owned(), text.to_owned())]);
        assert_eq!(check(named("a_1", "x")), None);
        assert_eq!(check(named("1a", "x")), Some(Error::LabelName("1a".to_owned())));
        assert!(matches!(check(named("a", &"x".repeat(4097))), Some(Error::Length(_))));
        let many = (0..33).map(|n| (format!("l{n}"), "x".to_owned())).collect();
        assert_eq!(check(many), Some(Error::Labels));
    }

    #[test]
    fn stats_count() {
        let mut alerts = Registry::new(&Config::default());
        alerts.fire(report("a", Severity::High), at(1)).expect("fired");
        let id = alerts.fire(report("b", Severity::High), at(1)).expect("fired").id.clone();
        alerts.resolve(&id, at(2)).expect("resolved");
        let expected = Stats { alerts: 2, firing: 1, resolved: 1, ..Stats::default() };
        assert_eq!(alerts.stats(), expected);
    }

    #[test]
    fn resolved_alerts_make_room_and_firing_ones_do_not() {
        let mut alerts = Registry::new(&Config { max_alerts: 2 });
        alerts.fire(report("a", Severity::High), at(1)).expect("fired");
        let id = alerts.fire(report("b", Severity::High), at(1)).expect("fired").id.clone();
        assert_eq!(alerts.fire(report("c", Severity::High), at(2)).err(), Some(Error::Full(2)));
        alerts.resolve(&id, at(2)).expect("resolved");
        assert!(alerts.fire(report("c", Severity::High), at(2)).is_ok());
        assert!(alerts.get(&id).is_none());
        let entries = alerts.take_entries();
        let gone = entries.iter().filter(|entry| **entry == Entry::Gone(id.clone()));
        assert_eq!((entries.len(), gone.count()), (5, 1), "{entries:?}");
    }
}
