//! All rules, with what keeps their alerts silent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::window::Window;
use super::{
    Alert, Config, InhibitConfig, Matcher, MatcherError, Mistake, Recording, Rule, matcher,
};
use crate::query;

/// All rules that are evaluated.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    source: Config,
    query: query::Config,
    rules: BTreeMap<Arc<str>, Arc<Rule>>,
    recordings: Vec<Arc<Recording>>,
    pub(super) inhibitions: Vec<Inhibition>,
    pub(super) windows: Vec<Window>,
}

/// What is wrong with an entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadEntry {
    /// "rule", "record", "inhibit" or "maintenance".
    pub list: &'static str,
    pub index: usize,
    pub key: String,
    pub message: String,
}

impl Rules {
    /// Reads all that is enabled. What is wrong is left out, and told.
    pub fn read(config: &Config, query: &query::Config) -> (Self, Vec<BadEntry>) {
        let mut bad = Vec::new();
        let mut refuse = |list, index, (key, message): Mistake| {
            bad.push(BadEntry { list, index, key, message });
        };
        let (mut rules, mut ids) = (BTreeMap::new(), BTreeSet::new());
        for (index, one) in config.rule.iter().enumerate() {
            if !ids.insert(one.id.as_str()) {
                let message = "a rule before it has the same id".to_owned();
                refuse("rule", index, ("id".to_owned(), message));
            }
            match Rule::read(one, *config.interval, query) {
                Ok(rule) if one.enabled => {
                    rules.insert(rule.id.clone(), Arc::new(rule));
                }
                Ok(_) => {}
                Err(mistakes) => mistakes.into_iter().for_each(|it| refuse("rule", index, it)),
            }
        }
        for (index, one) in config.rule.iter().enumerate() {
            for id in
                one.depends_on.iter().filter(|id| !ids.contains(id.as_str()) || **id == one.id)
            {
                let message = match *id == one.id {
                    true => "a rule cannot depend on itself".to_owned(),
                    false => format!("there is no rule {id:?}"),
                };
                refuse("rule", index, ("depends_on".to_owned(), message));
            }
        }
        let (mut recordings, mut ids) = (Vec::new(), BTreeSet::new());
        for (index, one) in config.record.iter().enumerate() {
            if !ids.insert(one.id.as_str()) {
                let message = "a recording rule before it has the same id".to_owned();
                refuse("record", index, ("id".to_owned(), message));
            }
            match Recording::read(one, *config.interval, query) {
                Ok(recording) => recordings.push(Arc::new(recording)),
                Err(mistakes) => mistakes.into_iter().for_each(|it| refuse("record", index, it)),
            }
        }
        let (mut inhibitions, mut windows) = (Vec::new(), Vec::new());
        for (index, one) in config.inhibit.iter().enumerate() {
            match Inhibition::read(one) {
                Ok(inhibition) => inhibitions.push(inhibition),
                Err((key, message)) => refuse("inhibit", index, (key.to_owned(), message)),
            }
        }
        for (index, one) in config.maintenance.iter().enumerate() {
            match Window::read(one) {
                Ok(window) => windows.push(window),
                Err((key, message)) => refuse("maintenance", index, (key.to_owned(), message)),
            }
        }
        let (source, query) = (config.clone(), query.clone());
        (Self { source, query, rules, recordings, inhibitions, windows }, bad)
    }

    /// The rule of this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Rule>> {
        self.rules.get(id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.values()
    }

    /// The recording rules, in the order in which they are written.
    pub fn recordings(&self) -> impl Iterator<Item = &Arc<Recording>> {
        self.recordings.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// One rule without the others, and without what would keep its alerts silent.
    pub fn alone(&self, rule: &Arc<Rule>) -> Self {
        let mut rule = Rule::clone(rule);
        rule.depends_on.clear();
        let rules = BTreeMap::from([(rule.id.clone(), Arc::new(rule))]);
        let (source, query) = (self.source.clone(), self.query.clone());
        Self { source, query, rules, ..Self::default() }
    }

    /// What they were read from.
    pub fn config(&self) -> &Config {
        &self.source
    }

    /// The bounds of their queries.
    pub fn query(&self) -> &query::Config {
        &self.query
    }
}

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.query == other.query
    }
}

/// Alerts that keep others silent while they are firing.
#[derive(Debug, Clone)]
pub(super) struct Inhibition {
    name: String,
    source: Vec<Matcher>,
    target: Vec<Matcher>,
    equal: Vec<String>,
}

impl Inhibition {
    fn read(config: &InhibitConfig) -> Result<Self, (&'static str, String)> {
        let read = |key: &'static str, texts: &[String]| -> Result<Vec<Matcher>, _> {
            if texts.is_empty() {
                return Err((key, "it has no condition, and would mean every alert".to_owned()));
            }
            let read = texts.iter().map(|text| text.parse());
            let read: Result<_, MatcherError> = read.collect();
            read.map_err(|error| (key, error.to_string()))
        };
        Ok(Self {
            name: config.name.clone(),
            source: read("source", &config.source)?,
            target: read("target", &config.target)?,
            equal: config.equal.clone(),
        })
    }

    /// Why `alert` is silent, if one of those that are active keeps it so. What is a source itself is
    /// kept silent by no other source.
    pub(super) fn cause<'a>(
        &self,
        alert: &Alert,
        active: impl Iterator<Item = &'a Alert>,
    ) -> Option<String> {
        if !matcher::all(&self.target, alert) || matcher::all(&self.source, alert) {
            return None;
        }
        let agrees = |other: &Alert| {
            self.equal.iter().all(|name| {
                alert.label(name).unwrap_or_default() == other.label(name).unwrap_or_default()
            })
        };
        let mut active = active;
        let source = active.find(|other| matcher::all(&self.source, other) && agrees(other))?;
        Some(format!("{} ({}), by {}", source.rule_name, source.id, self.name))
    }
}
