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

use serde_json::value::RawValue;

use crate::alert::{self, Alert};
use crate::api;
use crate::group;
use crate::hub::{Draft, Message, Subject, Type, TypeSet};
use crate::sample::{Batch, Moment};
use crate::store::{self, Collectors, Notice, Store};
use crate::task::{self, Reported, Task};
use vitals::Vitals;

/// The state of the whole.
pub struct Pipeline {
    pub store: Store,
    pub tasks: task::Registry,
    pub alerts: alert::Registry,
    pub groups: group::Registry,
    pub collectors: Collectors,
    vitals: Vitals,
    /// What the last input brings into the log.
    notices: Vec<Notice>,
    /// The alerts of which the last input tells.
    told: Vec<Alert>,
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
    /// It is time to look at what time has done to tasks and alerts.
    Sweep,
    /// Rules were evaluated.
    Evaluated(Box<alert::Round>),
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
    AcknowledgeAlert(alert::Acknowledge),
    AddSilence(alert::NewSilence),
    RemoveSilence {
        id: String,
    },
    Publish {
        group: String,
        data: Box<RawValue>,
        from: group::Publisher,
    },
}

/// The bounds of the rooms that the pipeline owns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    pub store: store::Config,
    pub tasks: task::Config,
    pub rules: Arc<alert::Rules>,
    pub groups: group::Config,
}

/// What a command is answered with.
#[derive(Debug, Clone)]
pub enum Answer {
    Done,
    Task(Box<Task>),
    Alert(Box<Alert>),
    Silence(alert::Silence),
    Published,
}

/// Why a command changed nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Task(#[from] task::Error),
    #[error(transparent)]
    Alert(#[from] alert::Error),
    #[error(transparent)]
    Silence(#[from] alert::SilenceError),
    #[error(transparent)]
    Group(#[from] group::Error),
}

/// The outcome of one input.
pub type Applied = (Vec<Draft>, Result<Answer, CommandError>);

impl Pipeline {
    /// The state of a daemon that has just started.
    pub fn new(limits: &Limits) -> Self {
        Self {
            store: Store::new(&limits.store),
            tasks: task::Registry::new(&limits.tasks),
            alerts: alert::Registry::new(limits.rules.clone()),
            groups: group::Registry::new(&limits.groups),
            collectors: Collectors::default(),
            vitals: Vitals::default(),
            notices: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Changes the state by `input` and says what is to be sent: of the types that nobody may miss
    /// all, of `collector_update` only if it is among the `wanted`.
    pub fn apply(&mut self, input: Input, wanted: TypeSet, now: Moment) -> Applied {
        self.notices.clear();
        self.told.clear();
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
            Input::Sweep => {
                let mut drafts: Vec<Draft> =
                    self.tasks.sweep(now).iter().map(task_update).collect();
                let told = self.alerts.sweep(now.wall);
                drafts.extend(self.tell(told));
                drafts
            }
            Input::Evaluated(round) => {
                let told = self.alerts.apply(*round, now);
                self.tell(told)
            }
            Input::Command(command) => match self.command(command, now) {
                Ok((drafts, answer)) => return (drafts, Ok(answer)),
                Err(error) => return (Vec::new(), Err(error)),
            },
            Input::Configure(limits) => {
                self.store.configure(&limits.store);
                self.tasks.configure(&limits.tasks);
                self.alerts.configure(limits.rules);
                self.groups.configure(&limits.groups);
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

    /// The alerts of which the last input tells.
    pub fn take_told(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.told)
    }

    /// Learns the numbers that the messages of the last input were given.
    pub fn numbered(&mut self, messages: &[Message]) {
        for message in messages {
            if let Subject::GroupMessage(group) = &message.subject {
                self.groups.published(group, message.seq);
            }
        }
    }

    /// Takes in what was kept of tasks, alerts and groups.
    pub fn restore(&mut self, records: Records, now: Moment) {
        let Records { tasks, runs, alerts, silences, groups } = records;
        self.groups.restore(groups);
        self.tasks.restore(tasks, runs, now);
        self.alerts.restore(alerts, silences);
    }

    /// All tasks, alerts and groups.
    pub fn records(&self) -> Records {
        let (tasks, alerts) = (self.tasks.iter().cloned(), self.alerts.iter().cloned());
        let groups = self.groups.iter().map(|(name, seq)| (name.clone(), seq));
        let (runs, _) = self.tasks.runs();
        Records {
            tasks: tasks.collect(),
            runs,
            alerts: alerts.collect(),
            silences: self.alerts.silences().cloned().collect(),
            groups: groups.collect(),
        }
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
            Command::Publish { group, data, from } => {
                self.groups.check(&group, data.get())?;
                let from = api::Publisher::from(&from);
                let said = api::GroupMessage { group: &group, from, data: &data };
                let message = draft(Subject::GroupMessage(group.as_str().into()), &said);
                return Ok((vec![message], Answer::Published));
            }
            alerts => return self.alert_command(alerts, now),
        };
        Ok(match reported {
            Reported::Changed(task) => {
                (vec![task_update(task)], Answer::Task(Box::new(task.clone())))
            }
            Reported::Repeated(task) => (Vec::new(), Answer::Task(Box::new(task.clone()))),
        })
    }
}

impl Pipeline {
    fn alert_command(
        &mut self,
        command: Command,
        now: Moment,
    ) -> Result<(Vec<Draft>, Answer), CommandError> {
        let (alert, told) = match command {
            Command::FireAlert(report) => self.alerts.fire(report, now.wall)?,
            Command::ResolveAlert { id } => self.alerts.resolve(&id, now.wall)?,
            Command::AcknowledgeAlert(what) => self.alerts.acknowledge(what, now.wall)?,
            Command::AddSilence(new) => {
                let (silence, told) = self.alerts.silence(new, now.wall)?;
                return Ok((self.tell(told), Answer::Silence(silence)));
            }
            Command::RemoveSilence { id } => {
                let told = self.alerts.unsilence(&id, now.wall)?;
                return Ok((self.tell(told), Answer::Done));
            }
            Command::CreateTask { .. }
            | Command::UpdateTask { .. }
            | Command::StopTask { .. }
            | Command::DeleteTask { .. }
            | Command::Publish { .. } => return Ok((Vec::new(), Answer::Done)),
        };
        Ok((self.tell(told), Answer::Alert(Box::new(alert))))
    }

    /// The messages that tell of alerts. Each is sent at the higher of the levels before and now, so
    /// that who saw an alert learns that it was lowered.
    fn tell(&mut self, told: Vec<alert::Told>) -> Vec<Draft> {
        let message =
            |told: &alert::Told| draft(Subject::Alert(told.level), &api::Alert::from(&told.alert));
        let drafts = told.iter().map(message).collect();
        self.told = told.into_iter().map(|told| told.alert).collect();
        drafts
    }
}

fn task_update(task: &Task) -> Draft {
    draft(Subject::TaskUpdate(task.id.clone()), &api::Task::from(task))
}

fn draft(subject: Subject, data: &impl serde::Serialize) -> Draft {
    Draft { subject, data: api::encode(data) }
}
