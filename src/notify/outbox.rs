//! Notifications that are to be delivered, in their order, and those that were.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::backoff::Backoff;
use super::entry::{Entry, Loss, State, short};
use super::group::later;
use super::{Config, Payload};

/// A channel that is left alone for a while.
#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Timestamp,
    /// Failures in a row.
    failures: u32,
}

/// The bounds of an outbox.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    pending: usize,
    keep: usize,
    size: u64,
    age: Duration,
    backoff: Backoff,
}

/// All notifications, by number.
#[derive(Debug)]
pub(super) struct Outbox {
    entries: BTreeMap<u64, Entry>,
    /// The numbers of those that wait or are under way, and of the others in the order of their ends.
    waiting: BTreeSet<u64>,
    done: VecDeque<u64>,
    /// The keys of all.
    keys: HashSet<String>,
    next: u64,
    bounds: Bounds,
    rests: BTreeMap<String, Rest>,
    /// Those under way.
    flying: BTreeSet<u64>,
    touched: BTreeSet<u64>,
    /// What was given up since somebody asked.
    lost: Vec<(Entry, Loss)>,
}

impl Outbox {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            entries: BTreeMap::new(),
            waiting: BTreeSet::new(),
            done: VecDeque::new(),
            keys: HashSet::new(),
            next: 1,
            bounds: Bounds::of(config),
            rests: BTreeMap::new(),
            flying: BTreeSet::new(),
            touched: BTreeSet::new(),
            lost: Vec::new(),
        }
    }

    /// Adopts new bounds. What a channel was left alone for may have been mended.
    pub(super) fn configure(&mut self, config: &Config, now: Timestamp) {
        self.bounds = Bounds::of(config);
        self.rests.clear();
        let waiting = self.entries.iter_mut().filter(|(number, _)| self.waiting.contains(number));
        for (number, entry) in waiting.filter(|(_, entry)| entry.due > now) {
            entry.due = now;
            self.touched.insert(*number);
        }
    }

    /// Takes in a notification that was kept, under its number if that is free.
    pub(super) fn restore(&mut self, number: u64, entry: Entry) {
        if !self.keys.insert(entry.key.clone()) {
            return;
        }
        let number = if self.entries.contains_key(&number) { self.next } else { number };
        self.next = self.next.max(number + 1);
        match entry.state {
            State::Pending => drop(self.waiting.insert(number)),
            State::Sent | State::Failed => self.done.push_back(number),
        }
        self.entries.insert(number, entry);
    }

    /// Adds a notification. At the bound of its channel the oldest that waits is given up.
    pub(super) fn add(&mut self, channel: &str, payload: Payload, now: Timestamp) {
        let idle = self
            .pending()
            .filter(|(number, entry)| entry.channel == channel && !self.flying.contains(number));
        let waiting: Vec<u64> = idle.map(|(number, _)| number).collect();
        if waiting.len() >= self.bounds.pending
            && let Some(oldest) = waiting.first()
        {
            self.give_up(*oldest, Loss::Room, "too many others waited", now);
        }
        let (number, payload) = (self.next, payload.within(self.bounds.size));
        self.next += 1;
        let entry = Entry {
            key: payload.key(channel, number),
            channel: channel.to_owned(),
            kind: payload.kind,
            group_key: payload.group_key.clone(),
            alerts: payload.alerts.iter().map(|alert| alert.id.clone()).collect(),
            created: now,
            state: State::Pending,
            due: now,
            attempts: 0,
            finished: None,
            said: None,
            payload: Some(payload),
        };
        self.keys.insert(entry.key.clone());
        self.entries.insert(number, entry);
        self.waiting.insert(number);
        self.touched.insert(number);
    }

    /// The first notification that may be delivered now, of a channel that is there and not at work.
    /// Those of one group go one after the other.
    pub(super) fn pick(
        &self,
        now: Timestamp,
        is_there: impl Fn(&str) -> bool,
    ) -> Option<(u64, &Entry, &Payload)> {
        let mut due = self.deliverable(is_there).filter(|(_, entry)| self.due_of(entry) <= now);
        due.find_map(|(number, entry)| Some((number, entry, entry.payload.as_ref()?)))
    }

    /// When something may be delivered or is too old, if nothing happens before.
    pub(super) fn due(&self, is_there: impl Fn(&str) -> bool) -> Option<Timestamp> {
        let deliveries = self.deliverable(is_there).map(|(_, entry)| self.due_of(entry));
        let idle = self.pending().filter(|(number, _)| !self.flying.contains(number));
        let ends = idle.map(|(_, entry)| later(entry.created, self.bounds.age));
        deliveries.chain(ends).min()
    }

    fn due_of(&self, entry: &Entry) -> Timestamp {
        let rest = self.rests.get(&entry.channel).map_or(entry.due, |rest| rest.until);
        rest.max(entry.due)
    }

    /// The first of each group for each channel that is there and not at work.
    fn deliverable(&self, is_there: impl Fn(&str) -> bool) -> impl Iterator<Item = (u64, &Entry)> {
        let mut before: HashSet<(&str, &str)> = HashSet::new();
        let flying = self.flying.iter().filter_map(|number| self.entries.get(number));
        let busy: HashSet<&str> = flying.map(|entry| &*entry.channel).collect();
        self.pending().filter(move |(_, entry)| {
            let is_first = before.insert((&entry.channel, &entry.group_key));
            is_first && !busy.contains(&*entry.channel) && is_there(&entry.channel)
        })
    }

    /// It is under way.
    pub(super) fn fly(&mut self, number: u64) {
        self.flying.insert(number);
    }

    pub(super) fn flying(&self) -> usize {
        self.flying.len()
    }

    pub(super) fn channel_of(&self, number: u64) -> Option<String> {
        self.entries.get(&number).map(|entry| entry.channel.clone())
    }

    /// Leaves a channel alone until then: it has had enough for now.
    pub(super) fn rest(&mut self, channel: &str, until: Timestamp) {
        let failures = self.rests.get(channel).map_or(0, |rest| rest.failures);
        self.rests.insert(channel.to_owned(), Rest { until, failures });
    }

    /// Until when a channel is left alone.
    pub(super) fn rests_until(&self, channel: &str, now: Timestamp) -> Option<Timestamp> {
        self.rests.get(channel).map(|rest| rest.until).filter(|until| *until > now)
    }

    /// The receiver has taken it. Returns how long that has taken since it was made.
    pub(super) fn sent(&mut self, number: u64, said: &str, now: Timestamp) -> Option<Duration> {
        self.flying.remove(&number);
        let entry = self.entries.get_mut(&number)?;
        entry.attempts += 1;
        entry.finish(State::Sent, said, now);
        self.rests.remove(&entry.channel);
        let took = Duration::try_from(now.duration_since(entry.created)).unwrap_or_default();
        self.put_away(number);
        Some(took)
    }

    /// It has failed, and is tried again later; returns false if it is not, because it is too old.
    pub(super) fn failed(
        &mut self,
        number: u64,
        why: &str,
        not_before: Option<Duration>,
        chance: f64,
        now: Timestamp,
    ) -> bool {
        self.flying.remove(&number);
        let Some(entry) = self.entries.get_mut(&number) else { return false };
        entry.attempts += 1;
        let failures = self.rests.get(&entry.channel).map_or(0, |rest| rest.failures) + 1;
        let own = self.bounds.backoff.pause(entry.attempts, chance);
        let pause = self.bounds.backoff.pause(failures, chance);
        let asked = not_before.unwrap_or_default().min(self.bounds.age);
        let rest = Rest { until: later(now, pause.max(asked)), failures };
        self.rests.insert(entry.channel.clone(), rest);
        if later(entry.created, self.bounds.age) <= now {
            self.give_up(number, Loss::Age, why, now);
            return false;
        }
        entry.due = later(now, own.max(asked));
        entry.said = Some(short(why));
        self.touched.insert(number);
        true
    }

    /// The receiver will not have it.
    pub(super) fn refused(&mut self, number: u64, why: &str, now: Timestamp) {
        self.flying.remove(&number);
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.attempts += 1;
            self.rests.remove(&entry.channel.clone());
        }
        self.give_up(number, Loss::Refused, why, now);
    }

    /// Gives up what has waited for too long, for a channel that is gone or one that rests.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let age = self.bounds.age;
        let old = self.pending().filter(|(number, entry)| {
            later(entry.created, age) <= now && !self.flying.contains(number)
        });
        let old: Vec<(u64, String)> = old
            .map(|(number, entry)| {
                let why = entry.said.clone();
                (number, why.unwrap_or_else(|| "there was nobody to take it".to_owned()))
            })
            .collect();
        for (number, why) in old {
            self.give_up(number, Loss::Age, &why, now);
        }
    }

    /// What was given up since this was last asked.
    pub(super) fn take_lost(&mut self) -> Vec<(Entry, Loss)> {
        std::mem::take(&mut self.lost)
    }

    /// The notifications that have changed since this was last asked; `None` for one that is gone.
    pub(super) fn take_touched(&mut self) -> Vec<(u64, Option<&Entry>)> {
        let touched = std::mem::take(&mut self.touched);
        touched.into_iter().map(|number| (number, self.entries.get(&number))).collect()
    }

    /// Every notification, oldest first.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = (u64, &Entry)> {
        self.entries.iter().map(|(number, entry)| (*number, entry))
    }

    /// Those that wait or are under way.
    pub(super) fn pending(&self) -> impl Iterator<Item = (u64, &Entry)> {
        self.waiting.iter().filter_map(|number| Some((*number, self.entries.get(number)?)))
    }

    fn give_up(&mut self, number: u64, loss: Loss, why: &str, now: Timestamp) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        entry.finish(State::Failed, why, now);
        self.lost.push((entry.clone(), loss));
        self.put_away(number);
    }

    /// One is done with: the oldest of those that are is forgotten for it.
    fn put_away(&mut self, number: u64) {
        self.waiting.remove(&number);
        self.touched.insert(number);
        self.done.push_back(number);
        while self.done.len() > self.bounds.keep
            && let Some(oldest) = self.done.pop_front()
        {
            let gone = self.entries.remove(&oldest);
            gone.map(|entry| self.keys.remove(&entry.key));
            self.touched.insert(oldest);
        }
    }
}

impl Bounds {
    fn of(config: &Config) -> Self {
        Self {
            pending: config.max_pending,
            keep: config.keep,
            size: *config.max_size,
            age: *config.max_age,
            backoff: Backoff { least: *config.retry_min, most: *config.retry_max },
        }
    }
}
