//! The latest value of every series, those before it, and how each collector is doing.

mod collectors;
mod config;
pub mod history;
mod notice;

pub use collectors::{CollectorState, CollectorStatus, Collectors};
pub use config::Config;
pub use history::History;
pub use notice::{Notice, Noticed};

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

use crate::sample::{Batch, Moment, Reason, Sample, SeriesKey, Stamp, Value};
use history::Point;

/// The latest value of every series, each owned by the collector that brought it first.
#[derive(Debug)]
pub struct Store {
    series: BTreeMap<Arc<SeriesKey>, Series>,
    /// What each collector's last batch brought, to find what it no longer brings.
    brought: HashMap<Arc<str>, Vec<Arc<SeriesKey>>>,
    max_series: usize,
    dropped: Dropped,
    history: History,
    /// How far the clock on the wall is from the one that only goes on, in milliseconds.
    clock_offset: Option<i64>,
}

/// A clock that goes back by less is being slewed, not set.
const SET_BACK_MS: i64 = 1_000;

/// The latest value of one series.
#[derive(Debug, Clone)]
pub struct Series {
    pub value: Value,
    /// When it was collected.
    pub at: Moment,
    /// When it was read, if its source has said so.
    pub stamp: Option<Stamp>,
    /// The collector that reads it.
    pub collector: Arc<str>,
}

impl Series {
    /// When it was read.
    pub fn read_at(&self) -> Timestamp {
        self.stamp.map_or(self.at.wall, Stamp::wall)
    }
}

/// Samples that were not taken, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// The same series came from another collector, or twice in one batch.
    pub duplicate: u64,
    /// There are as many series as may be.
    pub limit: u64,
}

impl Store {
    /// An empty store.
    pub fn new(config: &Config) -> Self {
        Self {
            series: BTreeMap::new(),
            brought: HashMap::new(),
            max_series: config.max_series,
            dropped: Dropped::default(),
            history: History::new(config),
            clock_offset: None,
        }
    }

    /// Adopts new bounds; series beyond them stay until their collector leaves them out.
    pub fn configure(&mut self, config: &Config) {
        self.max_series = config.max_series;
        self.history.configure(config);
    }

    /// Takes a batch: its samples become the latest values, and series that its collector brought
    /// before and does not bring now are gone (a disk was unplugged, a process ended).
    pub fn apply(&mut self, batch: &Batch) -> Noticed {
        let mut noticed = Noticed::default();
        self.watch_clock(batch.at);
        let collector = &batch.collector;
        let mut brought = Vec::with_capacity(batch.samples.len());
        for Sample { key, value, stamp } in &batch.samples {
            let (value, at, stamp) = (*value, batch.at, *stamp);
            let time = stamp.map_or(at.wall, Stamp::wall);
            match self.insert(key, Series { value, at, stamp, collector: collector.clone() }) {
                Insert::Kept => {}
                Insert::Reset => noticed.reset(key),
                Insert::Twice => noticed.reject(Reason::Duplicate, key, "came twice"),
                Insert::Taken => {
                    noticed.reject(Reason::Duplicate, key, "is a series of another collector");
                    continue;
                }
                Insert::Full => {
                    noticed.reject(Reason::Limit, key, "is beyond store.max_series");
                    continue;
                }
            }
            self.history.push(key, time, value.get());
            brought.push(key.clone());
        }
        let before = self.brought.get(collector).map_or(&[][..], Vec::as_slice);
        // Keys are shared between like rounds, so equal rounds are told by address.
        let same = before.len() == brought.len()
            && before.iter().zip(&brought).all(|(old, new)| Arc::ptr_eq(old, new));
        if !same {
            self.remove_stale(collector, batch.at);
            self.brought.insert(collector.clone(), brought);
        }
        self.history.trim(batch.at.wall);
        noticed
    }

    /// Drops all series of a collector that is gone.
    pub fn forget(&mut self, collector: &str, now: Moment) {
        self.brought.remove(collector);
        self.series.retain(|key, series| {
            let is_gone = &*series.collector == collector;
            if is_gone {
                self.history.end(key, now.wall);
            }
            !is_gone
        });
    }

    /// The values before the latest ones.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Takes in samples that were kept before the start.
    pub fn restore(&mut self, recent: &[(Arc<SeriesKey>, Vec<Point>)]) {
        recent.iter().for_each(|(key, points)| self.history.restore(key, points));
    }

    /// A sample with a time of its own may be older than the one before it; that the clock was set
    /// back is told by the other clock.
    fn watch_clock(&mut self, Moment { wall, uptime }: Moment) {
        let uptime = i64::try_from(uptime.as_millis()).unwrap_or(i64::MAX);
        let offset = wall.as_millisecond().saturating_sub(uptime);
        if self.clock_offset.is_some_and(|before| offset < before - SET_BACK_MS) {
            self.history.set_back(wall);
        }
        self.clock_offset = Some(offset);
    }

    /// Every series, in the order of names and labels.
    pub fn iter(&self) -> impl Iterator<Item = (&SeriesKey, &Series)> {
        self.series.iter().map(|(key, series)| (&**key, series))
    }

    /// The series of one metric.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a SeriesKey, &'a Series)> {
        let first = Arc::new(SeriesKey::new(name, []));
        let range = (Bound::Included(first), Bound::Unbounded);
        let series = self.series.range::<Arc<SeriesKey>, _>(range);
        series.map(|(key, series)| (&**key, series)).take_while(move |(key, _)| key.name() == name)
    }

    /// The value of a metric that has one series.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.named(name).next().map(|(_, series)| series.value.get())
    }

    /// The sum over a metric's series, if it has any.
    pub fn sum(&self, name: &str) -> Option<f64> {
        self.named(name).map(|(_, series)| series.value.get()).reduce(|sum, value| sum + value)
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Samples that were not taken.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    fn insert(&mut self, key: &Arc<SeriesKey>, series: Series) -> Insert {
        let full = self.series.len() >= self.max_series;
        match self.series.get_mut(key) {
            Some(present) if present.collector == series.collector => {
                // Twice in one batch: the later one counts, and the fault is counted.
                let is_twice = present.at == series.at;
                self.dropped.duplicate += u64::from(is_twice);
                let has_gone_down = has_gone_down(present.value, series.value);
                *present = series;
                match (is_twice, has_gone_down) {
                    (true, _) => return Insert::Twice,
                    (false, true) => return Insert::Reset,
                    (false, false) => {}
                }
            }
            Some(_) => {
                self.dropped.duplicate += 1;
                return Insert::Taken;
            }
            None if full => {
                self.dropped.limit += 1;
                return Insert::Full;
            }
            None => {
                self.series.insert(key.clone(), series);
            }
        }
        Insert::Kept
    }

    fn remove_stale(&mut self, collector: &Arc<str>, at: Moment) {
        for key in self.brought.get(collector).into_iter().flatten() {
            if self.series.get(key).is_some_and(|s| s.collector == *collector && s.at != at) {
                self.series.remove(key);
                self.history.end(key, at.wall);
            }
        }
    }
}

/// What became of a sample.
enum Insert {
    Kept,
    /// It is kept, and a counter that went down.
    Reset,
    /// It is kept in place of another of the same batch.
    Twice,
    /// Another collector has the series.
    Taken,
    /// There are as many series as may be.
    Full,
}

fn has_gone_down(before: Value, now: Value) -> bool {
    matches!((before, now), (Value::Counter(before), Value::Counter(now)) if now < before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Outcome, Rejected};
    use std::time::Duration;

    fn batch(collector: &str, second: u64, names: &[&str]) -> Batch {
        let sample = |name: &&str| Sample {
            key: Arc::new(SeriesKey::new(name, [])),
            value: Value::Gauge(second as f64),
            stamp: None,
        };
        Batch {
            collector: collector.into(),
            at: moment(second),
            duration: Duration::ZERO,
            samples: names.iter().map(sample).collect(),
            rejected: Rejected::default(),
            outcome: Outcome::Ok,
            broken: false,
        }
    }

    fn moment(second: u64) -> Moment {
        let start = Moment { wall: jiff::Timestamp::UNIX_EPOCH, uptime: Duration::ZERO };
        start.after(Duration::from_secs(second))
    }

    fn names(store: &Store) -> Vec<&str> {
        store.iter().map(|(key, _)| key.name()).collect()
    }

    #[test]
    fn a_series_that_is_no_longer_brought_is_gone() {
        let mut store = Store::new(&Config::default());
        store.apply(&batch("disk", 1, &["a", "b"]));
        store.apply(&batch("load", 1, &["c"]));
        store.apply(&batch("disk", 2, &["b"]));
        assert_eq!(names(&store), ["b", "c"]);
        assert_eq!(store.value("b"), Some(2.0));
        store.forget("disk", moment(3));
        assert_eq!(names(&store), ["c"]);
    }

    #[test]
    fn the_history_has_each_value_and_each_end() {
        let mut store = Store::new(&Config::default());
        store.apply(&batch("disk", 1, &["a", "b"]));
        store.apply(&batch("other", 2, &["a"]));
        store.apply(&batch("disk", 3, &["b"]));
        store.forget("disk", moment(4));
        let past = |name: &str| -> Vec<(i64, Option<f64>)> {
            let excerpt = store.history().excerpt(&SeriesKey::new(name, []), 0, 9000);
            let points = excerpt.unwrap().points(0, 9000).unwrap();
            let value = |point: &history::Point| (!point.is_stale()).then_some(point.value);
            points.iter().map(|point| (point.at, value(point))).collect()
        };
        assert_eq!(past("a"), [(1000, Some(1.0)), (3000, None)], "of its owner alone");
        assert_eq!(past("b"), [(1000, Some(1.0)), (3000, Some(3.0)), (4000, None)]);
    }

    #[test]
    fn a_sample_that_is_late_is_left_out_and_a_clock_set_back_begins_anew() {
        let mut store = Store::new(&Config::default());
        let mut at = |second: u64, wall: u64, stamp: Option<i64>| {
            let mut batch = batch("disk", second, &["a"]);
            batch.at.wall = moment(wall).wall;
            batch.samples[0].stamp =
                stamp.map(|s| crate::sample::Stamp::of_unix_ns(s * 1_000_000_000));
            store.apply(&batch);
            let excerpt = store.history().excerpt(&SeriesKey::new("a", []), 0, 1 << 40);
            let points = excerpt.unwrap().points(0, 1 << 40).unwrap();
            points.iter().map(|point| point.at / 1000).collect::<Vec<_>>()
        };
        for second in 100..103 {
            at(second, second, None);
        }
        assert_eq!(
            at(103, 103, Some(90)),
            [100, 101, 102],
            "its own time tells nothing of the clock"
        );
        assert_eq!(at(104, 104, Some(104)), [100, 101, 102, 104]);
        assert_eq!(at(105, 101, None), [100, 101], "the clock was set back");
        assert_eq!(at(106, 102, None), [100, 101, 102]);
        // Forward is only a pause.
        assert_eq!(at(107, 500, None), [100, 101, 102, 500]);
    }

    #[test]
    fn the_first_owner_of_a_series_keeps_it() {
        let mut store = Store::new(&Config::default());
        store.apply(&batch("one", 1, &["a"]));
        let noticed = store.apply(&batch("two", 2, &["a"]));
        assert_eq!(noticed.rejected.count(Reason::Duplicate), 1);
        assert_eq!(store.value("a"), Some(1.0));
        assert_eq!(store.dropped().duplicate, 1);
        store.apply(&batch("one", 3, &[]));
        store.apply(&batch("two", 4, &["a"]));
        assert_eq!(store.value("a"), Some(4.0));
    }

    #[test]
    fn twice_in_one_batch_is_counted_and_the_later_one_stays() {
        let mut store = Store::new(&Config::default());
        let mut twice = batch("one", 1, &["a", "a"]);
        twice.samples[1].value = Value::Gauge(7.0);
        let noticed = store.apply(&twice);
        assert_eq!(noticed.rejected.first(), Some((Reason::Duplicate, "a came twice")));
        assert_eq!((store.value("a"), store.dropped().duplicate), (Some(7.0), 1));
        store.apply(&batch("one", 2, &["a"]));
        assert_eq!(store.dropped().duplicate, 1);
    }

    #[test]
    fn a_counter_that_goes_down_is_kept_and_noticed() {
        let mut store = Store::new(&Config::default());
        let mut resets = |second, values: [f64; 2], kind: fn(f64) -> Value| {
            let mut batch = batch("one", second, &["a", "b"]);
            batch
                .samples
                .iter_mut()
                .zip(values)
                .for_each(|(sample, value)| sample.value = kind(value));
            let noticed = store.apply(&batch);
            let named = noticed.last_reset.map(|key| key.to_string()).unwrap_or_default();
            (noticed.resets, named, store.value("b"))
        };
        assert_eq!(resets(1, [5.0, 5.0], Value::Counter), (0, String::new(), Some(5.0)));
        assert_eq!(resets(2, [5.0, 4.0], Value::Counter), (1, "b".to_owned(), Some(4.0)));
        assert_eq!(resets(3, [0.0, 0.0], Value::Counter), (2, "b".to_owned(), Some(0.0)));
        assert_eq!(resets(4, [1.0, 0.0], Value::Counter), (0, String::new(), Some(0.0)));
        assert_eq!(resets(5, [1.0, 0.0], Value::Gauge).0, 0);
        assert_eq!(resets(6, [0.0, -1.0], Value::Gauge).0, 0);
    }

    #[test]
    fn series_are_bounded() {
        let mut store = Store::new(&Config { max_series: 2, ..Config::default() });
        let noticed = store.apply(&batch("one", 1, &["a", "b", "c"]));
        let first = noticed.rejected.first();
        assert_eq!(first, Some((Reason::Limit, "c is beyond store.max_series")));
        assert_eq!(names(&store), ["a", "b"]);
        assert_eq!(store.dropped(), Dropped { duplicate: 0, limit: 1 });
    }

    #[test]
    fn a_metric_is_found_among_its_neighbours() {
        let mut store = Store::new(&Config::default());
        store.apply(&batch("one", 1, &["a", "a_b", "aa", "b"]));
        assert_eq!(store.named("a").count(), 1);
        assert_eq!(store.sum("missing"), None);
    }
}
