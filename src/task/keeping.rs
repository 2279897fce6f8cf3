//! What time does to tasks: those that are silent stall, and those that have ended are removed.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Error, Registry, Status, Task};
use crate::sample::Moment;

/// How many ended tasks were removed, by what removed them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// They had ended longer ago than `tasks.keep_ended`.
    pub age: u64,
    /// There were more of them than `tasks.max_ended`.
    pub count: u64,
    /// They made room for others, at `tasks.max_tasks`.
    pub room: u64,
    /// Somebody has deleted them.
    pub deleted: u64,
}

impl Registry {
    /// Looks at what time has done. Returns the tasks that have stalled since the last look.
    pub fn sweep(&mut self, now: Moment) -> Vec<Task> {
        self.remove_old(now.wall);
        self.remove_many();
        let silent = |task: &&mut Task| {
            let silence = now.uptime.saturating_sub(task.heard);
            task.status == Status::Running
                && !task.stalled
                && task.heartbeat.is_some_and(|promise| silence > promise)
        };
        let stalled: Vec<Task> = self
            .tasks
            .values_mut()
            .filter(silent)
            .map(|task| {
                task.stalled = true;
                task.clone()
            })
            .collect();
        stalled.iter().for_each(|task| self.note(task));
        stalled
    }

    fn remove_old(&mut self, now: Timestamp) {
        let age = SignedDuration::try_from(*self.limits.keep_ended).unwrap_or(SignedDuration::MAX);
        let Ok(oldest) = now.checked_sub(age) else { return };
        let is_old = |task: &&Task| task.end_time.is_some_and(|end| end < oldest);
        let old: Vec<Arc<str>> = self.iter().filter(is_old).map(|task| task.id.clone()).collect();
        old.iter().for_each(|id| self.remove(id));
        self.removed.age += old.len() as u64;
    }

    fn remove_many(&mut self) {
        let ended = self.iter().filter_map(|task| Some((task.end_time?, task.id.clone())));
        let mut ended: Vec<(Timestamp, Arc<str>)> = ended.collect();
        let excess = ended.len().saturating_sub(self.limits.max_ended);
        if excess == 0 {
            return;
        }
        ended.sort_unstable();
        ended.iter().take(excess).for_each(|(_, id)| self.remove(id));
        self.removed.count += excess as u64;
    }

    /// Has ended tasks make room for one more.
    ///
    /// # Errors
    /// [`Error::Full`] if none has ended.
    pub(super) fn make_room(&mut self) -> Result<(), Error> {
        while self.tasks.len() >= self.limits.max_tasks {
            let ended = self.tasks.values().filter(|task| task.status.is_ended());
            let oldest = ended.min_by_key(|task| task.updated_at).map(|task| task.id.clone());
            let oldest = oldest.ok_or(Error::Full(self.tasks.len()))?;
            self.remove(&oldest);
            self.removed.room += 1;
        }
        Ok(())
    }
}
