//! What becomes of alerts when rules were evaluated.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::changes::Changes;
use super::{Alert, Registry, Rule, Seen, State, Told};
use crate::sample::Moment;
use crate::units::HumanDuration;

/// What the evaluation of some rules at one time has come to.
#[derive(Debug, Clone, Default)]
pub struct Round {
    /// When it was.
    pub at: Timestamp,
    pub rulings: Vec<Ruling>,
    /// Rounds before it that were left out, because an earlier one took too long.
    pub skipped: u64,
}

/// What one rule has come to.
#[derive(Debug, Clone)]
pub struct Ruling {
    pub rule: Arc<str>,
    /// Why there is no result, if there is none.
    pub outcome: Result<Outcome, String>,
    pub took: Duration,
}

/// The result of one rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Those for which its condition holds.
    pub seen: Vec<Seen>,
    /// The ids of alerts that are not to be resolved yet, whether their condition holds or not.
    pub held: BTreeSet<Arc<str>>,
}

/// How the evaluation of one rule goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    pub at: Timestamp,
    pub took: Duration,
    /// Why the last one failed, if it did.
    pub error: Option<String>,
}

/// What evaluation has come to so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluations {
    pub rounds: u64,
    pub skipped: u64,
    pub rules: u64,
    pub failures: u64,
    pub took: Duration,
}

impl Registry {
    /// Has alerts be as a round says.
    pub fn apply(&mut self, round: Round, now: Moment) -> Vec<Told> {
        let mut changes = Changes::default();
        self.evaluations.rounds += 1;
        self.evaluations.skipped += round.skipped;
        let mut open: BTreeMap<String, Vec<Arc<str>>> = BTreeMap::new();
        for alert in self.iter().filter(|it| it.of_rule && it.state != State::Resolved) {
            open.entry(alert.rule_id.clone()).or_default().push(alert.id.clone());
        }
        let is_early = now.uptime < *self.rules.config().start_grace;
        for ruling in round.rulings {
            // A reload may have taken it away meanwhile.
            let Some(rule) = self.rules.get(&ruling.rule).cloned() else { continue };
            self.evaluations.rules += 1;
            self.evaluations.took += ruling.took;
            let (outcome, mut error) = match ruling.outcome {
                Ok(outcome) => (Some(outcome), None),
                Err(error) => (None, Some(error)),
            };
            if let Some(outcome) = outcome {
                let open = open.remove(&*rule.id).unwrap_or_default();
                let refused = self.judge(&rule, outcome, &open, is_early, round.at, &mut changes);
                if refused > 0 {
                    error = Some(format!(
                        "{refused} alerts are not kept: {} are firing, as many as may be \
                         (alerts.max_alerts)",
                        self.alerts.len()
                    ));
                }
            }
            self.evaluations.failures += u64::from(error.is_some());
            let health = Health { at: round.at, took: ruling.took, error };
            self.health.insert(rule.id.clone(), health);
        }
        self.finish(changes, now.wall)
    }

    /// Does to the alerts of a rule what its result says; returns how many found no room.
    fn judge(
        &mut self,
        rule: &Rule,
        outcome: Outcome,
        open: &[Arc<str>],
        is_early: bool,
        at: Timestamp,
        changes: &mut Changes,
    ) -> usize {
        let mut refused = 0;
        let mut present = BTreeSet::new();
        for seen in outcome.seen {
            self.unseen.remove(&seen.id);
            present.insert(seen.id.clone());
            refused += usize::from(!self.see(rule, seen, at, changes));
        }
        for id in open.iter().filter(|id| !present.contains(*id)) {
            let is_awaited = is_early && self.unseen.contains(id);
            if !is_awaited && !outcome.held.contains(id) {
                self.miss(rule, id, at, changes);
            }
        }
        refused
    }

    /// The condition holds for this element; false if there is no room for its alert.
    fn see(&mut self, rule: &Rule, seen: Seen, at: Timestamp, changes: &mut Changes) -> bool {
        if !self.alerts.contains_key(&seen.id) {
            if !self.make_room() {
                return false;
            }
            let alert = Alert::pending(rule, &seen, at);
            changes.begin(&alert);
            self.alerts.insert(alert.id.clone(), alert);
        }
        let flaps = self.rules.config().flap_count;
        let window = signed(*self.rules.config().flap_window);
        let Some(alert) = self.alerts.get_mut(&seen.id) else { return false };
        if alert.state == State::Resolved {
            changes.keep(alert);
            alert.last_time = alert.ends_at.map(|end| (alert.starts_at, end));
            (alert.state, alert.starts_at, alert.ends_at) = (State::Pending, at, None);
            alert.acknowledgement = None;
        }
        if alert.severity != rule.severity {
            changes.because(alert, format!("its rule is of level {} now", rule.severity.name()));
            alert.severity = rule.severity;
        }
        if alert.lapsed_at.is_some() {
            changes.keep(alert);
            alert.lapsed_at = None;
        }
        alert.of_rule = true;
        alert.rule_name.clone_from(&rule.name);
        (alert.labels, alert.annotations) = (seen.labels, seen.annotations);
        (alert.message, alert.value) = (seen.message, Some(seen.value));
        alert.threshold = rule.threshold;
        if alert.state == State::Pending && at.duration_since(alert.starts_at) >= signed(rule.hold)
        {
            let cause = match rule.hold {
                Duration::ZERO => "its condition holds".to_owned(),
                hold => format!("its condition has held for {}", HumanDuration(hold)),
            };
            changes.because(alert, cause);
            alert.state = State::Firing;
            alert.last_time = None;
            alert.flapping = flaps > 0 && alert.begins_since(at, window) + 1 >= flaps;
        }
        true
    }

    /// The condition no longer holds for this alert.
    fn miss(&mut self, rule: &Rule, id: &Arc<str>, at: Timestamp, changes: &mut Changes) {
        let flap_window = signed(*self.rules.config().flap_window);
        let Some(alert) = self.alerts.get_mut(id) else { return };
        if alert.state == State::Pending {
            changes.keep(alert);
            if !alert.go_back() {
                self.alerts.remove(id);
            }
            return;
        }
        let keep = signed(rule.keep_firing_for);
        let keep = if alert.flapping { keep.max(flap_window) } else { keep };
        let lapsed_at = alert.lapsed_at.unwrap_or(at);
        if at.duration_since(lapsed_at) < keep {
            if alert.lapsed_at.is_none() {
                changes.keep(alert);
                alert.lapsed_at = Some(at);
            }
            return;
        }
        changes.because(alert, "its condition no longer holds");
        alert.resolve(at);
    }
}

impl Alert {
    /// The alert of an element for which the condition holds from now on.
    fn pending(rule: &Rule, seen: &Seen, at: Timestamp) -> Self {
        Self {
            id: seen.id.clone(),
            rule_id: rule.id.to_string(),
            rule_name: rule.name.clone(),
            state: State::Pending,
            severity: rule.severity,
            labels: seen.labels.clone(),
            annotations: seen.annotations.clone(),
            message: seen.message.clone(),
            value: Some(seen.value),
            threshold: rule.threshold,
            of_rule: true,
            starts_at: at,
            ends_at: None,
            acknowledgement: None,
            silenced_by: None,
            lapsed_at: None,
            flapping: false,
            last_time: None,
            transitions: VecDeque::new(),
        }
    }

    /// Is resolved again, as it was before it was pending; false if it has never been firing.
    pub(super) fn go_back(&mut self) -> bool {
        let Some((start, end)) = self.last_time.take() else { return false };
        (self.state, self.starts_at, self.ends_at) = (State::Resolved, start, Some(end));
        true
    }

    /// How often it has begun to fire within `window` before `at`.
    fn begins_since(&self, at: Timestamp, window: SignedDuration) -> usize {
        let mut was_active = false;
        let begins = self.transitions.iter().filter(|transition| {
            let begins = transition.state.is_active() && !was_active;
            was_active = transition.state.is_active();
            begins && at.duration_since(transition.at) < window
        });
        begins.count()
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
