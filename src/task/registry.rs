//! All tasks, and the only ways to change one.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::{Config, Entry, Status, Task};
use crate::bounds::OutOfBounds;

const NAME_BYTES_MAX: usize = 256;
const ID_BYTES_MAX: usize = 128;

/// What is reported of a task; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<String>,
    pub status: Option<Status>,
    /// Percent, 0 to 100.
    pub progress: Option<f64>,
    pub details: Option<Box<RawValue>>,
}

/// Why a task was not changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("there is no task {0:?}")]
    NotFound(String),
    #[error("there is a task {0:?} already")]
    Exists(String),
    #[error("task {id:?} is {from}; it cannot become {to}", from = from.name(), to = to.name())]
    Transition { id: String, from: Status, to: Status },
    #[error("task {id:?} is {status}; only a task that has ended can be deleted", status = status.name())]
    Active { id: String, status: Status },
    #[error("progress is {0}; it must be a number from 0 to 100")]
    Progress(f64),
    #[error(transparent)]
    Length(#[from] OutOfBounds),
    #[error("there are {0} tasks that have not ended, as many as may be")]
    Full(usize),
}

/// All tasks, by id.
#[derive(Debug)]
pub struct Registry {
    tasks: BTreeMap<Arc<str>, Task>,
    limits: Config,
    created: u64,
    entries: Vec<Entry>,
}

impl Registry {
    /// No tasks.
    pub fn new(config: &Config) -> Self {
        Self { tasks: BTreeMap::new(), limits: config.clone(), created: 0, entries: Vec::new() }
    }

    /// Takes in tasks that were kept; one that is here already stays as it is.
    pub fn restore(&mut self, tasks: Vec<Task>) {
        for task in tasks {
            self.tasks.entry(task.id.clone()).or_insert(task);
        }
    }

    /// What has changed since this was last asked, in order.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Adopts new bounds for what comes; tasks that are here stay.
    pub fn configure(&mut self, config: &Config) {
        self.limits = config.clone();
    }

    /// Adds a task, running unless `change` says otherwise, and makes room for it.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Progress`], [`Error::Length`], [`Error::Full`].
    pub fn create(
        &mut self,
        id: Option<String>,
        name: String,
        change: Change,
        now: Timestamp,
    ) -> Result<&Task, Error> {
        self.check(&change)?;
        OutOfBounds::check("name", name.len(), NAME_BYTES_MAX)?;
        let id: Arc<str> = match id {
            Some(id) => id.into(),
            None => self.free_id(now).into(),
        };
        OutOfBounds::check("id", id.len(), ID_BYTES_MAX)?;
        if self.tasks.contains_key(&id) {
            return Err(Error::Exists(id.to_string()));
        }
        self.make_room()?;
        self.created += 1;
        let status = change.status.unwrap_or(Status::Running);
        let task = Task {
            id: id.clone(),
            name,
            status,
            progress: change.progress.unwrap_or(if status == Status::Completed {
                100.0
            } else {
                0.0
            }),
            start_time: now,
            updated_at: now,
            end_time: status.is_ended().then_some(now),
            details: change.details.map(Arc::from),
            stop_requested: false,
        };
        self.entries.push(Entry::Kept(task.clone()));
        Ok(self.tasks.entry(id).or_insert(task))
    }

    /// Applies a report.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Transition`], [`Error::Progress`], [`Error::Length`].
    pub fn update(&mut self, id: &str, change: Change, now: Timestamp) -> Result<&Task, Error> {
        self.check(&change)?;
        let task = self.tasks.get_mut(id).ok_or_else(|| Error::NotFound(id.to_owned()))?;
        let to = change.status.unwrap_or(task.status);
        if !task.status.successors().contains(&to) {
            return Err(Error::Transition { id: id.to_owned(), from: task.status, to });
        }
        task.status = to;
        task.updated_at = now;
        if let Some(name) = change.name {
            task.name = name;
        }
        if let Some(details) = change.details {
            task.details = Some(details.into());
        }
        match change.progress {
            Some(progress) => task.progress = progress,
            None if to == Status::Completed => task.progress = 100.0,
            None => {}
        }
        if to.is_ended() {
            task.end_time = Some(now);
        }
        self.entries.push(Entry::Kept(task.clone()));
        Ok(task)
    }

    /// Asks a task's owner to stop; one that has not begun is cancelled at once.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Transition`] if it has ended.
    pub fn request_stop(&mut self, id: &str, now: Timestamp) -> Result<&Task, Error> {
        let task = self.tasks.get_mut(id).ok_or_else(|| Error::NotFound(id.to_owned()))?;
        match task.status {
            Status::Running => {}
            Status::Pending => {
                task.status = Status::Cancelled;
                task.end_time = Some(now);
            }
            from => {
                let (id, to) = (id.to_owned(), Status::Cancelled);
                return Err(Error::Transition { id, from, to });
            }
        }
        task.stop_requested = true;
        task.updated_at = now;
        self.entries.push(Entry::Kept(task.clone()));
        Ok(task)
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

    fn check(&self, change: &Change) -> Result<(), Error> {
        if let Some(progress) = change.progress.filter(|p| !(0.0..=100.0).contains(p)) {
            return Err(Error::Progress(progress));
        }
        if let Some(name) = &change.name {
            OutOfBounds::check("name", name.len(), NAME_BYTES_MAX)?;
        }
        let details = change.details.as_ref().map_or(1, |details| details.get().len());
        OutOfBounds::check("details", details, *self.limits.max_details_size as usize)?;
        Ok(())
    }

    /// Without a time in it, a number would name another task after a restart.
    fn free_id(&self, now: Timestamp) -> String {
        let ids = (self.created + 1..).map(|n| format!("task-{:x}-{n}", now.as_millisecond()));
        let mut free = ids.skip_while(|id| self.tasks.contains_key(id.as_str()));
        free.next().expect("there are more numbers than tasks")
    }

    fn remove(&mut self, id: &str) {
        if let Some(task) = self.tasks.remove(id) {
            self.entries.push(Entry::Gone(task.id));
        }
    }

    fn make_room(&mut self) -> Result<(), Error> {
        while self.tasks.len() >= self.limits.max_tasks {
            let ended = self.tasks.values().filter(|task| task.status.is_ended());
            let oldest = ended.min_by_key(|task| task.updated_at).map(|task| task.id.clone());
            let oldest = oldest.ok_or(Error::Full(self.tasks.len()))?;
            self.remove(&oldest);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::ByteSize;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn registry() -> Registry {
        Registry::new(&Config { max_tasks: 3, max_details_size: ByteSize(16) })
    }

    fn create(registry: &mut Registry, id: &str, status: Status) -> Result<(), Error> {
        let change = Change { status: Some(status), ..Change::default() };
        registry.create(Some(id.to_owned()), "a job".to_owned(), change, NOW).map(|_| ())
    }

    #[test]
    fn only_legal_transitions() {
        for from in Status::ALL {
            for to in Status::ALL {
                let mut registry = registry();
                create(&mut registry, "t", from).expect("created");
                let change = Change { status: Some(to), ..Change::default() };
                let done = registry.update("t", change, NOW).map(|task| task.status);
                match from.successors().contains(&to) {
                    true => assert_eq!(done, Ok(to)),
                    false => assert_eq!(done, Err(Error::Transition { id: "t".into(), from, to })),
                }
            }
        }
    }

    #[test]
    fn progress_is_a_percentage() {
        let mut registry = registry();
        create(&mut registry, "t", Status::Running).expect("created");
        for (progress, legal) in
            [(0.0, true), (100.0, true), (101.0, false), (-1.0, false), (f64::NAN, false)]
        {
            let change = Change { progress: Some(progress), ..Change::default() };
            assert_eq!(registry.update("t", change, NOW).is_ok(), legal, "{progress}");
        }
    }

    #[test]
    fn completing_means_all_of_it() {
        let mut registry = registry();
        create(&mut registry, "t", Status::Running).expect("created");
        let change = Change { status: Some(Status::Completed), ..Change::default() };
        let task = registry.update("t", change, NOW).expect("updated");
        assert_eq!((task.progress, task.end_time), (100.0, Some(NOW)));
    }

    #[test]
    fn a_stop_is_a_request_to_whoever_runs_it() {
        let mut registry = registry();
        create(&mut registry, "running", Status::Running).expect("created");
        create(&mut registry, "pending", Status::Pending).expect("created");
        let stopped = registry.request_stop("running", NOW).expect("stopped");
        assert_eq!((stopped.status, stopped.stop_requested), (Status::Running, true));
        let stopped = registry.request_stop("pending", NOW).expect("stopped");
        assert_eq!(stopped.status, Status::Cancelled);
        assert!(matches!(registry.request_stop("pending", NOW), Err(Error::Transition { .. })));
        assert_eq!(registry.request_stop("x", NOW).err(), Some(Error::NotFound("x".into())));
    }

    #[test]
    fn ended_tasks_make_room_and_active_ones_do_not() {
        let mut registry = registry();
        create(&mut registry, "a", Status::Running).expect("created");
        create(&mut registry, "b", Status::Completed).expect("created");
        create(&mut registry, "c", Status::Running).expect("created");
        create(&mut registry, "d", Status::Running).expect("room was made");
        assert!(registry.get("b").is_none());
        assert_eq!(create(&mut registry, "e", Status::Running), Err(Error::Full(3)));
        assert_eq!(create(&mut registry, "a", Status::Running), Err(Error::Exists("a".into())));
    }

    #[test]
    fn every_change_is_told_to_who_keeps_them() {
        let mut registry = registry();
        let told = |registry: &mut Registry| -> Vec<String> {
            let entries = registry.take_entries().into_iter();
            let text = entries.map(|entry| match entry {
                Entry::Kept(task) => format!("{} {}", task.id, task.status.name()),
                Entry::Gone(id) => format!("{id} gone"),
            });
            text.collect()
        };
        create(&mut registry, "a", Status::Running).expect("created");
        registry.request_stop("a", NOW).expect("stopped");
        let change = Change { status: Some(Status::Failed), ..Change::default() };
        registry.update("a", change, NOW).expect("updated");
        assert!(registry.update("b", Change::default(), NOW).is_err());
        assert_eq!(told(&mut registry), ["a running", "a running", "a failed"]);
        for id in ["b", "c", "d"] {
            create(&mut registry, id, Status::Completed).expect("created");
        }
        registry.delete("d").expect("deleted");
        let expected = ["b completed", "c completed", "a gone", "d completed", "d gone"];
        assert_eq!(told(&mut registry), expected);
        let mut kept = Registry::new(&Config::default());
        kept.restore(registry.iter().cloned().collect());
        assert_eq!(kept.iter().count(), 2);
        assert!(told(&mut kept).is_empty(), "what was kept is no change");
    }

    #[test]
    fn only_ended_tasks_are_deleted() {
        let mut registry = registry();
        create(&mut registry, "a", Status::Running).expect("created");
        assert!(matches!(registry.delete("a"), Err(Error::Active { .. })));
        create(&mut registry, "b", Status::Failed).expect("created");
        assert_eq!(registry.delete("b"), Ok(()));
        assert_eq!(registry.delete("b"), Err(Error::NotFound("b".into())));
    }

    #[test]
    fn sizes_are_bounded() {
        let mut registry = registry();
        let details = RawValue::from_string(format!("\"{}\"", "x".repeat(20))).expect("JSON");
        let change = Change { details: Some(details), ..Change::default() };
        let created = registry.create(None, "a".to_owned(), change, NOW);
        assert!(matches!(created, Err(Error::Length(_))));
        let created = registry.create(None, String::new(), Change::default(), NOW);
        assert!(matches!(created, Err(Error::Length(_))));
    }
}
