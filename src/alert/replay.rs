//! What rules would have done in the past: the same judgement and the same states, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::judge::outcome;
use super::{Alert, Outcome, Registry, Round, Rule, Rules, Ruling, Seen, State, Told};
use crate::query::{Query, Reader, Series, Steps};
use crate::sample::Moment;
use crate::store::history::Shelf;

/// So many steps are evaluated at once, which bounds what is in memory.
const STEPS_AT_ONCE: i64 = 240;

/// What one rule would have done.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    pub rule: Arc<str>,
    /// In the order in which they began.
    pub firings: Vec<Firing>,
    /// Why it is not known.
    pub error: Option<String>,
}

/// A time for which an alert would have been firing.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    pub alert: Alert,
    pub from: Timestamp,
    /// None if it still is at the end.
    pub to: Option<Timestamp>,
}

/// Where a replay reads.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    pub reader: &'a Reader<'a>,
    pub shelf: Option<&'a Arc<dyn Shelf>>,
    pub expired: &'a dyn Fn() -> bool,
}

/// What `rule` would have done from `from` to `to`. Nothing silences it: what somebody would have
/// been told is what one wants to know of a rule.
pub fn replay(
    rule: &Arc<Rule>,
    rules: &Rules,
    (from, to): (Timestamp, Timestamp),
    past: Past<'_>,
) -> Replay {
    let mut player = Player::new(rule, rules);
    let error = player.play(from, to, past).err();
    Replay { rule: rule.id.clone(), firings: player.firings, error }
}

struct Player<'a> {
    rule: &'a Arc<Rule>,
    rules: &'a Rules,
    registry: Registry,
    firings: Vec<Firing>,
    /// Where the firing of an alert is in the list.
    open: BTreeMap<Arc<str>, usize>,
    began: Option<Timestamp>,
}

impl<'a> Player<'a> {
    fn new(rule: &'a Arc<Rule>, rules: &'a Rules) -> Self {
        let registry = Registry::new(Arc::new(rules.alone(rule)));
        Self { rule, rules, registry, firings: Vec::new(), open: BTreeMap::new(), began: None }
    }

    fn play(&mut self, from: Timestamp, to: Timestamp, past: Past<'_>) -> Result<(), String> {
        let step = i64::try_from(self.rule.interval.as_millis()).unwrap_or(i64::MAX).max(1);
        // Where the daemon would have evaluated it, more or less.
        let mut at = from.as_millisecond().div_euclid(step).saturating_add(1).saturating_mul(step);
        let to = to.as_millisecond();
        while at <= to {
            let last = at.saturating_add(step.saturating_mul(STEPS_AT_ONCE - 1)).min(to);
            let seen = self.elements(&self.rule.query, (at, last, step), past)?;
            let held = match &self.rule.resolve_query {
                Some(query) => self.elements(query, (at, last, step), past)?,
                None => BTreeMap::new(),
            };
            while at <= last {
                let seen = seen.get(&at).cloned().unwrap_or_default();
                let held = held.get(&at).into_iter().flatten();
                let held: BTreeSet<_> =
                    held.filter(|one| one.value == 0.0).map(|one| one.id.clone()).collect();
                let moment = Timestamp::from_millisecond(at).map_err(|error| error.to_string())?;
                self.step(moment, outcome(seen, held, self.rules));
                at = at.saturating_add(step);
            }
        }
        Ok(())
    }

    /// What a query gives at each of these times.
    fn elements(
        &self,
        query: &Query,
        (start, end, step): (i64, i64, i64),
        past: Past<'_>,
    ) -> Result<BTreeMap<i64, Vec<Seen>>, String> {
        let query = query.clone().reaching(past.shelf.cloned());
        let config = self.rules.query();
        let series = Steps::new(start, end, step, config)
            .and_then(|steps| query.range(steps, past.reader, config, past.expired))
            .map_err(|error| error.to_string())?;
        let mut elements: BTreeMap<i64, Vec<Seen>> = BTreeMap::new();
        for Series { labels, points } in &series {
            for (at, value) in points {
                elements.entry(*at).or_default().push(self.rule.see(labels, *value));
            }
        }
        Ok(elements)
    }

    fn step(&mut self, at: Timestamp, outcome: Result<Outcome, String>) {
        let ruling = Ruling { rule: self.rule.id.clone(), outcome, took: Duration::ZERO };
        let round = Round { at, rulings: vec![ruling], skipped: 0 };
        let began = *self.began.get_or_insert(at);
        let uptime = SignedDuration::from_hours(1) + at.duration_since(began);
        let uptime = Duration::try_from(uptime).unwrap_or_default();
        let told = self.registry.apply(round, Moment { wall: at, uptime });
        let _ = self.registry.take_entries();
        for Told { alert, .. } in told {
            match (alert.state, self.open.get(&alert.id)) {
                (State::Firing | State::Silenced, None) => {
                    self.open.insert(alert.id.clone(), self.firings.len());
                    self.firings.push(Firing { alert, from: at, to: None });
                }
                (State::Resolved, Some(index)) => {
                    self.firings[*index].to = Some(at);
                    self.open.remove(&alert.id);
                }
                _ => {}
            }
        }
    }
}
