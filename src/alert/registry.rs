//! All alerts, and the only ways to change one.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use sha1::{Digest, Sha1};

use super::{Alert, Config, Entry, State, Stats};
use crate::bounds::OutOfBounds;
use crate::severity::Severity;

const NAME_BYTES_MAX: usize = 256;
const MESSAGE_BYTES_MAX: usize = 4096;

/// What somebody outside reports.
#[derive(Debug, Clone)]
pub struct Report {
    pub rule_id: String,
    pub rule_name: String,
    pub severity: Severity,
    pub message: String,
    pub value: Option<f64>,
    pub threshold: Option<f64>,
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
    /// [`Error::Length`], [`Error::Full`].
    pub fn fire(&mut self, report: Report, now: Timestamp) -> Result<&Alert, Error> {
        OutOfBounds::check("rule_id", report.rule_id.len(), NAME_BYTES_MAX)?;
        OutOfBounds::check("rule_name", report.rule_name.len(), NAME_BYTES_MAX)?;
        OutOfBounds::check("message", report.message.len(), MESSAGE_BYTES_MAX)?;
        let id: Arc<str> = id_of(&report.rule_id).into();
        let present = self.alerts.get(&id);
        let firing = present.filter(|alert| alert.state == State::Firing);
        let starts_at = firing.map_or(now, |alert| alert.starts_at);
        if present.is_none() {
            self.make_room()?;
        }
        let alert = Alert {
            id: id.clone(),
            rule_id: report.rule_id,
            rule_name: report.rule_name,
            state: State::Firing,
            severity: report.severity,
            message: report.message,
            value: report.value,
            threshold: report.threshold,
            starts_at,
            ends_at: None,
        };
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
        alert.state = State::Resolved;
        alert.ends_at = Some(now);
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
        let firing = self.firing().count();
        let resolved = self.alerts.len() - firing;
        Stats { alerts: self.alerts.len(), firing, resolved, ..Stats::default() }
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

/// The id of a rule's alert: a rule has one, and it outlives a restart.
pub fn id_of(rule_id: &str) -> String {
    let digest = Sha1::digest(rule_id.as_bytes());
    digest[..6].iter().fold("alert-".to_owned(), |id, byte| format!("{id}{byte:02x}"))
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
