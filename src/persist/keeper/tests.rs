//! The history on disk from outside: days pass in moments.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use parking_lot::Mutex;
use rusqlite::Connection;
use tempfile::TempDir;

use super::tier::{HOUR_MS, MINUTE_MS};
use super::{Books, Keeper, Memory, Removal, Tier};
use crate::persist::readers::Readers;
use crate::persist::{History as Bounds, Sync, schema};
use crate::sample::SeriesKey;
use crate::store::history::{Point, Shelf, Stored, Wanted};
use crate::store::{self, History};
use crate::units::{ByteSize, HumanDuration};

/// 2023-11-14T22:00:00Z, the start of an hour.
const START_MS: i64 = 1_699_999_200_000;
const STEP_MS: i64 = 5_000;

/// A daemon's history, in memory and on disk.
struct House {
    folder: TempDir,
    history: Arc<Mutex<History>>,
    connection: Connection,
    keeper: Keeper,
    bounds: Bounds,
    now: i64,
}

impl House {
    fn new() -> Self {
        Self::with(Bounds::default(), 32 << 20)
    }

    fn with(bounds: Bounds, memory_bytes: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = open(folder.path());
        let history = history(memory_bytes);
        let mut house = Self {
            folder,
            history,
            connection,
            keeper: Keeper::new(Arc::default()),
            bounds,
            now: START_MS,
        };
        house.load(true);
        house
    }

    fn load(&mut self, is_start: bool) {
        let start = is_start.then(|| at(self.now));
        let recent = self.keeper.load(&mut self.connection, start).expect("loaded");
        if is_start {
            let mut history = self.history.lock();
            recent.iter().for_each(|(key, points)| history.restore(key, points));
        }
        let history = self.history.clone();
        let memory: Memory = Arc::new(move |see| see(&history.lock()));
        self.keeper.start(memory);
    }

    /// The daemon is killed, and another one started after some time.
    fn restart(&mut self, after_ms: i64) {
        self.now += after_ms;
        self.history = history(32 << 20);
        self.connection = open(self.folder.path());
        self.keeper = Keeper::new(Arc::default());
        self.load(true);
    }

    /// All that is due is done.
    fn work(&mut self) {
        self.keeper.next_round = Instant::now();
        self.keeper.removal = Removal::Of(0);
        loop {
            let (connection, bounds) = (&mut self.connection, &self.bounds);
            self.keeper.turn(connection, bounds, at(self.now)).expect("a turn");
            let now = Instant::now();
            if self.keeper.next_turn(now) > now {
                break;
            }
        }
    }

    /// Time passes: each series gets a sample every few seconds, which is saved now and then.
    fn live(&mut self, series: &[Arc<SeriesKey>], ms: i64, value: impl Fn(usize, i64) -> f64) {
        let end = self.now + ms;
        while self.now < end {
            {
                let mut history = self.history.lock();
                for (index, key) in series.iter().enumerate() {
                    let point = (self.now - START_MS) / STEP_MS;
                    history.push(key, at(self.now), value(index, point));
                }
                history.trim(at(self.now));
            }
            if (self.now - START_MS) % (10 * MINUTE_MS) == 0 {
                self.work();
            }
            self.now += STEP_MS;
        }
        // Known until a moment before the next sample.
        self.now -= 1;
        self.work();
        self.now += 1;
    }

    fn shelf(&self) -> Books {
        let readers = Readers::new(&self.folder.path().join("x.db"), Arc::default());
        Books::new(self.keeper.catalogue.clone(), readers)
    }

    fn stored(&self, key: &Arc<SeriesKey>, from: i64, to: i64, grain: i64) -> Stored {
        let mut found = Stored::default();
        let wanted = [Wanted { key: key.clone(), from, to }];
        let take = &mut |_, stored| {
            found = stored;
            true
        };
        self.shelf().read(&wanted, grain, take).expect("read");
        found
    }

    /// All samples of a series, those in memory and those on disk, as a query puts them together.
    fn all(&self, key: &Arc<SeriesKey>) -> Vec<Point> {
        let excerpt = self.history.lock().excerpt(key, i64::MIN, i64::MAX);
        let first = excerpt.as_ref().and_then(|excerpt| excerpt.first()).unwrap_or(i64::MAX);
        let mut points = self.stored(key, 0, first - 1, 0).points;
        points.extend(excerpt.into_iter().flat_map(|it| it.points(0, i64::MAX).expect("sound")));
        points
    }

    fn rows(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.connection.query_row(&sql, [], |row| row.get(0)).expect("a number")
    }

    /// That the figures are those of the tables.
    fn check_figures(&self) {
        for tier in Tier::ALL {
            let sql = format!(
                "SELECT count(*), coalesce(sum(length(data)), 0), coalesce(sum(samples), 0) \
                 FROM history_{}",
                tier.name()
            );
            let counted: (i64, i64, i64) = self
                .connection
                .query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .expect("numbers");
            let figures = self.keeper.tiers.get(tier);
            let known = (figures.rows as i64, figures.bytes as i64, figures.samples as i64);
            assert_eq!(known, counted, "{tier:?}");
        }
    }
}

fn open(folder: &Path) -> Connection {
    schema::open(&folder.join("x.db"), Sync::Normal).expect("opened").0
}

fn history(max_bytes: u64) -> Arc<Mutex<History>> {
    let config = store::Config { max_bytes: ByteSize(max_bytes), ..store::Config::default() };
    Arc::new(Mutex::new(History::new(&config)))
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).expect("a time")
}

fn keys(count: usize) -> Vec<Arc<SeriesKey>> {
    let key = |index: usize| {
        let index = index.to_string();
        Arc::new(SeriesKey::new("m", [("index", index.as_str()), ("quoted", "\"\\\n")]))
    };
    (0..count).map(key).collect()
}

fn wave(index: usize, point: i64) -> f64 {
    ((point % 700) * (index as i64 + 1)) as f64 / 8.0
}

/// The values by the number of the sample that each is.
fn by_number(points: &[Point]) -> Vec<(i64, f64)> {
    let values = points.iter().filter(|point| !point.is_stale());
    values.map(|point| ((point.at - START_MS) / STEP_MS, point.value)).collect()
}

#[test]
fn memory_and_disk_are_one_line_without_a_hole_and_nothing_twice() {
    let (mut house, keys) = (House::new(), keys(3));
    for hours in [1, 3, 5] {
        house.live(&keys, hours * HOUR_MS + 7 * MINUTE_MS, wave);
        let points = (house.now - START_MS) / STEP_MS;
        for (index, key) in keys.iter().enumerate() {
            let expected: Vec<_> = (0..points).map(|point| (point, wave(index, point))).collect();
            assert_eq!(by_number(&house.all(key)), expected);
        }
    }
    house.check_figures();
    let in_memory = house.history.lock().samples();
    assert!(in_memory < 3 * 1_100, "{in_memory} samples are still in memory");
    let rounds = house.rows("history_rounds");
    assert!(rounds < 15, "{rounds} rounds are left");
}

#[test]
fn what_was_saved_outlives_a_kill_and_the_series_ends_where_nothing_is_known() {
    let (mut house, keys) = (House::new(), keys(2));
    let mut expected = Vec::new();
    for life in 0..4 {
        let first = (house.now - START_MS) / STEP_MS;
        house.live(&keys, 50 * MINUTE_MS, wave);
        expected.extend(first..(house.now - START_MS) / STEP_MS);
        let saved_at = house.now - 1;
        // What comes after it was saved is lost.
        house.history.lock().push(&keys[0], at(house.now), 1e9);
        house.restart(3 * MINUTE_MS);
        let gap = house.keeper.numbers.lock().gap.expect("a gap");
        assert_eq!((gap.from, gap.to, gap.in_order), (at(saved_at), at(house.now), false));
        for (index, key) in keys.iter().enumerate() {
            let all = house.all(key);
            let values: Vec<_> =
                expected.iter().map(|point| (*point, wave(index, *point))).collect();
            assert_eq!(by_number(&all), values, "life {life}");
            let mut marks = all.iter().filter(|point| point.is_stale()).map(|point| point.at);
            assert_eq!((marks.clone().count(), marks.next_back()), (life + 1, Some(saved_at)));
        }
        assert_eq!(house.rows("history_rounds"), 0);
        house.check_figures();
    }
    let finished = house.keeper.finish(&mut house.connection, &house.bounds, at(house.now));
    finished.expect("finished");
    house.restart(1_000);
    assert!(house.keeper.numbers.lock().gap.is_some_and(|gap| gap.in_order));
}

#[test]
fn buckets_are_those_of_all_samples_whatever_came_between() {
    let (mut house, keys) = (House::new(), keys(1));
    house.live(&keys, 100 * MINUTE_MS, wave);
    house.restart(0);
    house.live(&keys, 26 * HOUR_MS, wave);
    house.bounds.full = HumanDuration::secs(3_600);
    house.work();
    let (key, points) = (&keys[0], (house.now - START_MS) / STEP_MS);
    let minutes = house.stored(key, 0, i64::MAX, 0).minutes;
    let hours = house.stored(key, 0, i64::MAX, HOUR_MS).hours;
    for (buckets, width) in [(minutes, MINUTE_MS), (hours, HOUR_MS)] {
        assert!(buckets.len() as i64 >= 25 * HOUR_MS / width, "{}", buckets.len());
        for (place, bucket) in buckets.iter().enumerate() {
            let each = width / STEP_MS;
            let numbers = place as i64 * each..(place as i64 + 1) * each;
            let values: Vec<f64> = numbers.clone().map(|point| wave(0, point)).collect();
            assert!(numbers.end <= points);
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let last = (numbers.end - 1) * STEP_MS + START_MS;
            assert_eq!((bucket.at, bucket.last), (last, values[values.len() - 1]), "{place}");
            assert_eq!(
                (bucket.min, bucket.max, bucket.count),
                (least, most, each as u32),
                "{place}"
            );
            assert_eq!(bucket.sum, values.iter().sum::<f64>(), "{place}");
        }
    }
}

#[test]
fn each_tier_is_read_where_the_finer_one_is_gone() {
    let (mut house, keys) = (House::new(), keys(1));
    house.live(&keys, 30 * HOUR_MS, wave);
    let (key, end) = (&keys[0], house.now);
    house.bounds.full = HumanDuration::secs(6 * 3_600);
    house.bounds.minutes = HumanDuration::secs(12 * 3_600);
    house.work();
    house.check_figures();
    let stored = house.stored(key, 0, end, 0);
    let bounds = |first: Option<i64>, last: Option<i64>| {
        let hour = |at: Option<i64>| at.map(|at| (at - START_MS).div_euclid(HOUR_MS));
        (hour(first), hour(last))
    };
    let buckets = |buckets: &[crate::store::history::Bucket]| {
        bounds(buckets.first().map(|b| b.at), buckets.last().map(|b| b.at))
    };
    assert_eq!(buckets(&stored.hours), (Some(0), Some(17)));
    assert_eq!(buckets(&stored.minutes), (Some(18), Some(23)));
    let points = bounds(stored.points.first().map(|p| p.at), stored.points.last().map(|p| p.at));
    assert_eq!(points, (Some(24), Some(28)));
    let coarse = house.stored(key, 0, end, HOUR_MS);
    assert_eq!((coarse.minutes.len(), coarse.hours.len()), (0, 24));
    // Of an hour there is one more, for who looks back.
    let late = house.stored(key, START_MS + 5 * HOUR_MS + MINUTE_MS, START_MS + 6 * HOUR_MS, 0);
    assert_eq!(buckets(&late.hours), (Some(4), Some(5)));
}

#[test]
fn too_many_bytes_are_removed_by_whole_hours_and_the_series_with_the_last_of_them() {
    let (mut house, keys) = (House::new(), keys(20));
    house.live(&keys, 5 * HOUR_MS, wave);
    assert_eq!(house.shelf().keys(Some("m"), 0, i64::MAX).len(), 20);
    for tier in Tier::ALL {
        assert!(house.keeper.tiers.get(tier).bytes > 1_000, "{tier:?}");
    }
    house.bounds.full_size = ByteSize(house.keeper.tiers.get(Tier::Full).bytes / 2);
    house.work();
    house.check_figures();
    let figures = house.keeper.tiers.get(Tier::Full);
    assert!(figures.bytes <= *house.bounds.full_size && figures.rows % 20 == 0, "{figures:?}");
    assert_eq!(figures.oldest, Some(figures.start));
    // Gone, but still to be found by its labels as long as anything is left of it.
    house.now += 20 * HOUR_MS;
    house.history = history(1 << 20);
    house.load(false);
    house.bounds.full = HumanDuration::secs(3_600);
    house.work();
    assert_eq!(house.shelf().keys(Some("m"), 0, i64::MAX).len(), 20);
    assert!(!house.stored(&keys[7], 0, i64::MAX, 0).minutes.is_empty());
    house.bounds.minutes = HumanDuration::secs(3_600);
    house.bounds.hours = HumanDuration::secs(3_600);
    house.now += 48 * HOUR_MS;
    house.work();
    assert_eq!(house.shelf().keys(None, 0, i64::MAX).len(), 0);
    assert_eq!(house.rows("history_series"), 0);
    house.check_figures();
}

#[test]
fn series_are_bounded_and_those_that_ended_first_make_room() {
    let bounds = Bounds { max_series: 10, ..Bounds::default() };
    let mut house = House::with(bounds, 32 << 20);
    let keys = keys(14);
    house.live(&keys[..8], 2 * HOUR_MS, wave);
    house.live(&keys[4..10], 3 * HOUR_MS, wave);
    assert_eq!(house.rows("history_series"), 10);
    // Four have ended, and the first of them are gone.
    house.live(&keys[4..12], 2 * HOUR_MS, wave);
    let there = house.shelf().keys(None, 0, i64::MAX);
    assert!(there.len() <= 10 && keys[4..12].iter().all(|key| there.contains(key)), "{there:?}");
    // Nobody makes room who is there.
    house.live(&keys[..14], 2 * HOUR_MS, wave);
    assert_eq!(house.rows("history_series"), 10);
    assert_eq!(house.keeper.numbers.lock().refused_series, 4);
}

#[test]
fn with_little_memory_rows_are_written_early_and_nothing_is_lost() {
    let (mut house, keys) = (House::with(Bounds::default(), 100 << 10), keys(40));
    let noise = |index: usize, point: i64| ((point * 7919 + index as i64) % 10_007) as f64 / 7.0;
    for _ in 0..30 {
        house.live(&keys, 3 * MINUTE_MS, noise);
    }
    assert_eq!(house.history.lock().dropped().memory, 0);
    let points = (house.now - START_MS) / STEP_MS;
    for (index, key) in keys.iter().enumerate().step_by(13) {
        let expected: Vec<_> = (0..points).map(|point| (point, noise(index, point))).collect();
        assert_eq!(by_number(&house.all(key)), expected);
    }
    house.check_figures();
}

#[test]
fn a_clock_set_back_takes_back_what_is_to_come() {
    let (mut house, keys) = (House::new(), keys(2));
    house.live(&keys, 5 * HOUR_MS, wave);
    house.now = START_MS + 2 * HOUR_MS + 30 * MINUTE_MS;
    house.history.lock().set_back(at(house.now));
    house.now += STEP_MS;
    house.live(&keys, 2 * HOUR_MS, |_, _| 5.0);
    house.check_figures();
    let all = by_number(&house.all(&keys[1]));
    let back = (2 * HOUR_MS + 30 * MINUTE_MS) / STEP_MS;
    let expected = (0..(house.now - START_MS) / STEP_MS)
        .map(|point| (point, if point <= back { wave(1, point) } else { 5.0 }));
    let expected: Vec<_> = expected.collect();
    assert_eq!(all.len(), expected.len());
    assert_eq!(all, expected);
}

#[test]
fn a_row_that_is_damaged_is_passed_over() {
    let (mut house, keys) = (House::new(), keys(1));
    house.live(&keys, 3 * HOUR_MS, wave);
    let sql =
        "UPDATE history_full SET data = x'0102' WHERE slot = (SELECT min(slot) FROM history_full)";
    house.connection.execute(sql, []).expect("changed");
    let points = house.stored(&keys[0], 0, i64::MAX, 0).points;
    assert!((points[0].at - START_MS) >= HOUR_MS && points.len() >= 720, "{}", points.len());
    house.connection.execute("UPDATE history_rounds SET data = x'01'", []).expect("changed");
    house.restart(0);
    house.live(&keys, HOUR_MS, wave);
}
