//! From the history to samples: which series a selector means, and their points, those in memory and
//! those on disk as one line of time.

use std::sync::Arc;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::VectorSelector;

use super::labels::{Interned, LabelSets, Labels, NAME};
use super::{Config, Error};
use crate::sample::SeriesKey;
use crate::store::History;
use crate::store::history::{Bucket, Excerpt, Point, Shelf, Stored, Wanted};

/// Series that are taken along in one look; meanwhile nothing can be added to the history.
pub(super) const KEYS_IN_A_LOOK: usize = 256;

/// How a query reads the history: it calls a function with it, for as long as a look takes, and what
/// takes longer is done outside.
pub type Reader<'a> = dyn Fn(&mut dyn FnMut(&History)) + 'a;

/// Where samples are: in memory, and perhaps on a disk.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) memory: &'a Reader<'a>,
    pub(super) shelf: Option<&'a dyn Shelf>,
}

/// What a selector asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want {
    /// Two times, both included, in milliseconds since 1970.
    pub(super) from: i64,
    pub(super) to: i64,
    /// How far apart samples may be where not each of them is kept any more.
    pub(super) grain: i64,
    pub(super) aspect: Aspect,
}

/// Which number of a bucket stands for its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aspect {
    Last,
    Least,
    Greatest,
    /// The mean, which counts as often as there were samples.
    Mean,
}

impl Aspect {
    /// That of a function over a range.
    pub(super) fn of(function: &str) -> Self {
        match function {
            "min_over_time" => Self::Least,
            "max_over_time" => Self::Greatest,
            "avg_over_time" | "sum_over_time" | "count_over_time" => Self::Mean,
            _ => Self::Last,
        }
    }
}

/// The samples of one series that a selector has found.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) labels: Interned,
    pub(super) times: Vec<i64>,
    pub(super) values: Vec<f64>,
    /// How often each counts; empty if each counts once.
    pub(super) weights: Vec<f64>,
    /// Up to this time there is one an hour.
    pub(super) hourly_until: i64,
}

impl Selected {
    fn new(labels: Interned, stored: &Stored, points: &[Point], aspect: Aspect) -> Self {
        let count = stored.len() + points.len();
        let mut selected = Self {
            labels,
            times: Vec::with_capacity(count),
            values: Vec::with_capacity(count),
            weights: Vec::new(),
            hourly_until: stored.hours.last().map_or(i64::MIN, |bucket| bucket.at),
        };
        for bucket in stored.hours.iter().chain(&stored.minutes) {
            selected.add(bucket, aspect);
        }
        for point in stored.points.iter().chain(points) {
            selected.times.push(point.at);
            selected.values.push(point.value);
        }
        if !selected.weights.is_empty() {
            selected.weights.resize(selected.times.len(), 1.0);
        }
        selected
    }

    fn add(&mut self, bucket: &Bucket, aspect: Aspect) {
        let Bucket { at, last, min, max, sum, count, ended } = *bucket;
        let value = match aspect {
            Aspect::Last => last,
            Aspect::Least => min,
            Aspect::Greatest => max,
            Aspect::Mean => sum / f64::from(count),
        };
        let mut push = |at: i64, value: f64, weight: f64| {
            self.times.push(at);
            self.values.push(value);
            if aspect == Aspect::Mean {
                self.weights.push(weight);
            }
        };
        if count > 0 {
            push(at, value, f64::from(count));
        }
        if ended {
            let end = Point::stale(if count > 0 { at.saturating_add(1) } else { at });
            push(end.at, end.value, 1.0);
        }
    }
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

    /// The keys of the series that are meant: those in memory, and those on disk that may have samples
    /// between two times.
    pub(super) fn keys(&self, source: Source<'_>, from: i64, to: i64) -> Vec<Arc<SeriesKey>> {
        let mut keys = Vec::new();
        (source.memory)(&mut |history| keys = history.keys(self.name));
        if let Some(shelf) = source.shelf {
            keys.extend(shelf.keys(self.name, from, to));
            keys.sort_unstable();
            keys.dedup();
        }
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

/// Reads the samples of a selector, and adds their number to `read`.
pub(super) fn load(
    selector: &VectorSelector,
    want: Want,
    source: Source<'_>,
    config: &Config,
    sets: &mut LabelSets,
    read: &mut usize,
    expired: &dyn Fn() -> bool,
) -> Result<Vec<Selected>, Error> {
    let keys = Matching::new(selector).keys(source, want.from, want.to);
    let mut found = Vec::new();
    for keys in keys.chunks(KEYS_IN_A_LOOK) {
        let excerpts = excerpts(keys, want, source);
        let stored = match source.shelf {
            Some(shelf) => stored(keys, &excerpts, want, shelf, *read, config, expired)?,
            None => Vec::new(),
        };
        for (index, (key, excerpt)) in keys.iter().zip(excerpts).enumerate() {
            let points = excerpt.map(|excerpt| excerpt.points(want.from, want.to)).transpose();
            let points = points.map_err(|error| Error::execution(error.to_string()))?;
            let (points, nothing) = (points.unwrap_or_default(), Stored::default());
            let stored = stored.get(index).unwrap_or(&nothing);
            *read += points.len() + stored.len();
            check_samples(*read, config)?;
            if !points.is_empty() || !stored.is_empty() {
                let labels = sets.intern(Labels::of(key));
                found.push(Selected::new(labels, stored, &points, want.aspect));
            }
        }
        if found.len() > config.max_series {
            return Err(Error::execution(format!(
                "the selector finds more series than there may be, {} (query.max_series)",
                config.max_series
            )));
        }
        if expired() {
            return Err(Error::Timeout);
        }
    }
    Ok(found)
}

/// What is in memory of each series.
fn excerpts(keys: &[Arc<SeriesKey>], want: Want, source: Source<'_>) -> Vec<Option<Excerpt>> {
    let mut excerpts = Vec::new();
    (source.memory)(&mut |history| {
        let excerpt = |key: &Arc<SeriesKey>| history.excerpt(key, want.from, want.to);
        excerpts = keys.iter().map(excerpt).collect();
    });
    excerpts
}

/// What is on disk of each series from before what is in memory. It is looked at later, so that what
/// leaves memory for the disk between the two looks is seen in the second.
fn stored(
    keys: &[Arc<SeriesKey>],
    excerpts: &[Option<Excerpt>],
    want: Want,
    shelf: &dyn Shelf,
    read: usize,
    config: &Config,
    expired: &dyn Fn() -> bool,
) -> Result<Vec<Stored>, Error> {
    let (mut wanted, mut places) = (Vec::new(), Vec::new());
    for (place, (key, excerpt)) in keys.iter().zip(excerpts).enumerate() {
        let first = excerpt.as_ref().and_then(Excerpt::first);
        let to = first.map_or(want.to, |first| want.to.min(first.saturating_sub(1)));
        if want.from <= to && shelf.holds(key, want.from, to) {
            wanted.push(Wanted { key: key.clone(), from: want.from, to });
            places.push(place);
        }
    }
    let mut stored = vec![Stored::default(); keys.len()];
    let mut samples = read;
    if !wanted.is_empty() {
        let take = &mut |index: usize, one: Stored| {
            samples += one.len();
            stored[places[index]] = one;
            samples <= config.max_samples && !expired()
        };
        shelf
            .read(&wanted, want.grain, take)
            .map_err(|error| Error::execution(error.to_string()))?;
    }
    check_samples(samples, config)?;
    Ok(stored)
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
