//! Stores, then publishes, then answers, in the order of the steps; and goes on without the disk while
//! that fails.

mod recovery;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::backlog::Backlog;
use super::database::Group;
use super::disk::{Job, SharedProof, Trouble};
use super::start::BLOCK;
use super::{Config, Vitals};
use crate::hub::Message;
use crate::pipeline::{Handle, Input, Records, Step};

/// Between two attempts to reach a pipeline that has no room.
const PIPELINE_RETRY: Duration = Duration::from_millis(20);
/// What is committed at once.
const GROUP_STEPS: usize = 512;
const GROUP_BYTES: usize = 4 << 20;
const FAR: Duration = Duration::from_secs(86_400);

/// The way to the thread that writes.
pub(super) struct Disks {
    pub(super) jobs: SyncSender<Job>,
    pub(super) proof: SharedProof,
    /// What it cannot do though nobody has asked for it.
    pub(super) troubles: mpsc::Receiver<Trouble>,
}

/// How it stands with the disk.
#[derive(Debug, PartialEq)]
enum Phase {
    /// Everything published is stored.
    Well,
    /// It fails; the next attempt is at this time, and not before what is under way has ended.
    Resting(Instant),
    /// It is being opened.
    Opening,
    /// The pipeline was asked for all tasks and alerts.
    Asking,
    /// They are being stored, with all events that are not. What comes meanwhile is published.
    Recovering,
    /// What came meanwhile is being stored. What comes now waits.
    CatchingUp,
}

/// What the thread was given to do.
enum Flight {
    Open(oneshot::Receiver<Result<Option<Records>, Trouble>>),
    Commit(oneshot::Receiver<Result<(), Trouble>>),
}

enum Landing {
    Opened(Result<Option<Records>, Trouble>),
    Committed(Result<(), Trouble>),
}

/// Decides when each step is stored, published and answered.
pub(super) struct Publisher {
    handle: Handle,
    steps: mpsc::Receiver<Step>,
    disks: Option<Disks>,
    backlog: Arc<Mutex<Backlog>>,
    vitals: Arc<Vitals>,
    commit_timeout: Duration,
    queue: usize,
    phase: Phase,
    flight: Option<Flight>,
    /// When what is in flight has taken too long.
    deadline: Instant,
    /// The steps that are in flight and not published yet.
    waiting: Vec<Step>,
    /// What was published while all tasks and alerts were being stored; `None` if it was too much.
    meanwhile: Option<Group>,
    /// The line as the database has it, and as it will have it after what is in flight.
    stored: Option<(String, u64)>,
    storing: Option<(String, u64)>,
    /// The number of the last event in flight of the backlog.
    storing_backlog: u64,
    is_marked: bool,
    /// Whether the database has tasks and alerts that the pipeline does not know yet.
    is_restoring: bool,
    /// What the pipeline is to be told.
    wishes: VecDeque<Input>,
}

impl Publisher {
    pub(super) fn new(
        handle: Handle,
        steps: mpsc::Receiver<Step>,
        disks: Option<Disks>,
        backlog: Arc<Mutex<Backlog>>,
        vitals: Arc<Vitals>,
        config: &Config,
        stored: Option<(String, u64)>,
    ) -> Self {
        Self {
            handle,
            steps,
            disks,
            backlog,
            vitals,
            commit_timeout: *config.commit_timeout,
            queue: config.queue,
            phase: Phase::Well,
            flight: None,
            deadline: Instant::now(),
            waiting: Vec::new(),
            meanwhile: None,
            stored,
            storing: None,
            storing_backlog: 0,
            is_marked: false,
            is_restoring: false,
            wishes: VecDeque::new(),
        }
    }

    /// Goes on until the pipeline has ended; `trouble` is what the beginning has met with.
    pub(super) async fn run(mut self, trouble: Option<Trouble>) {
        match trouble {
            Some(trouble) => self.fall_ill(trouble),
            None => self.resolve_alert(),
        }
        loop {
            self.vitals.queued.store(self.steps.len(), Ordering::Relaxed);
            self.tell_pipeline();
            let receives = match self.phase {
                Phase::Well => self.flight.is_none(),
                Phase::CatchingUp => false,
                _ => true,
            };
            let next_look = self.next_look();
            tokio::select! {
                step = self.steps.recv(), if receives => match step {
                    Some(step) => self.take(step).await,
                    None => break,
                },
                landing = land(&mut self.flight), if self.flight.is_some() => {
                    self.flight = None;
                    self.landed(landing).await;
                }
                Some(trouble) = hear(&mut self.disks) => self.heard(trouble).await,
                () = sleep_until(next_look) => self.look().await,
            }
        }
        self.finish().await;
    }

    /// Samples could not be written, and the database was closed.
    async fn heard(&mut self, trouble: Trouble) {
        if self.phase == Phase::Well {
            self.fall_ill(trouble);
            self.release(false).await;
        }
    }

    fn next_look(&self) -> Instant {
        let now = Instant::now();
        let wish = if self.wishes.is_empty() { now + FAR } else { now + PIPELINE_RETRY };
        let own = match self.phase {
            Phase::Well | Phase::CatchingUp if self.flight.is_some() => self.deadline,
            Phase::Resting(until) if self.flight.is_none() => until,
            _ => now + FAR,
        };
        own.min(wish)
    }

    /// Something takes too long, or it is time for another attempt.
    async fn look(&mut self) {
        let now = Instant::now();
        match self.phase {
            Phase::Well | Phase::CatchingUp if self.flight.is_some() && now >= self.deadline => {
                let limit = self.commit_timeout;
                self.fall_ill(format!(
                    "a commit takes longer than {limit:?} (storage.commit_timeout)"
                ));
                self.release(false).await;
            }
            Phase::Resting(until) if self.flight.is_none() && now >= until => {
                let (reply, answer) = oneshot::channel();
                if self.give(Job::Open(reply)) {
                    (self.flight, self.phase) = (Some(Flight::Open(answer)), Phase::Opening);
                }
            }
            _ => {}
        }
    }

    /// Takes a step, and those that have come together since.
    async fn take(&mut self, first: Step) {
        let bytes = |step: &Step| step.messages.iter().map(|m| m.text.len()).sum::<usize>();
        let (mut steps, mut sum) = (Vec::from([first]), 0);
        while steps.len() < GROUP_STEPS
            && sum < GROUP_BYTES
            && let Ok(step) = self.steps.try_recv()
        {
            sum += bytes(&step);
            steps.push(step);
        }
        self.waiting = steps;
        if self.phase != Phase::Well || self.disks.is_none() {
            return self.release(false).await;
        }
        let line = self.line_to_store();
        if line.is_none() && !self.waiting.iter().any(Step::is_lasting) {
            return self.release(true).await;
        }
        let mut group = Group { line, ..Group::default() };
        self.waiting.iter().for_each(|step| group.add(step));
        self.commit(group);
    }

    /// The line, if the database has to know more of it.
    fn line_to_store(&self) -> Option<(String, u64)> {
        let line = self.handle.hub.line();
        let is_enough = self.stored.as_ref().is_some_and(|(epoch, reserved)| {
            *epoch == line.epoch && line.last + BLOCK / 2 <= *reserved
        });
        (!is_enough).then_some((line.epoch, line.last + BLOCK))
    }

    fn commit(&mut self, group: Group) {
        self.storing.clone_from(&group.line);
        let (reply, answer) = oneshot::channel();
        if self.give(Job::Commit(Box::new(group), reply)) {
            self.flight = Some(Flight::Commit(answer));
            self.deadline = Instant::now() + self.commit_timeout;
        }
    }

    /// There is one job at a time, so that there is room for it as long as the thread lives.
    fn give(&mut self, job: Job) -> bool {
        let given = self.disks.as_ref().is_some_and(|disks| disks.jobs.try_send(job).is_ok());
        if !given {
            self.fall_ill("the thread of the database has ended".to_owned());
        }
        given
    }

    /// Publishes what waits, and answers whoever waits for it.
    async fn release(&mut self, durable: bool) {
        let mut steps = std::mem::take(&mut self.waiting);
        if !durable && self.disks.is_some() {
            self.remember(&steps).await;
        }
        for step in &mut steps {
            self.handle.hub.publish(std::mem::take(&mut step.messages));
            // What changes nothing is as durable as what was there before.
            step.answer(durable || !step.is_lasting() && self.disks.is_some());
        }
        if let Some(last) = steps.last() {
            self.handle.settle(last.number);
        }
    }

    async fn landed(&mut self, landing: Landing) {
        let result = match landing {
            Landing::Opened(Ok(records)) => {
                self.is_restoring |= records.is_some();
                self.wishes.extend(records.map(Input::Restore));
                self.wishes.push_back(Input::Snapshot);
                self.phase = Phase::Asking;
                return;
            }
            Landing::Opened(Err(trouble)) => Err(trouble),
            Landing::Committed(result) => result,
        };
        match result {
            Ok(()) => {
                let is_due = self.phase == Phase::Well;
                self.committed();
                if is_due {
                    self.release(true).await;
                }
            }
            Err(trouble) => {
                self.storing = None;
                self.fall_ill(trouble);
                self.release(false).await;
            }
        }
    }

    /// Nobody waits for the pipeline here: it may itself be waiting for this.
    fn tell_pipeline(&mut self) {
        while let Some(wish) = self.wishes.pop_front() {
            if let Some(wish) = self.handle.try_send(wish) {
                self.wishes.push_front(wish);
                return;
            }
        }
    }
}

impl Group {
    fn add(&mut self, step: &Step) {
        self.tasks.extend(step.tasks.iter().cloned());
        self.alerts.extend(step.alerts.iter().cloned());
        let events = step.events().map(|event: &Message| (event.clone(), step.at.wall));
        self.events.extend(events);
    }
}

/// Waits for trouble.
async fn hear(disks: &mut Option<Disks>) -> Option<Trouble> {
    match disks {
        Some(disks) => disks.troubles.recv().await,
        None => std::future::pending().await,
    }
}

/// Waits for what is in flight.
async fn land(flight: &mut Option<Flight>) -> Landing {
    let ended = || "the thread of the database has ended".to_owned();
    match flight {
        Some(Flight::Open(answer)) => {
            Landing::Opened(answer.await.unwrap_or_else(|_| Err(ended())))
        }
        Some(Flight::Commit(answer)) => {
            Landing::Committed(answer.await.unwrap_or_else(|_| Err(ended())))
        }
        None => std::future::pending().await,
    }
}
