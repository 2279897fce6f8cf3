//! The tables of samples and of what is left of them, a row for each series and span of time.
//!
//! The number of a row is its span, counted from 1970, in the high half and the series in the low one.
//! So what is written together lies together, the oldest is the beginning of the table, and a row is
//! found without an index.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::store::history::{Bucket, Chunk, Point, pack, roll_up, unpack};

pub(super) const MINUTE_MS: i64 = 60_000;
pub(super) const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Rows removed at once, so that no commit takes long because of them.
const REMOVED_AT_ONCE: i64 = 500;

/// One of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Every sample, an hour in a row.
    Full,
    /// Buckets of a minute, an hour in a row.
    Minutes,
    /// Buckets of an hour, a day in a row.
    Hours,
}

impl Tier {
    /// All of them, the finest first.
    pub const ALL: [Self; 3] = [Self::Full, Self::Minutes, Self::Hours];

    /// Its name in numbers about it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
        }
    }

    /// How much time a row covers, in milliseconds.
    fn span(self) -> i64 {
        match self {
            Self::Full | Self::Minutes => HOUR_MS,
            Self::Hours => DAY_MS,
        }
    }

    /// When the span begins that `at` is in.
    pub(super) fn start_of(self, at: i64) -> i64 {
        at.div_euclid(self.span()).saturating_mul(self.span())
    }

    /// The row of a series that `at` is in.
    fn row(self, at: i64, series: u32) -> i64 {
        at.div_euclid(self.span()) << 32 | i64::from(series)
    }

    /// The rows of a series that cover two times and all between them.
    pub(super) fn rows(self, from: i64, to: i64, series: u32) -> impl Iterator<Item = i64> {
        let spans = from.div_euclid(self.span())..=to.div_euclid(self.span());
        spans.map(move |span| span << 32 | i64::from(series))
    }

    fn sql(self, text: &str) -> String {
        text.replace("TABLE", &format!("history_{}", self.name()))
    }

    /// When the first row begins.
    fn oldest(self, connection: &Connection) -> rusqlite::Result<Option<i64>> {
        let sql = self.sql("SELECT slot FROM TABLE ORDER BY slot LIMIT 1");
        let first: Option<i64> =
            connection.prepare_cached(&sql)?.query_row([], |row| row.get(0)).optional()?;
        Ok(first.map(|slot| (slot >> 32).saturating_mul(self.span())))
    }

    /// The bytes of a row.
    pub(super) fn read(
        self,
        connection: &Connection,
        row: i64,
    ) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = self.sql("SELECT data FROM TABLE WHERE slot = ?");
        connection.prepare_cached(&sql)?.query_row([row], |row| row.get(0)).optional()
    }
}

/// What is in a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    pub rows: u64,
    pub bytes: u64,
    /// Samples, or buckets.
    pub samples: u64,
    /// What is older was removed, in milliseconds since 1970.
    pub start: i64,
    /// When the first row begins, if there is any.
    pub oldest: Option<i64>,
}

/// What is in all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tiers([Figures; 3]);

impl Tiers {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut tiers = Self::default();
        for tier in Tier::ALL {
            let sql = "SELECT rows, bytes, samples, start FROM history_tiers WHERE name = ?";
            let number = |row: &rusqlite::Row<'_>, column| row.get(column).map(|n: i64| n as u64);
            tiers.0[tier as usize] = connection.query_row(sql, [tier.name()], |row| {
                let (rows, bytes, samples) = (number(row, 0)?, number(row, 1)?, number(row, 2)?);
                Ok(Figures { rows, bytes, samples, start: row.get(3)?, oldest: None })
            })?;
            tiers.0[tier as usize].oldest = tier.oldest(connection)?;
        }
        Ok(tiers)
    }

    pub(super) fn store(&self, change: &Transaction<'_>) -> rusqlite::Result<()> {
        for tier in Tier::ALL {
            let Figures { rows, bytes, samples, start, .. } = self.get(tier);
            let sql = "UPDATE history_tiers SET rows = ?, bytes = ?, samples = ?, start = ? WHERE name = ?";
            let row = params![rows as i64, bytes as i64, samples as i64, start, tier.name()];
            change.prepare_cached(sql)?.execute(row)?;
        }
        Ok(())
    }

    /// What is in one of them.
    pub fn get(&self, tier: Tier) -> Figures {
        self.0[tier as usize]
    }

    /// Adds samples of one series to the rows that they belong to, and what they come to to the coarser
    /// tables. What is there and not older than the first of them is replaced.
    pub(super) fn add(
        &mut self,
        change: &Transaction<'_>,
        series: u32,
        points: &[Point],
    ) -> rusqlite::Result<()> {
        for points in points.chunk_by(|a, b| Tier::Full.start_of(a.at) == Tier::Full.start_of(b.at))
        {
            self.add_hour(change, series, points)?;
        }
        Ok(())
    }

    /// All of `points` are of one hour.
    fn add_hour(
        &mut self,
        change: &Transaction<'_>,
        series: u32,
        points: &[Point],
    ) -> rusqlite::Result<()> {
        let Some(first) = points.first().map(|point| point.at) else { return Ok(()) };
        let row = Tier::Full.row(first, series);
        let before = Tier::Full.read(change, row)?.map(|bytes| {
            Chunk::from_bytes(&bytes).and_then(|chunk| chunk.points()).unwrap_or_default()
        });
        // One that cannot be read is not worth keeping what is new from being written.
        let before = before.unwrap_or_default().into_iter().filter(|point| point.at < first);
        let all: Vec<Point> = before.chain(points.iter().copied()).collect();
        if first >= self.get(Tier::Full).start {
            self.replace(change, Tier::Full, row, all.len(), Chunk::seal(&all).as_bytes())?;
        }
        self.add_buckets(change, Tier::Minutes, series, &roll_up(&all, MINUTE_MS), MINUTE_MS)?;
        self.add_buckets(change, Tier::Hours, series, &roll_up(&all, HOUR_MS), HOUR_MS)
    }

    /// All of `buckets` belong into one row.
    fn add_buckets(
        &mut self,
        change: &Transaction<'_>,
        tier: Tier,
        series: u32,
        buckets: &[Bucket],
        width: i64,
    ) -> rusqlite::Result<()> {
        let Some(first) = buckets.first().map(|bucket| bucket.at) else { return Ok(()) };
        if first < self.get(tier).start {
            return Ok(());
        }
        let row = tier.row(first, series);
        let before = tier.read(change, row)?.and_then(|bytes| unpack(&bytes).ok());
        let start = first.div_euclid(width) * width;
        let before = before.unwrap_or_default().into_iter().filter(|bucket| bucket.at < start);
        let all: Vec<Bucket> = before.chain(buckets.iter().copied()).collect();
        self.replace(change, tier, row, all.len(), &pack(&all))
    }

    fn replace(
        &mut self,
        change: &Transaction<'_>,
        tier: Tier,
        row: i64,
        samples: usize,
        data: &[u8],
    ) -> rusqlite::Result<()> {
        let sql = tier.sql("SELECT samples, length(data) FROM TABLE WHERE slot = ?");
        let size = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let before = change.prepare_cached(&sql)?.query_row([row], size).optional()?;
        let figures = &mut self.0[tier as usize];
        match before {
            Some((samples, bytes)) => {
                figures.samples = figures.samples.saturating_sub(samples as u64);
                figures.bytes = figures.bytes.saturating_sub(bytes as u64);
            }
            None => {
                let begin = (row >> 32).saturating_mul(tier.span());
                figures.rows += 1;
                figures.oldest = Some(figures.oldest.map_or(begin, |oldest| oldest.min(begin)));
            }
        }
        figures.samples += samples as u64;
        figures.bytes += data.len() as u64;
        let sql = tier.sql("INSERT OR REPLACE INTO TABLE VALUES (?, ?, ?)");
        change.prepare_cached(&sql)?.execute(params![row, samples as i64, data])?;
        Ok(())
    }

    /// Removes some of what is older than `oldest`, or too much; says whether there may be more.
    pub(super) fn remove_old(
        &mut self,
        change: &Transaction<'_>,
        tier: Tier,
        oldest: i64,
        bytes_max: u64,
    ) -> rusqlite::Result<bool> {
        let figures = &mut self.0[tier as usize];
        let start = figures.start;
        figures.start = start.max(tier.start_of(oldest));
        let Some(first) = tier.oldest(change)? else { return Ok(false) };
        if figures.bytes > bytes_max {
            // The oldest span goes whole, so that one time says what is still there.
            figures.start = figures.start.max(first.saturating_add(tier.span()));
        }
        if figures.start != start && start > 0 {
            // First readers are told where to look instead.
            return Ok(true);
        }
        let end = tier.row(figures.start, 0);
        let sql = tier.sql(
            "SELECT slot, samples, length(data) FROM TABLE WHERE slot < ? ORDER BY slot LIMIT ?",
        );
        let mut last = None;
        let mut select = change.prepare_cached(&sql)?;
        let mut rows = select.query([end, REMOVED_AT_ONCE])?;
        while let Some(row) = rows.next()? {
            let (slot, samples, bytes): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            figures.rows = figures.rows.saturating_sub(1);
            figures.samples = figures.samples.saturating_sub(samples as u64);
            figures.bytes = figures.bytes.saturating_sub(bytes as u64);
            last = Some(slot);
        }
        drop(rows);
        let Some(last) = last else { return Ok(false) };
        let sql = tier.sql("DELETE FROM TABLE WHERE slot <= ?");
        change.prepare_cached(&sql)?.execute([last])?;
        figures.oldest = tier.oldest(change)?;
        Ok(true)
    }

    /// Removes all spans that begin after `at`: by the clock that was set back they are to come.
    pub(super) fn set_back(&mut self, change: &Transaction<'_>, at: i64) -> rusqlite::Result<()> {
        for tier in Tier::ALL {
            let next = tier.start_of(at).saturating_add(tier.span());
            let sql = tier.sql("DELETE FROM TABLE WHERE slot >= ?");
            change.execute(&sql, [tier.row(next, 0)])?;
            let sql = tier.sql(
                "SELECT count(*), coalesce(sum(length(data)), 0), coalesce(sum(samples), 0) FROM TABLE",
            );
            let figures = &mut self.0[tier as usize];
            (figures.rows, figures.bytes, figures.samples) = change.query_row(&sql, [], |row| {
                let number = |column| row.get(column).map(|number: i64| number as u64);
                Ok((number(0)?, number(1)?, number(2)?))
            })?;
            figures.start = figures.start.min(tier.start_of(at));
            figures.oldest = tier.oldest(change)?;
        }
        Ok(())
    }
}
