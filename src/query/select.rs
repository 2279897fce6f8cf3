//! From the history to samples: which series a selector means, and their points.

use std::sync::Arc;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::VectorSelector;

use super::labels::{Interned, LabelSets, Labels, NAME};
use super::{Config, Error};
use crate::sample::SeriesKey;
use crate::store::History;

/// Series that are taken along in one look; meanwhile nothing can be added to the history.
pub(super) const KEYS_IN_A_LOOK: usize = 256;

/// How a query reads the history: it calls a function with it, for as long as a look takes, and what
/// takes longer is done outside.
pub type Reader<'a> = dyn Fn(&mut dyn FnMut(&History)) + 'a;

/// The samples of one series that a selector has found.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) labels: Interned,
    pub(super) times: Vec<i64>,
    pub(super) values: Vec<f64>,
}

/// What a selector means.
pub(super) struct Matching<'a> {
    name: Option<&'a str>,
    matchers: &'a [Matcher],
}

impl<'a> Matching<'a> {
    pub(super) fn new(selector: &'a VectorSelector) -> Self {
        let matchers = &selector.matchers.matchers[..];
        let exact = |matcher: &&Matcher| matcher.name == NAME && matcher.op == MatchOp::Equal;
        let exact = matchers.iter().find(exact).map(|matcher| matcher.value.as_str());
        Self { name: selector.name.as_deref().or(exact), matchers }
    }

    /// The keys of the series that are meant.
    pub(super) fn keys(&self, reader: &Reader<'_>) -> Vec<Arc<SeriesKey>> {
        let mut keys = Vec::new();
        reader(&mut |history| keys = history.keys(self.name));
        keys.retain(|key| self.matches(key));
        keys
    }

    fn matches(&self, key: &SeriesKey) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = match matcher.name.as_str() {
                NAME => key.name(),
                label => key.label(label).unwrap_or_default(),
            };
            matcher.is_match(value)
        })
    }
}

/// Reads the samples of a selector between two times, both included, and adds their number to `read`.
pub(super) fn load(
    selector: &VectorSelector,
    (from, to): (i64, i64),
    reader: &Reader<'_>,
    config: &Config,
    sets: &mut LabelSets,
    read: &mut usize,
) -> Result<Vec<Selected>, Error> {
    let keys = Matching::new(selector).keys(reader);
    let mut excerpts = Vec::new();
    for keys in keys.chunks(KEYS_IN_A_LOOK) {
        reader(&mut |history| {
            let excerpts_here = keys.iter().filter_map(|key| {
                let excerpt = history.excerpt(key, from, to)?;
                (excerpt.count() > 0).then_some((key, excerpt))
            });
            excerpts.extend(excerpts_here);
        });
        if excerpts.len() > config.max_series {
            return Err(Error::execution(format!(
                "the selector finds more series than there may be, {} (query.max_series)",
                config.max_series
            )));
        }
    }
    let mut found = Vec::with_capacity(excerpts.len());
    for (key, excerpt) in excerpts {
        let points =
            excerpt.points(from, to).map_err(|error| Error::execution(error.to_string()))?;
        *read += points.len();
        check_samples(*read, config)?;
        let labels = sets.intern(Labels::of(key));
        let (times, values) = points.iter().map(|point| (point.at, point.value)).unzip();
        found.push(Selected { labels, times, values });
    }
    Ok(found)
}

/// That a query does not read or make too much.
pub(super) fn check_samples(samples: usize, config: &Config) -> Result<(), Error> {
    if samples <= config.max_samples {
        return Ok(());
    }
    let limit = config.max_samples;
    Err(Error::execution(format!(
        "query processing would load too many samples into memory in query execution: \
         there may be {limit} (query.max_samples)"
    )))
}
