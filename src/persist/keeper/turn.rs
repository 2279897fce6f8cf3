//! One portion of work at a time: a round, rows of an hour that is over, the removal of what is old.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::tier::HOUR_MS;
use super::{BETWEEN_REMOVALS, Keeper, Known, Memory, News, Removal, SERIES_IN_A_LOOK, Tier};
use super::{bounds, look, oldest, registry};
use crate::persist::History;
use crate::sample::SeriesKey;
use crate::store;
use crate::store::history::{Place, Point, Round};

/// An hour goes into rows when it has been over for so long: some samples come late.
const AFTER_THE_HOUR_MS: i64 = 60_000;
/// A round is committed when it has so many bytes, though not all series were looked at.
const ROUND_BYTES: usize = 64 << 10;
/// Series whose samples go into rows in one portion, and how long that may take before it is ended.
const SERIES_IN_A_PORTION: usize = 32;
const PORTION: Duration = Duration::from_millis(20);

/// New samples of one series, and the number of its track.
type Fresh = (Arc<SeriesKey>, u64, Vec<Point>);

impl Keeper {
    /// Does the next portion of what is to be done, if anything is.
    pub(in crate::persist) fn turn(
        &mut self,
        connection: &mut Connection,
        config: &History,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        if !self.is_loaded {
            self.load(connection, None)?;
        }
        if self.memory.is_none() || !config.samples {
            self.memory.iter().for_each(|memory| look(memory, |history| history.keep(false)));
            self.next_round = Instant::now() + *config.save_interval;
            return self.remove(connection, config, now);
        }
        self.follow_clock(connection)?;
        if !self.due.is_empty() {
            return self.write_rows(connection);
        }
        if self.pass.is_some() || Instant::now() >= self.next_round {
            return self.save_round(connection, config, now);
        }
        self.remove(connection, config, now)
    }

    /// Saves what has come, at the end; says that this was the end.
    pub(in crate::persist) fn finish(
        &mut self,
        connection: &mut Connection,
        config: &History,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        if self.memory.is_none() || !config.samples || !self.is_loaded {
            return Ok(());
        }
        self.pass = Some(None);
        while self.pass.is_some() {
            self.save_round(connection, config, now)?;
        }
        let sql = "UPDATE history_state SET saved_at = ?, ended = 1";
        connection.execute(sql, [now.as_millisecond()])?;
        Ok(())
    }

    /// The clock was set back: what is to come by it is no longer there.
    fn follow_clock(&mut self, connection: &mut Connection) -> rusqlite::Result<()> {
        let Some(memory) = &self.memory else { return Ok(()) };
        let set_backs = look(memory, store::History::set_backs);
        if set_backs.count == self.set_backs {
            return Ok(());
        }
        tracing::warn!("the clock was set back: samples that are later by the old one are dropped");
        // What waits in rounds goes into rows first, and is cut there.
        self.load(connection, None)?;
        self.change(connection, |keeper, change| {
            keeper.tiers.set_back(change, set_backs.to)?;
            keeper.news.push(News::SetBack(set_backs.to));
            registry::set_back(change, set_backs.to)
        })?;
        self.set_backs = set_backs.count;
        Ok(())
    }

    /// Takes new samples along, of as many series as fit one round, and commits them.
    fn save_round(
        &mut self,
        connection: &mut Connection,
        config: &History,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let hour = now.as_millisecond().div_euclid(HOUR_MS);
        let mut after = self.pass.take().unwrap_or_else(|| {
            self.passes += 1;
            None
        });
        // Half a pass does not begin anew: its first half would have to be read with it.
        let anew = after.is_none() && hour != self.anew_hour;
        if anew {
            self.anew_hour = hour;
            self.told.clear();
            self.refused.clear();
        }
        let mut round = Round::new(anew);
        let is_whole = self.change(connection, |keeper, change| {
            loop {
                let (fresh, last) = keeper.take_fresh(after.as_ref());
                for fresh in fresh {
                    keeper.add_to_round(&mut round, change, config, fresh)?;
                }
                if last.is_none() || round.as_bytes().len() >= ROUND_BYTES {
                    after = last;
                    break;
                }
                after = last;
            }
            // The last round of a pass says until when everything is known, even if that is nothing.
            let at = after.is_none().then(|| now.as_millisecond());
            let sql = "INSERT INTO history_rounds (at, newest, anew, data) VALUES (?, ?, ?, ?)";
            let row = params![at, round.newest(), anew, round.as_bytes()];
            change.prepare_cached(sql)?.execute(row)?;
            Ok(after.is_none())
        })?;
        {
            let mut numbers = self.numbers.lock();
            numbers.rounds_bytes += round.as_bytes().len() as u64;
            numbers.refused_series = self.refused.len();
        }
        match is_whole {
            true => self.passed(config, now),
            false => self.pass = Some(after),
        }
        Ok(())
    }

    /// The samples of some series that were not taken before, and the series where to go on, if there
    /// are more.
    fn take_fresh(
        &mut self,
        after: Option<&Arc<SeriesKey>>,
    ) -> (Vec<Fresh>, Option<Arc<SeriesKey>>) {
        let Some(memory) = self.memory.clone() else { return (Vec::new(), None) };
        let (known, refused, passes) = (&mut self.known, &self.refused, self.passes);
        look(&memory, |history| {
            let (mut fresh, mut last, mut count) = (Vec::new(), None, 0);
            for (key, track) in history.walk(after, SERIES_IN_A_LOOK) {
                (last, count) = (Some(key), count + 1);
                let mut points = Vec::new();
                match known.get_mut(&track.number()) {
                    Some(known) => {
                        known.seen = passes;
                        track.read_on(&mut known.place, |point| points.push(point));
                    }
                    None if refused.contains(&track.number()) => {}
                    None => track.read_on(&mut Place::behind(i64::MIN), |point| points.push(point)),
                }
                if !points.is_empty() {
                    fresh.push((key.clone(), track.number(), points));
                }
            }
            (fresh, last.filter(|_| count == SERIES_IN_A_LOOK).cloned())
        })
    }

    fn add_to_round(
        &mut self,
        round: &mut Round,
        change: &Transaction<'_>,
        config: &History,
        (key, track, mut points): Fresh,
    ) -> rusqlite::Result<()> {
        let Some(newest) = points.last().map(|point| point.at) else { return Ok(()) };
        if !self.known.contains_key(&track) {
            let is_going = |id: u32| {
                let gone = |news: &News| matches!(news, News::Gone(gone) if gone.contains(&id));
                self.news.iter().any(gone)
            };
            let entry = self.catalogue.read().registry.get(&key);
            let entry = entry.filter(|entry| !is_going(entry.id));
            let (id, written) = match entry {
                Some(entry) => (entry.id, entry.last),
                None if !self.has_room(change, config)? => {
                    self.refused.insert(track);
                    return Ok(());
                }
                None => {
                    let entry = registry::add(change, &key, points[0].at)?;
                    self.news.push(News::Added(key.clone(), entry));
                    (entry.id, i64::MIN)
                }
            };
            points.retain(|point| point.at > written);
            let (place, seen) = (Place::behind(newest), self.passes);
            let known = Known { id, key, place, written, unwritten: None, seen };
            self.known.insert(track, known);
        }
        let Some(known) = self.known.get_mut(&track) else { return Ok(()) };
        if let Some(first) = points.first() {
            known.unwritten = known.unwritten.or(Some(first.at));
            round.add(known.id, self.told.entry(known.id).or_default(), &points);
        }
        Ok(())
    }

    /// Whether there may be one more series; those that ended first make room.
    fn has_room(&mut self, change: &Transaction<'_>, config: &History) -> rusqlite::Result<bool> {
        let count = |keeper: &Self| {
            let (mut more, mut less) = (0, 0);
            for news in &keeper.news {
                match news {
                    News::Added(..) => more += 1,
                    News::Gone(gone) => less += gone.len(),
                    News::Written(..) | News::SetBack(_) => {}
                }
            }
            (keeper.catalogue.read().registry.len() + more - less, less > 0)
        };
        let (series, has_shrunk) = count(self);
        if series >= config.max_series && !has_shrunk {
            self.shrink(change, i64::MIN, config.max_series.saturating_sub(1))?;
        }
        Ok(count(self).0 < config.max_series)
    }

    /// Forgets series of which nothing is newer than `oldest`, and those that are too many.
    fn shrink(
        &mut self,
        change: &Transaction<'_>,
        oldest: i64,
        max: usize,
    ) -> rusqlite::Result<()> {
        let live: HashSet<u32> = self.known.values().map(|known| known.id).collect();
        let catalogue = self.catalogue.read();
        let gone = catalogue.registry.superfluous(oldest, max, |id| live.contains(&id));
        drop(catalogue);
        registry::remove(change, &gone)?;
        self.news.push(News::Gone(gone));
        Ok(())
    }

    /// All series were looked at: memory is told what is in rows, and what is over goes there next.
    fn passed(&mut self, config: &History, now: Timestamp) {
        let passes = self.passes;
        self.known.retain(|_, known| known.seen == passes);
        self.next_round = Instant::now() + *config.save_interval;
        let Some(memory) = self.memory.clone() else { return };
        let about_to_go = self.mark_written(&memory);
        let over = Tier::Full.start_of(now.as_millisecond() - AFTER_THE_HOUR_MS);
        let known = self.known.iter();
        let due = known.filter(|(_, known)| known.unwritten.is_some_and(|first| first < over));
        (self.due, self.due_before) = (due.map(|(track, _)| *track).collect(), over);
        if self.due.is_empty() {
            (self.due, self.due_before) = (about_to_go, i64::MAX);
        }
    }

    /// Says in memory what is in rows. Where memory is short, returns the tracks with sealed chunks that
    /// are not: these may have to go.
    fn mark_written(&self, memory: &Memory) -> VecDeque<u64> {
        let (mut found, mut after) = (VecDeque::new(), None);
        loop {
            let last = look(memory, |history| {
                let (mut last, is_tight) = (None, history.is_tight());
                for (key, track) in history.walk(after.as_ref(), SERIES_IN_A_LOOK) {
                    last = Some(key.clone());
                    let Some(known) = self.known.get(&track.number()) else {
                        if self.refused.contains(&track.number()) {
                            // Nobody is going to write it.
                            track.wrote(i64::MAX);
                        }
                        continue;
                    };
                    track.wrote(known.written);
                    if is_tight && track.sealed_until().is_some_and(|at| at > known.written) {
                        found.push_back(track.number());
                    }
                }
                last
            });
            if last.is_none() {
                return found;
            }
            after = last;
        }
    }

    /// Puts the samples of some series into rows.
    fn write_rows(&mut self, connection: &mut Connection) -> rusqlite::Result<()> {
        let (Some(memory), before) = (self.memory.clone(), self.due_before) else { return Ok(()) };
        let begin = Instant::now();
        self.change(connection, |keeper, change| {
            for _ in 0..SERIES_IN_A_PORTION {
                let Some(track) = keeper.due.pop_front() else { break };
                let Some(known) = keeper.known.get_mut(&track) else { continue };
                let (key, id, last) = (known.key.clone(), known.id, known.place.last);
                let (from, to) = (known.written.saturating_add(1), before.saturating_sub(1));
                let excerpt = look(&memory, |history| history.excerpt(&key, from, to));
                let points = excerpt.and_then(|excerpt| excerpt.points(from, to).ok());
                let points = points.unwrap_or_default();
                // What had to go before it was written does not come back.
                let written = points.last().map_or(to.min(last), |point| point.at);
                known.written = known.written.max(written);
                let rest = before.min(last).max(known.written.saturating_add(1));
                known.unwritten = (last > known.written).then_some(rest);
                keeper.put(change, &key, id, &points)?;
                if begin.elapsed() > PORTION {
                    break;
                }
            }
            Ok(())
        })?;
        if self.due.is_empty() {
            // What has to make room now is no loss.
            self.mark_written(&memory);
        }
        Ok(())
    }

    /// Removes a portion of what is too old, or too much.
    fn remove(
        &mut self,
        connection: &mut Connection,
        config: &History,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        self.removal = match self.removal {
            Removal::Waits(until) if Instant::now() < until => Removal::Waits(until),
            Removal::Waits(_) => Removal::Of(0),
            Removal::Of(number) => match Tier::ALL.get(number) {
                None => Removal::Series,
                Some(tier) => {
                    let (age, size) = bounds(config, *tier);
                    let oldest = oldest(age, now);
                    let more = self.change(connection, |keeper, change| {
                        keeper.tiers.remove_old(change, *tier, oldest, size)
                    })?;
                    Removal::Of(if more { number } else { number + 1 })
                }
            },
            Removal::Series => {
                let oldest = self.catalogue.read().oldest();
                self.change(connection, |keeper, change| {
                    keeper.shrink(change, oldest, config.max_series)
                })?;
                Removal::Rounds
            }
            Removal::Rounds => {
                self.remove_rounds(connection)?;
                give_back(connection)?;
                Removal::Waits(Instant::now() + BETWEEN_REMOVALS)
            }
        };
        Ok(())
    }

    /// Removes the rounds whose samples are all in rows.
    fn remove_rounds(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let unwritten = self.known.values().filter_map(|known| known.unwritten).min();
        let unwritten = unwritten.unwrap_or(i64::MAX);
        // The last one that begins anew, and has none before it that is still needed.
        let sql = "SELECT max(id) FROM history_rounds WHERE anew AND id <= coalesce(
            (SELECT min(id) FROM history_rounds WHERE newest >= ?), 9223372036854775807)";
        let first: Option<i64> = connection.query_row(sql, [unwritten], |row| row.get(0))?;
        if let Some(first) = first {
            connection.execute("DELETE FROM history_rounds WHERE id < ?", [first])?;
        }
        let sql = "SELECT sum(length(data)) FROM history_rounds";
        let bytes: Option<i64> = connection.query_row(sql, [], |row| row.get(0))?;
        self.numbers.lock().rounds_bytes = bytes.unwrap_or(0) as u64;
        Ok(())
    }
}

/// Gives free pages back to the file system when they are many: a few are used again soon.
fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    const FEW_PAGES: i64 = 1_024;
    const PAGES_AT_ONCE: i64 = 256;
    let pragma = |name: &str| -> rusqlite::Result<i64> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
    };
    let (free, all) = (pragma("freelist_count")?, pragma("page_count")?);
    if free > FEW_PAGES.max(all / 8) {
        connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})"))?;
    }
    Ok(())
}
