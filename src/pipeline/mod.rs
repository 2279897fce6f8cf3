//! The single writer: a batch or a command changes the state and becomes messages.
//!
//! [`Pipeline::apply`] is pure: it is given the time and asks nobody. [`run`] owns the only task that
//! calls it, so that the order of inputs is the order of the stream.

mod config;
mod run;
mod step;
mod told;
mod vitals;

pub use config::Config;
pub use run::{Closed, Envelope, Handle, run};
pub use step::{Done, Kept, Records, Step};

use std::sync::Arc;
use std::time::Duration;

use crate::alert::{self, Alert};
use crate::api;
use crate::hub::{Draft, Subject, Type, TypeSet};
use crate::sample::{Batch, Moment};
use crate::store::{self, Collectors, Notice, Store};
use crate::task::{self, Reported, Task};
use vitals::Vitals;

/// The state of the whole.
pub struct Pipeline {
    pub store: Store,
    pub tasks: task::Registry,
    pub alerts: alert::Registry,
    pub collectors: Collectors,
    vitals: Vitals,
    /// What the last input brings into the log.
    notices: Vec<Notice>,
}

/// Everything that can happen to the state.
#[derive(Debug)]
pub enum Input {
    /// A collector is about to run.
    Expect { collector: Arc<str>, plugin: String, interval: Duration },
    /// A collection has ended.
    Batch(Box<Batch>),
    /// A collector was given a new configuration, and why the old one stays in force, if it does.
    Reloaded { collector: Arc<str>, refused: Option<String> },
    /// A collector is gone, and its series with it.
    Forget { collector: Arc<str> },
    /// It is time for the status messages.
    Tick,
    /// It is time to look at what time has done to tasks.
    Sweep,
    /// Somebody wants something changed.
    Command(Command),
    /// New bounds are in force.
    Configure(Box<Limits>),
    /// Tasks and alerts were found that were kept before the start.
    Restore(Records),
    /// Somebody wants all tasks and alerts as they are at this place of the stream; they are in
    /// the [`Step`] of this input.
    Snapshot,
}

/// What somebody outside may want changed.
#[derive(Debug)]
pub enum Command {
    /// `key` tells a request that is sent again from a new one.
    CreateTask {
        id: Option<String>,
        name: String,
        key: Option<String>,
        change: task::Change,
    },
    UpdateTask {
        id: String,
        change: task::Change,
    },
    StopTask {
        id: String,
    },
    DeleteTask {
        id: String,
    },
    FireAlert(alert::Report),
    ResolveAlert {
        id: String,
    },
}

/// The bounds of the rooms that the pipeline owns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    pub store: store::Config,
    pub tasks: task::Config,
    pub alerts: alert::Config,
}

/// What a command is answered with.
#[derive(Debug, Clone)]
pub enum Answer {
    Done,
    Task(Box<Task>),
    Alert(Alert),
}

/// Why a command changed nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Task(#[from] task::Error),
    #[error(transparent)]
    Alert(#[from] alert::Error),
}

/// The outcome of one input.
pub type Applied = (Vec<Draft>, Result<Answer, CommandError>);

impl Pipeline {
    /// The state of a daemon that has just started.
    pub fn new(limits: &Limits) -> Self {
        Self {
            store: Store::new(&limits.store),
            tasks: task::Registry::new(&limits.tasks),
            alerts: alert::Registry::new(&limits.alerts),
            collectors: Collectors::default(),
            vitals: Vitals::default(),
            notices: Vec::new(),
        }
    }

    /// Changes the state by `input` and says what is to be sent: of the types that nobody may miss
    /// all, of `collector_update` only if it is among the `wanted`.
    pub fn apply(&mut self, input: Input, wanted: TypeSet, now: Moment) -> Applied {
        self.notices.clear();
        let drafts = match input {
            Input::Expect { collector, plugin, interval } => {
                self.collectors.expect(collector, plugin, interval);
                Vec::new()
            }
            Input::Batch(batch) => self.apply_batch(&batch, wanted),
            Input::Reloaded { collector, refused } => {
                self.collectors.reloaded(&collector, refused);
                Vec::new()
            }
            Input::Forget { collector } => {
                self.collectors.forget(&collector);
                self.store.forget(&collector, now);
                Vec::new()
            }
            Input::Tick => {
                self.vitals.tick(&self.store, now);
                vec![
                    draft(Subject::SystemStatus, &self.system_status(now)),
                    draft(Subject::MetricsUpdate, &self.metrics(now)),
                ]
            }
            Input::Sweep => self.tasks.sweep(now).iter().map(task_update).collect(),
            Input::Command(command) => match self.command(command, now) {
                Ok((drafts, answer)) => return (drafts, Ok(answer)),
                Err(error) => return (Vec::new(), Err(error)),
            },
            Input::Configure(limits) => {
                self.store.configure(&limits.store);
                self.tasks.configure(&limits.tasks);
                self.alerts.configure(&limits.alerts);
                Vec::new()
            }
            Input::Restore(records) => {
                self.restore(records, now);
                Vec::new()
            }
            Input::Snapshot => Vec::new(),
        };
        (drafts, Ok(Answer::Done))
    }

    /// What the last input brings into the log.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Takes in what was kept of tasks and alerts.
    pub fn restore(&mut self, Records { tasks, runs, alerts }: Records, now: Moment) {
        self.tasks.restore(tasks, runs, now);
        self.alerts.restore(alerts);
    }

    /// All tasks and alerts.
    pub fn records(&self) -> Records {
        let (tasks, alerts) = (self.tasks.iter().cloned(), self.alerts.iter().cloned());
        let (runs, _) = self.tasks.runs();
        Records { tasks: tasks.collect(), runs, alerts: alerts.collect() }
    }

    fn apply_batch(&mut self, batch: &Batch, wanted: TypeSet) -> Vec<Draft> {
        self.collectors.record(batch);
        let noticed = self.store.apply(batch);
        self.notices = self.collectors.note(batch, &noticed);
        if !wanted.contains(Type::CollectorUpdate) || batch.samples.is_empty() {
            return Vec::new();
        }
        let subject = Subject::CollectorUpdate(batch.collector.clone());
        vec![draft(subject, &api::CollectorUpdate::from(batch))]
    }

    fn command(
        &mut self,
        command: Command,
        now: Moment,
    ) -> Result<(Vec<Draft>, Answer), CommandError> {
        let reported = match command {
            Command::CreateTask { id, name, key, change } => {
                self.tasks.create(id, name, key, change, now)?
            }
            Command::UpdateTask { id, change } => self.tasks.update(&id, change, now)?,
            Command::StopTask { id } => Reported::Changed(self.tasks.request_stop(&id, now)?),
            Command::DeleteTask { id } => {
                self.tasks.delete(&id)?;
                return Ok((Vec::new(), Answer::Done));
            }
            Command::FireAlert(report) => {
                return Ok(alert_changed(self.alerts.fire(report, now.wall)?));
            }
            Command::ResolveAlert { id } => {
                return Ok(alert_changed(self.alerts.resolve(&id, now.wall)?));
            }
        };
        Ok(match reported {
            Reported::Changed(task) => {
                (vec![task_update(task)], Answer::Task(Box::new(task.clone())))
            }
            Reported::Repeated(task) => (Vec::new(), Answer::Task(Box::new(task.clone()))),
        })
    }
}

fn task_update(task: &Task) -> Draft {
    draft(Subject::TaskUpdate(task.id.clone()), &api::Task::from(task))
}

fn alert_changed(alert: &Alert) -> (Vec<Draft>, Answer) {
    let message = draft(Subject::Alert(alert.severity), &api::Alert::from(alert));
    (vec![message], Answer::Alert(alert.clone()))
}

fn draft(subject: Subject, data: &impl serde::Serialize) -> Draft {
    Draft { subject, data: api::encode(data) }
}
