//! A recording rule: what its expression gives becomes series of a name of its own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::judge::elements;
use super::rule::{NAME_BYTES_MAX, TEXTS_MAX, expression};
use super::{Labels, Mistake, RecordConfig};
use crate::query::{self, NAME, Query, Reader};
use crate::sample::{is_label_name, is_metric_name};
use crate::store::history::Shelf;

/// A recording rule that can be evaluated.
#[derive(Debug, Clone)]
pub struct Recording {
    pub id: Arc<str>,
    /// The name of its series.
    pub record: String,
    pub group: Option<String>,
    /// As it was written.
    pub expr: String,
    /// Added to its series; an empty one takes the label away.
    pub labels: Labels,
    pub interval: Duration,
    query: Query,
}

/// One value of a recording rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub labels: Labels,
    pub value: f64,
}

impl Recording {
    /// Reads one.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(
        config: &RecordConfig,
        interval: Duration,
        query: &query::Config,
    ) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut refuse = |key: &str, message: String| mistakes.push((key.to_owned(), message));
        if !(1..=NAME_BYTES_MAX).contains(&config.id.len()) {
            refuse("id", format!("it has 1 to {NAME_BYTES_MAX} bytes"));
        }
        if !is_metric_name(&config.record) || config.record.len() > NAME_BYTES_MAX {
            refuse("record", "this is no name of a metric".to_owned());
        }
        if config.labels.len() > TEXTS_MAX {
            refuse("labels", format!("there may be {TEXTS_MAX}"));
        }
        for name in config.labels.keys().filter(|name| !is_label_name(name)) {
            refuse(&format!("labels.{name}"), "this is no name of a label".to_owned());
        }
        let parsed = expression(&config.expr, query, &mut refuse);
        let (Some(query), true) = (parsed, mistakes.is_empty()) else { return Err(mistakes) };
        Ok(Self {
            id: config.id.as_str().into(),
            record: config.record.clone(),
            group: config.group.clone(),
            expr: config.expr.clone(),
            labels: config.labels.clone(),
            interval: config.interval.map_or(interval, |own| *own),
            query,
        })
    }

    /// What it gives at one time.
    ///
    /// # Errors
    /// Why it gives nothing, in words.
    pub fn evaluate(
        &self,
        at: Timestamp,
        shelf: Option<Arc<dyn Shelf>>,
        reader: &Reader<'_>,
        config: &query::Config,
        expired: &dyn Fn() -> bool,
    ) -> Result<Vec<Recorded>, String> {
        let query = self.query.clone().reaching(shelf);
        let outcome = query.instant(at.as_millisecond(), reader, config, expired);
        let found = elements(outcome.map_err(|error| error.to_string())?)?;
        let recorded: Vec<Recorded> =
            found.iter().map(|one| self.record(&one.labels, one.value)).collect();
        let labels: BTreeSet<&Labels> = recorded.iter().map(|one| &one.labels).collect();
        if labels.len() < recorded.len() {
            return Err("two of its series have the same labels".to_owned());
        }
        Ok(recorded)
    }

    fn record(&self, element: &query::Labels, value: f64) -> Recorded {
        let own = element.iter().filter(|(name, _)| *name != NAME);
        let mut labels: Labels =
            own.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        labels.extend(self.labels.clone());
        labels.retain(|_, text| !text.is_empty());
        Recorded { labels, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::SeriesKey;
    use crate::store::{self, History};

    fn recording(labels: &[(&str, &str)], expr: &str) -> Recording {
        let labels = labels.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let config = RecordConfig {
            id: "r".to_owned(),
            record: "job:up:sum".to_owned(),
            expr: expr.to_owned(),
            interval: None,
            group: None,
            labels: labels.collect(),
        };
        let query = query::Config::default();
        Recording::read(&config, Duration::from_secs(15), &query).expect("a sound rule")
    }

    fn evaluate(recording: &Recording) -> Result<Vec<Recorded>, String> {
        let mut history = History::new(&store::Config::default());
        for (device, value) in [("a", 1.0), ("b", 2.0)] {
            let key = Arc::new(SeriesKey::new("up", [("device", device), ("site", "x")]));
            history.push(&key, Timestamp::UNIX_EPOCH, value);
        }
        let reader = |look: &mut dyn FnMut(&History)| look(&history);
        let config = query::Config::default();
        recording.evaluate(Timestamp::UNIX_EPOCH, None, &reader, &config, &|| false)
    }

    #[test]
    fn its_labels_are_laid_over_those_of_the_result() {
        let recorded = evaluate(&recording(&[("site", ""), ("team", "t")], "up * 2"));
        let labels = |device: &str| {
            Labels::from([("device", device), ("team", "t")].map(|(a, b)| (a.into(), b.into())))
        };
        let expected = [("a", 2.0), ("b", 4.0)]
            .map(|(device, value)| Recorded { labels: labels(device), value });
        assert_eq!(recorded.as_deref(), Ok(&expected[..]));
        let sum = evaluate(&recording(&[], "sum(up)"));
        assert_eq!(sum.as_deref(), Ok(&[Recorded { labels: Labels::new(), value: 3.0 }][..]));
        assert_eq!(evaluate(&recording(&[], "7")).map(|all| all[0].value), Ok(7.0));
    }

    #[test]
    fn series_that_become_one_are_refused() {
        let error = evaluate(&recording(&[("device", "")], "up"));
        assert_eq!(error, Err("two of its series have the same labels".to_owned()));
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let text = "id = ''\nrecord = '1 a'\nexpr = 'up['\nlabels = { 'a-b' = 'c' }";
        let config = toml::from_str(text).expect("TOML");
        let mistakes = Recording::read(&config, Duration::ZERO, &query::Config::default());
        let keys: Vec<String> =
            mistakes.expect_err("mistakes").into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["id", "record", "labels.a-b", "expr"]);
    }
}
