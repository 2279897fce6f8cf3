//! All alerts, and the only ways to change one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use sha1::{Digest, Sha1};

use super::changes::{Changes, Told};
use super::error::LABELS_MAX;
use super::round::Evaluations;
use super::{
    Acknowledgement, Alert, Entry, Error, Health, Labels, NewSilence, Rules, Silence, SilenceError,
    State, Stats,
};
use crate::bounds::OutOfBounds;
use crate::sample::{brief, is_label_name};
use crate::severity::Severity;

const NAME_BYTES_MAX: usize = 256;
const MESSAGE_BYTES_MAX: usize = 4096;

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

/// That somebody takes an alert on.
#[derive(Debug, Clone)]
pub struct Acknowledge {
    pub id: String,
    pub by: String,
    /// May be empty.
    pub comment: String,
}

/// All alerts, by id, with the rules and silences that there are.
#[derive(Debug)]
pub struct Registry {
    pub(super) alerts: BTreeMap<Arc<str>, Alert>,
    pub(super) silences: BTreeMap<Arc<str>, Silence>,
    pub(super) rules: Arc<Rules>,
    pub(super) health: BTreeMap<Arc<str>, Health>,
    pub(super) evaluations: Evaluations,
    /// Alerts of rules that were kept over a start and were not seen since.
    pub(super) unseen: BTreeSet<Arc<str>>,
    /// Whether there may be alerts whose rule is gone.
    pub(super) has_orphans: bool,
    pub(super) entries: Vec<Entry>,
}

impl Registry {
    /// No alerts.
    pub fn new(rules: Arc<Rules>) -> Self {
        Self {
            alerts: BTreeMap::new(),
            silences: BTreeMap::new(),
            rules,
            health: BTreeMap::new(),
            evaluations: Evaluations::default(),
            unseen: BTreeSet::new(),
            has_orphans: true,
            entries: Vec::new(),
        }
    }

    /// Takes in alerts and silences that were kept; one that is here already stays as it is.
    pub fn restore(&mut self, alerts: Vec<Alert>, silences: Vec<Silence>) {
        for alert in alerts {
            if alert.of_rule && !self.alerts.contains_key(&alert.id) {
                self.unseen.insert(alert.id.clone());
            }
            self.alerts.entry(alert.id.clone()).or_insert(alert);
        }
        for silence in silences {
            self.silences.entry(silence.id.clone()).or_insert(silence);
        }
    }

    /// What has changed since this was last asked, in order.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Adopts new rules and bounds; alerts that are here stay, but those whose rules are gone are
    /// resolved with the next sweep.
    pub fn configure(&mut self, rules: Arc<Rules>) {
        self.health.retain(|id, _| rules.get(id).is_some());
        (self.rules, self.has_orphans) = (rules, true);
    }

    /// Fires the alert of the report's rule and labels, or brings the firing one up to date.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Labels`], [`Error::LabelName`], [`Error::OfRule`],
    /// [`Error::Full`].
    pub fn fire(&mut self, report: Report, now: Timestamp) -> Result<(Alert, Vec<Told>), Error> {
        report.check()?;
        if self.rules.get(&report.rule_id).is_some() {
            return Err(Error::OfRule(report.rule_id));
        }
        let id: Arc<str> = id_of(&report.rule_id, &report.labels).into();
        if !self.alerts.contains_key(&id) && !self.make_room() {
            return Err(Error::Full(self.alerts.len()));
        }
        let mut changes = Changes::default();
        let present = self.alerts.get(&id);
        let active = present.filter(|alert| alert.state.is_active());
        let alert = Alert {
            id: id.clone(),
            rule_id: report.rule_id,
            rule_name: report.rule_name,
            state: active.map_or(State::Firing, |alert| alert.state),
            severity: report.severity,
            labels: report.labels,
            annotations: report.annotations,
            message: report.message,
            value: report.value,
            threshold: report.threshold,
            of_rule: false,
            starts_at: active.map_or(now, |alert| alert.starts_at),
            ends_at: None,
            acknowledgement: active.and_then(|alert| alert.acknowledgement.clone()),
            silenced_by: active.and_then(|alert| alert.silenced_by.clone()),
            lapsed_at: None,
            flapping: false,
            last_time: None,
            transitions: present.map_or_else(VecDeque::new, |it| it.transitions.clone()),
        };
        match present {
            Some(present) => changes.because(present, "reported"),
            None => {
                changes.begin(&alert);
                changes.because(&alert, "reported");
            }
        }
        // Every report is answered with a message, whatever it changes.
        changes.keep(&alert).is_news = true;
        self.alerts.insert(id.clone(), alert);
        let told = self.finish(changes, now);
        let alert = self.alerts.get(&id).cloned().ok_or(Error::NotFound(id.to_string()))?;
        Ok((alert, told))
    }

    /// Ends a firing alert.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Resolved`], [`Error::OfRule`].
    pub fn resolve(&mut self, id: &str, now: Timestamp) -> Result<(Alert, Vec<Told>), Error> {
        let alert = self.alerts.get_mut(id).ok_or_else(|| Error::NotFound(id.to_owned()))?;
        if alert.state == State::Resolved {
            return Err(Error::Resolved(id.to_owned()));
        }
        if alert.of_rule {
            return Err(Error::OfRule(alert.rule_id.clone()));
        }
        let mut changes = Changes::default();
        changes.because(alert, "reported as resolved");
        alert.resolve(now);
        let alert = alert.id.clone();
        let told = self.finish(changes, now);
        let alert = self.alerts.get(&alert).cloned().ok_or(Error::NotFound(id.to_owned()))?;
        Ok((alert, told))
    }

    /// Notes that somebody takes a firing alert on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotActive`], [`Error::Length`].
    pub fn acknowledge(
        &mut self,
        what: Acknowledge,
        now: Timestamp,
    ) -> Result<(Alert, Vec<Told>), Error> {
        let Acknowledge { id, by, comment } = what;
        OutOfBounds::check("by", by.len(), NAME_BYTES_MAX)?;
        if !comment.is_empty() {
            OutOfBounds::check("comment", comment.len(), MESSAGE_BYTES_MAX)?;
        }
        let Some(alert) = self.alerts.get_mut(id.as_str()) else { return Err(Error::NotFound(id)) };
        if !alert.state.is_active() {
            return Err(Error::NotActive(id));
        }
        let mut changes = Changes::default();
        let words = if comment.is_empty() { by.clone() } else { format!("{by}: {comment}") };
        changes.because(alert, format!("acknowledged by {words}"));
        let before = changes.keep(alert);
        (before.is_news, before.is_noted) = (true, true);
        alert.acknowledgement = Some(Acknowledgement { by, comment, at: now });
        let told = self.finish(changes, now);
        let alert = self.alerts.get(id.as_str()).cloned().ok_or(Error::NotFound(id))?;
        Ok((alert, told))
    }

    /// Silences alerts from now on.
    ///
    /// # Errors
    /// [`SilenceError`].
    pub fn silence(
        &mut self,
        new: NewSilence,
        now: Timestamp,
    ) -> Result<(Silence, Vec<Told>), SilenceError> {
        let max = self.rules.config().max_silences;
        if self.silences.len() >= max {
            return Err(SilenceError::Full(max));
        }
        let silence = Silence::new(new, now)?;
        self.entries.push(Entry::Silenced(silence.clone()));
        self.silences.insert(silence.id.clone(), silence.clone());
        let told = self.finish(Changes::default(), now);
        Ok((silence, told))
    }

    /// Ends a silence.
    ///
    /// # Errors
    /// [`SilenceError::NotFound`].
    pub fn unsilence(&mut self, id: &str, now: Timestamp) -> Result<Vec<Told>, SilenceError> {
        let removed = self.silences.remove(id);
        let silence = removed.ok_or_else(|| SilenceError::NotFound(id.to_owned()))?;
        self.entries.push(Entry::Heard(silence.id));
        Ok(self.finish(Changes::default(), now))
    }

    /// One alert.
    pub fn get(&self, id: &str) -> Option<&Alert> {
        self.alerts.get(id)
    }

    /// All alerts, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values()
    }

    /// All silences, by id.
    pub fn silences(&self) -> impl Iterator<Item = &Silence> {
        self.silences.values()
    }

    /// The rules that there are.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// How the evaluation of a rule goes; none before the first.
    pub fn health(&self, rule: &str) -> Option<&Health> {
        self.health.get(rule)
    }

    /// What evaluation has come to so far.
    pub fn evaluations(&self) -> &Evaluations {
        &self.evaluations
    }

    /// The level of the worst firing alert.
    pub fn worst(&self) -> Option<Severity> {
        let firing = self.iter().filter(|alert| alert.state == State::Firing);
        firing.map(|alert| alert.severity).max()
    }

    /// How many there are.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats { rules: self.rules.len(), ..Stats::default() };
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

    /// Has what was changed kept, and says which alerts clients are told of.
    pub(super) fn finish(&mut self, mut changes: Changes, now: Timestamp) -> Vec<Told> {
        self.mute(&mut changes, now);
        let mut told = Vec::new();
        for (id, before) in changes.0 {
            let Some(alert) = self.alerts.get_mut(&id) else {
                self.entries.push(Entry::Gone(id));
                continue;
            };
            let tells = before.tells(alert);
            let entered = before.state != Some(alert.state);
            if tells && (entered || before.severity != alert.severity || before.is_noted) {
                alert.note(now, before.cause);
            }
            self.entries.push(Entry::Kept(alert.clone()));
            if tells {
                let level = alert.severity.max(before.severity);
                told.push(Told { alert: alert.clone(), level });
            }
        }
        told
    }

    /// Whether there is room for one more alert, once the one is gone that was resolved longest ago.
    pub(super) fn make_room(&mut self) -> bool {
        while self.alerts.len() >= self.rules.config().max_alerts {
            let resolved = self.alerts.values().filter(|a| a.state == State::Resolved);
            let oldest = resolved.min_by_key(|a| a.ends_at).map(|alert| alert.id.clone());
            let Some(id) = oldest else { return false };
            self.alerts.remove(&id);
            self.entries.push(Entry::Gone(id));
        }
        true
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
