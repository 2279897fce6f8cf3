//! One rule, read from its configuration: nothing of it can fail to be understood any more.

use std::sync::Arc;
use std::time::Duration;

use super::{Filling, Labels, RuleConfig, Template, id_of};
use crate::query::{self, NAME, Query};
use crate::sample::is_label_name;
use crate::severity::Severity;

/// Bytes that an id or a name may have.
pub(super) const NAME_BYTES_MAX: usize = 256;
/// Labels, and annotations, that a rule may have.
pub(super) const TEXTS_MAX: usize = 32;

/// A rule that can be evaluated.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: Arc<str>,
    pub name: String,
    pub group: Option<String>,
    pub severity: Severity,
    /// As they were written.
    pub expr: String,
    pub resolve: Option<String>,
    pub query: Query,
    /// The same with the numbers 0 and 1 for whether it holds.
    pub resolve_query: Option<Query>,
    pub hold: Duration,
    pub keep_firing_for: Duration,
    pub interval: Duration,
    pub threshold: Option<f64>,
    pub depends_on: Vec<String>,
    message: Template,
    labels: Vec<(String, Template)>,
    annotations: Vec<(String, Template)>,
}

/// What is wrong with a rule: the key, and what is.
pub type Mistake = (String, String);

/// What an element of a rule's result says.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Of its alert.
    pub id: Arc<str>,
    pub labels: Labels,
    pub annotations: Labels,
    pub message: String,
    pub value: f64,
}

impl Rule {
    /// Reads one.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(
        config: &RuleConfig,
        interval: Duration,
        query: &query::Config,
    ) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut refuse = |key: &str, message: String| mistakes.push((key.to_owned(), message));
        for (key, text) in [("id", Some(&config.id)), ("name", config.name.as_ref())] {
            if text.is_some_and(|text| !(1..=NAME_BYTES_MAX).contains(&text.len())) {
                refuse(key, format!("it has 1 to {NAME_BYTES_MAX} bytes"));
            }
        }
        for (key, texts) in [("labels", &config.labels), ("annotations", &config.annotations)] {
            if texts.len() > TEXTS_MAX {
                refuse(key, format!("there may be {TEXTS_MAX}"));
            }
            for name in texts.keys().filter(|name| !is_label_name(name)) {
                refuse(&format!("{key}.{name}"), "this is no name of a label".to_owned());
            }
        }
        let (parsed, resolve_query) = queries(config, query, &mut refuse);
        let mut template = |key: &str, text: &str| {
            Template::parse(text).map_err(|error| refuse(key, error.to_string())).ok()
        };
        let mut all = |key: &str, texts: &Labels| -> Vec<(String, Template)> {
            let read = |(name, text): (&String, &String)| {
                Some((name.clone(), template(&format!("{key}.{name}"), text)?))
            };
            texts.iter().filter_map(read).collect()
        };
        let labels = all("labels", &config.labels);
        let annotations = all("annotations", &config.annotations);
        let name = config.name.clone().unwrap_or_else(|| config.id.clone());
        let message = match &config.message {
            Some(text) => template("message", text),
            None => Some(Template::plain(&name)),
        };
        let (Some(parsed), Some(message), true) = (parsed, message, mistakes.is_empty()) else {
            return Err(mistakes);
        };
        Ok(Self {
            id: config.id.as_str().into(),
            name,
            group: config.group.clone(),
            severity: config.severity,
            expr: config.expr.clone(),
            resolve: config.resolve.clone(),
            threshold: config.threshold.or_else(|| parsed.threshold()),
            query: parsed,
            resolve_query,
            hold: *config.hold,
            keep_firing_for: *config.keep_firing_for,
            interval: config.interval.map_or(interval, |own| *own),
            depends_on: config.depends_on.clone(),
            message,
            labels,
            annotations,
        })
    }

    /// What an element of its result, with these labels and this value, says.
    pub fn see(&self, element: &query::Labels, value: f64) -> Seen {
        let own = element.iter().filter(|(name, _)| *name != NAME);
        let own: Labels = own.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let filling = Filling { labels: &own, value };
        let mut labels = own.clone();
        for (name, template) in &self.labels {
            labels.insert(name.clone(), template.fill(filling));
        }
        labels.retain(|_, text| !text.is_empty());
        let texts = self.annotations.iter();
        let annotations = texts.map(|(name, it)| (name.clone(), it.fill(filling))).collect();
        let id = id_of(&self.id, &labels).into();
        Seen { id, labels, annotations, message: self.message.fill(filling), value }
    }
}

/// The queries of a rule, if they are sound.
fn queries(
    config: &RuleConfig,
    query: &query::Config,
    refuse: &mut dyn FnMut(&str, String),
) -> (Option<Query>, Option<Query>) {
    let parsed = expression(&config.expr, query, refuse);
    let resolve = config.resolve.as_ref().and_then(|text| {
        match Query::parse(text, query).map(Query::as_truth) {
            Ok(Some(parsed)) => Some(parsed),
            Ok(None) => {
                let message = "it has to be a comparison, such as up > 0".to_owned();
                refuse("resolve", message);
                None
            }
            Err(error) => {
                refuse("resolve", error.to_string());
                None
            }
        }
    });
    (parsed, resolve)
}

/// What `expr` of a rule says, if it is sound.
pub(super) fn expression(
    text: &str,
    query: &query::Config,
    refuse: &mut dyn FnMut(&str, String),
) -> Option<Query> {
    match Query::parse(text, query) {
        Ok(parsed) if parsed.is_condition() => return Some(parsed),
        Ok(_) => {
            let message = "it is a range or a text, and not a vector or a number".to_owned();
            refuse("expr", message);
        }
        Err(error) => refuse("expr", error.to_string()),
    }
    None
}
