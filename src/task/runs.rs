//! How the tasks of each name fare: what rules watch, long after a task itself is gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Entry, Status, Task};

/// How the last task of a name has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct LastRun {
    pub name: Arc<str>,
    pub status: Status,
    pub end_time: Timestamp,
    /// How long it took, in seconds.
    pub duration: f64,
    /// When one was last completed.
    pub last_success: Option<Timestamp>,
}

/// How it stands with a name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NameState {
    /// Tasks that have not ended.
    pub active: usize,
    /// Of these, those that have stalled.
    pub stalled: usize,
    /// Percent, of the running one that was started last.
    pub progress: Option<f64>,
    pub last: Option<LastRun>,
}

/// The last run of each name.
#[derive(Debug, Default)]
pub(super) struct Runs {
    last: BTreeMap<Arc<str>, LastRun>,
    forgotten: u64,
}

impl Runs {
    pub(super) fn restore(&mut self, runs: Vec<LastRun>) {
        for run in runs {
            self.last.entry(run.name.clone()).or_insert(run);
        }
    }

    pub(super) fn all(&self) -> Vec<LastRun> {
        self.last.values().cloned().collect()
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// A task has ended; says what is to be kept of that. Of `max` names, the one whose last task
    /// ended longest ago is forgotten.
    pub(super) fn ended(&mut self, task: &Task, max: usize) -> Vec<Entry> {
        let end_time = task.end_time.unwrap_or(task.updated_at);
        let before = self.last.get(task.name.as_str());
        let is_success = task.status == Status::Completed;
        let success = before.and_then(|before| before.last_success);
        let mut run = LastRun {
            name: task.name.as_str().into(),
            status: task.status,
            end_time,
            duration: end_time.duration_since(task.start_time).as_secs_f64().max(0.0),
            last_success: success.max(is_success.then_some(end_time)),
        };
        // What is told late does not hide what has happened since.
        if let Some(before) = before.filter(|before| before.end_time > end_time) {
            run = LastRun { last_success: run.last_success, ..before.clone() };
        }
        self.last.insert(run.name.clone(), run.clone());
        let mut entries = vec![Entry::Ran(run)];
        while self.last.len() > max
            && let Some(oldest) = self.last.values().min_by_key(|run| run.end_time)
        {
            let name = oldest.name.clone();
            self.last.remove(&name);
            self.forgotten += 1;
            entries.push(Entry::Forgotten(name));
        }
        entries
    }

    /// How it stands with each name, of at most `max`: those first that have `active` tasks, and
    /// then those whose last one ended last.
    pub(super) fn states<'a>(
        &self,
        active: impl Iterator<Item = &'a Task>,
        max: usize,
    ) -> Vec<(Arc<str>, NameState)> {
        let mut active: Vec<&Task> = active.collect();
        active.sort_unstable_by(|a, b| (b.start_time, &b.id).cmp(&(a.start_time, &a.id)));
        let mut states: BTreeMap<Arc<str>, NameState> = BTreeMap::new();
        for task in active {
            if states.len() >= max && !states.contains_key(task.name.as_str()) {
                continue;
            }
            let state = states.entry(task.name.as_str().into()).or_default();
            state.active += 1;
            state.stalled += usize::from(task.stalled);
            let progress = (task.status == Status::Running).then_some(task.progress);
            state.progress = state.progress.or(progress);
        }
        let mut last: Vec<&LastRun> = self.last.values().collect();
        last.sort_unstable_by_key(|run| std::cmp::Reverse(run.end_time));
        for run in last {
            if states.len() < max || states.contains_key(&run.name) {
                states.entry(run.name.clone()).or_default().last = Some(run.clone());
            }
        }
        states.into_iter().collect()
    }
}
