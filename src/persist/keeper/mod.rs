//! Keeps the history on disk: the samples of the last moment in rounds, those of whole hours in rows,
//! what is left of older ones in buckets.
//!
//! All of it is done by the thread of the database, in portions, and only while no event waits. It
//! reads the history in memory as a query does, so that nothing waits for it and what is not written
//! yet is where it was anyway; `Track::wrote` says what is.

mod absorb;
mod registry;
mod shelf;
mod tier;
mod turn;

pub(super) use shelf::Books;
pub use tier::{Figures, Tier, Tiers};

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, RwLock};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::History;
use crate::sample::SeriesKey;
use crate::store;
use crate::store::history::{Place, Point, Told};
use registry::{Entry, News, Registry};

/// What is on disk, for readers.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    registry: Registry,
    tiers: Tiers,
}

impl Catalogue {
    /// Before this time there is nothing.
    fn oldest(&self) -> i64 {
        Tier::ALL.map(|tier| self.tiers.get(tier).start).into_iter().min().unwrap_or(i64::MAX)
    }
}

/// A time of which nothing is known, because no daemon ran or because it was killed before it had
/// saved what it knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Whether the daemon before had ended in order, so that it lost nothing.
    pub in_order: bool,
}

/// How much of the history is on disk, in numbers.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    pub tiers: Tiers,
    pub series: usize,
    /// Bytes of samples that are in no row yet.
    pub rounds_bytes: u64,
    /// Series that are not kept because there are too many.
    pub refused_series: usize,
    /// The last time of which nothing is known.
    pub gap: Option<Gap>,
}

/// The samples of the last moments before the start, to go on from.
pub(super) type Recent = Vec<(Arc<SeriesKey>, Vec<Point>)>;

/// How the history in memory is read: the function is called with it, for as long as a look takes.
pub(super) type Memory = Arc<dyn Fn(&mut dyn FnMut(&store::History)) + Send + Sync>;

fn look<T>(memory: &Memory, see: impl FnOnce(&store::History) -> T) -> T {
    let (mut see, mut seen) = (Some(see), None);
    memory(&mut |history| seen = see.take().map(|see| see(history)));
    seen.expect("whoever is asked to look looks once")
}

/// What is known of one series in memory.
#[derive(Debug)]
struct Known {
    id: u32,
    key: Arc<SeriesKey>,
    place: Place,
    /// The last sample that is in a row.
    written: i64,
    /// The first one that is in none.
    unwritten: Option<i64>,
    /// The pass over all series that has seen it last.
    seen: u64,
}

/// Keeps the history on disk.
pub(super) struct Keeper {
    pub(super) catalogue: Arc<RwLock<Catalogue>>,
    numbers: Arc<Mutex<Kept>>,
    memory: Option<Memory>,
    /// Whether no database was read since the daemon has started.
    pub(super) is_first: bool,
    /// Whether what is known here is what is in the database.
    is_loaded: bool,
    /// By the numbers of their tracks.
    known: HashMap<u64, Known>,
    /// By the numbers of their series: what the next round tells their samples by.
    told: HashMap<u32, Told>,
    /// Tracks whose series are not kept, within this hour.
    refused: HashSet<u64>,
    /// What the change that is being made brings for readers.
    news: Vec<News>,
    tiers: Tiers,
    /// The series behind which the pass over all of them goes on, while there is one.
    pass: Option<Option<Arc<SeriesKey>>>,
    passes: u64,
    /// The hour of the last round that began anew.
    anew_hour: i64,
    next_round: Instant,
    /// The tracks whose samples are to go into rows, and up to which time.
    due: VecDeque<u64>,
    due_before: i64,
    set_backs: u64,
    removal: Removal,
}

/// What is removed next of what is too old.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Removal {
    Waits(Instant),
    Of(usize),
    Series,
    Rounds,
}

/// How long a look at the history is, in series; meanwhile nothing can be added to it.
const SERIES_IN_A_LOOK: usize = 256;
/// Between two looks for what is too old.
const BETWEEN_REMOVALS: Duration = Duration::from_secs(60);
/// After a failure that may be over soon, such as a reader with a lock.
const RETRY: Duration = Duration::from_secs(1);

impl Keeper {
    pub(super) fn new(numbers: Arc<Mutex<Kept>>) -> Self {
        let now = Instant::now();
        Self {
            catalogue: Arc::default(),
            numbers,
            memory: None,
            is_first: true,
            is_loaded: false,
            known: HashMap::new(),
            told: HashMap::new(),
            refused: HashSet::new(),
            news: Vec::new(),
            tiers: Tiers::default(),
            pass: None,
            passes: 0,
            anew_hour: i64::MIN,
            next_round: now,
            due: VecDeque::new(),
            due_before: i64::MIN,
            set_backs: 0,
            removal: Removal::Waits(now),
        }
    }

    /// From now on there is a history in memory to be kept.
    pub(super) fn start(&mut self, memory: Memory) {
        self.set_backs = look(&memory, |history| {
            history.keep(true);
            history.set_backs().count
        });
        self.memory = Some(memory);
    }

    /// When the next turn is due; `now`, if it is due now.
    pub(super) fn next_turn(&self, now: Instant) -> Instant {
        let removal = match self.removal {
            Removal::Waits(until) => until,
            Removal::Of(_) | Removal::Series | Removal::Rounds => now,
        };
        match (&self.memory, self.due.is_empty() && self.pass.is_none()) {
            (None, _) => now + BETWEEN_REMOVALS,
            (Some(_), true) => self.next_round.min(removal),
            (Some(_), false) => now,
        }
    }

    /// Reads what is on a disk that cannot be written.
    pub(super) fn look(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let (registry, tiers) = (Registry::load(connection)?, Tiers::load(connection)?);
        *self.catalogue.write() = Catalogue { registry, tiers };
        Ok(())
    }

    /// What is known here of the database is no longer true.
    pub(super) fn forget(&mut self) {
        self.is_loaded = false;
        self.known.clear();
        self.told.clear();
        self.due.clear();
        self.pass = None;
        self.anew_hour = i64::MIN;
        self.next_round = Instant::now() + RETRY;
    }

    /// Changes the database, and then what readers are shown of it.
    fn change<T>(
        &mut self,
        connection: &mut Connection,
        change: impl FnOnce(&mut Self, &Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = self.tiers;
        self.news.clear();
        let changed = change(self, &transaction).and_then(|changed| {
            if self.tiers != before {
                self.tiers.store(&transaction)?;
            }
            transaction.commit()?;
            Ok(changed)
        });
        if changed.is_err() {
            self.tiers = before;
            return changed;
        }
        let mut catalogue = self.catalogue.write();
        self.news.drain(..).for_each(|news| catalogue.registry.apply(news));
        catalogue.tiers = self.tiers;
        let series = catalogue.registry.len();
        drop(catalogue);
        let mut numbers = self.numbers.lock();
        (numbers.tiers, numbers.series) = (self.tiers, series);
        changed
    }

    /// Puts samples of a series, the oldest first, into rows.
    fn put(
        &mut self,
        change: &Transaction<'_>,
        key: &Arc<SeriesKey>,
        id: u32,
        points: &[Point],
    ) -> rusqlite::Result<()> {
        let Some(last) = points.last().map(|point| point.at) else { return Ok(()) };
        self.tiers.add(change, id, points)?;
        registry::written(change, id, last)?;
        self.news.push(News::Written(key.clone(), last));
        Ok(())
    }
}

/// The time before which a tier keeps nothing.
fn oldest(age: Duration, now: Timestamp) -> i64 {
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    now.checked_sub(age).map_or(i64::MIN, Timestamp::as_millisecond)
}

/// The bounds of one tier.
fn bounds(config: &History, tier: Tier) -> (Duration, u64) {
    match tier {
        Tier::Full => (*config.full, *config.full_size),
        Tier::Minutes => (*config.minutes, *config.minutes_size),
        Tier::Hours => (*config.hours, *config.hours_size),
    }
}

#[cfg(test)]
mod tests;
