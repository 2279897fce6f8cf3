//! All tasks, and the only ways to change one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::change::check_name;
use super::runs::Runs;
use super::{Change, Config, Entry, Error, LastRun, NameState, Pace, Removed, Status, Task};
use crate::bounds::OutOfBounds;
use crate::sample::Moment;

const ID_BYTES_MAX: usize = 128;

/// All tasks, by id, and how the last ones of each name have ended.
#[derive(Debug)]
pub struct Registry {
    pub(super) tasks: BTreeMap<Arc<str>, Task>,
    pub(super) runs: Runs,
    pub(super) limits: Config,
    pub(super) removed: Removed,
    created: u64,
    entries: VecDeque<Entry>,
}

/// What became of a report.
#[derive(Debug)]
pub enum Reported<'a> {
    /// The task is now so.
    Changed(&'a Task),
    /// It was reported before, and has changed nothing this time.
    Repeated(&'a Task),
}

impl<'a> Reported<'a> {
    /// The task as it is now.
    pub fn task(self) -> &'a Task {
        match self {
            Self::Changed(task) | Self::Repeated(task) => task,
        }
    }
}

impl Registry {
    /// No tasks.
    pub fn new(config: &Config) -> Self {
        Self {
            tasks: BTreeMap::new(),
            runs: Runs::default(),
            limits: config.clone(),
            removed: Removed::default(),
            created: 0,
            entries: VecDeque::new(),
        }
    }

    /// Takes in what was kept; what is here already stays as it is. Owners are heard from now on: a
    /// restart is not their silence.
    pub fn restore(&mut self, tasks: Vec<Task>, runs: Vec<LastRun>, now: Moment) {
        for mut task in tasks {
            task.heard = now.uptime;
            self.tasks.entry(task.id.clone()).or_insert(task);
        }
        self.runs.restore(runs);
    }

    /// What has changed since this was last asked, in order.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries).into()
    }

    /// Adopts new bounds for what comes; tasks that are here stay until they are looked at.
    pub fn configure(&mut self, config: &Config) {
        self.limits = config.clone();
    }

    /// Adds a task, running unless `change` says otherwise, and makes room for it. A request with a
    /// `key` that has created one already creates none.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::KeyUsed`], [`Error::Full`], and what no task can be.
    pub fn create(
        &mut self,
        id: Option<String>,
        name: String,
        key: Option<String>,
        mut change: Change,
        now: Moment,
    ) -> Result<Reported<'_>, Error> {
        change.check(&self.limits)?;
        check_name(&name)?;
        if let Some(key) = &key {
            OutOfBounds::check("Idempotency-Key", key.len(), ID_BYTES_MAX)?;
            if let Some(before) = self.created_by(key) {
                return self.repeat_of(before, id);
            }
        }
        let id: Arc<str> = match id {
            Some(id) => id.into(),
            None => self.free_id(now.wall).into(),
        };
        OutOfBounds::check("id", id.len(), ID_BYTES_MAX)?;
        if self.tasks.contains_key(&id) {
            return Err(Error::Exists(id.to_string()));
        }
        change.take_counts();
        let mut task = new(id.clone(), name, key, &mut change, &self.limits, now);
        task.check_counts(&change)?;
        task.advance(&change, task.start_time, now);
        self.make_room()?;
        self.created += 1;
        self.note(&task);
        Ok(Reported::Changed(self.tasks.entry(id).or_insert(task)))
    }

    /// Applies a report. One whose number is not above that of the last one was applied before.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Transition`], and what no task can be.
    pub fn update(
        &mut self,
        id: &str,
        mut change: Change,
        now: Moment,
    ) -> Result<Reported<'_>, Error> {
        let task = self.tasks.get(id).ok_or_else(|| Error::NotFound(id.to_owned()))?;
        if change.update.is_some_and(|number| task.update.is_some_and(|last| number <= last)) {
            let id = task.id.clone();
            return self.repeat_of(id, None);
        }
        change.check(&self.limits)?;
        change.take_counts();
        task.check_counts(&change)?;
        let to = change.status.unwrap_or(task.status);
        if !task.status.successors().contains(&to) {
            return Err(Error::Transition { id: id.to_owned(), from: task.status, to });
        }
        let mut task = task.clone();
        task.report(change, to, now);
        self.note(&task);
        Ok(Reported::Changed(self.replace(task)))
    }

    /// Asks a task's owner to stop; one that has not begun is cancelled at once.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Transition`] if it has ended.
    pub fn request_stop(&mut self, id: &str, now: Moment) -> Result<&Task, Error> {
        let task = self.tasks.get(id).ok_or_else(|| Error::NotFound(id.to_owned()))?;
        let mut task = task.clone();
        match task.status {
            Status::Running => {}
            Status::Pending => {
                task.status = Status::Cancelled;
                task.end_time = Some(now.wall);
            }
            from => {
                let (id, to) = (id.to_owned(), Status::Cancelled);
                return Err(Error::Transition { id, from, to });
            }
        }
        task.stop_requested = true;
        task.updated_at = now.wall;
        self.note(&task);
        Ok(self.replace(task))
    }

    /// Removes a task that has ended.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Active`].
    pub fn delete(&mut self, id: &str) -> Result<(), Error> {
        let task = self.tasks.get(id).ok_or_else(|| Error::NotFound(id.to_owned()))?;
        if !task.status.is_ended() {
            return Err(Error::Active { id: id.to_owned(), status: task.status });
        }
        self.remove(id);
        self.removed.deleted += 1;
        Ok(())
    }

    /// One task.
    pub fn get(&self, id: &str) -> Option<&Task> {
        self.tasks.get(id)
    }

    /// All tasks, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values()
    }

    /// Those that have not ended.
    pub fn active(&self) -> impl Iterator<Item = &Task> {
        self.iter().filter(|task| !task.status.is_ended())
    }

    /// How the last task of each name has ended, and how many names were forgotten.
    pub fn runs(&self) -> (Vec<LastRun>, u64) {
        (self.runs.all(), self.runs.forgotten())
    }

    /// How it stands with each name, within `tasks.max_names`.
    pub fn names(&self) -> Vec<(Arc<str>, NameState)> {
        self.runs.states(self.active(), self.limits.max_names)
    }

    /// How many ended tasks were removed, and why.
    pub fn removed(&self) -> Removed {
        self.removed
    }

    fn created_by(&self, key: &str) -> Option<Arc<str>> {
        let mut tasks = self.tasks.values();
        tasks.find(|task| task.key.as_deref() == Some(key)).map(|task| task.id.clone())
    }

    /// Says again what a report has brought about. It is kept again, too, so that it is answered when
    /// it is on the disk, and not before.
    fn repeat_of(&mut self, before: Arc<str>, id: Option<String>) -> Result<Reported<'_>, Error> {
        if id.is_some_and(|id| *id != *before) {
            return Err(Error::KeyUsed(before.to_string()));
        }
        let task = self.tasks.get(&before).ok_or_else(|| Error::NotFound(before.to_string()))?;
        self.entries.push_back(Entry::Kept(Box::new(task.clone())));
        Ok(Reported::Repeated(task))
    }

    fn replace(&mut self, task: Task) -> &Task {
        let id = task.id.clone();
        self.tasks.insert(id.clone(), task);
        &self.tasks[&id]
    }

    /// Has a task kept as it is now, and the run that has ended with it.
    pub(super) fn note(&mut self, task: &Task) {
        self.entries.push_back(Entry::Kept(Box::new(task.clone())));
        if task.status.is_ended() {
            self.entries.extend(self.runs.ended(task, self.limits.max_names));
        }
    }

    /// Without a time in it, a number would name another task after a restart.
    fn free_id(&self, now: Timestamp) -> String {
        let ids = (self.created + 1..).map(|n| format!("task-{:x}-{n}", now.as_millisecond()));
        let mut free = ids.skip_while(|id| self.tasks.contains_key(id.as_str()));
        free.next().expect("there are more numbers than tasks")
    }

    pub(super) fn remove(&mut self, id: &str) {
        if let Some(task) = self.tasks.remove(id) {
            self.entries.push_back(Entry::Gone(task.id));
        }
    }
}

/// A task as the request that creates it says.
fn new(
    id: Arc<str>,
    name: String,
    key: Option<String>,
    change: &mut Change,
    limits: &Config,
    now: Moment,
) -> Task {
    let (start_time, status) =
        (change.time(Timestamp::UNIX_EPOCH, now), change.status.unwrap_or(Status::Running));
    let promise = change.heartbeat.unwrap_or(*limits.heartbeat);
    Task {
        id,
        name,
        status,
        progress: 0.0,
        processed: None,
        total: None,
        rate: None,
        eta: None,
        start_time,
        updated_at: start_time,
        end_time: status.is_ended().then_some(start_time),
        details: change.details.take().map(Arc::from),
        stop_requested: false,
        heartbeat: Some(promise).filter(|promise| !promise.is_zero()),
        stalled: false,
        update: change.update,
        key: key.map(Arc::from),
        pace: Pace::default(),
        heard: now.uptime,
    }
}

impl Task {
    /// Takes a report in, which was found to be possible.
    fn report(&mut self, change: Change, to: Status, now: Moment) {
        let at = change.time(self.start_time, now);
        if self.status == Status::Pending && to == Status::Running {
            self.start_time = at;
        }
        if to.is_ended() {
            self.end_time = Some(at);
        }
        (self.status, self.updated_at) = (to, at);
        (self.heard, self.stalled) = (now.uptime, false);
        self.update = change.update.or(self.update);
        self.advance(&change, at, now);
        if let Some(promise) = change.heartbeat {
            self.heartbeat = Some(promise).filter(|promise| !promise.is_zero());
        }
        if let Some(name) = change.name {
            self.name = name;
        }
        if let Some(details) = change.details {
            self.details = Some(details.into());
        }
    }
}
