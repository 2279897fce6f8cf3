//! The task that applies inputs one by one, and the handle by which others reach it.

use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};

use super::{Answer, Command, CommandError, Input, Limits, Pipeline};
use crate::alert::{Alert, State};
use crate::clock::Clock;
use crate::hub::{Cursor, Hub};
use crate::sample::{Moment, Reason};
use crate::store::Notice;

/// Reads the state, sends inputs and knows the stream. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    state: Arc<RwLock<Pipeline>>,
    inputs: mpsc::Sender<Envelope>,
    pub hub: Arc<Hub>,
    pub clock: Clock,
}

/// The pipeline has ended, which it does only when the daemon stops.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the daemon is stopping")]
pub struct Closed;

type Reply = oneshot::Sender<Result<Answer, CommandError>>;

/// An input with the place for its answer.
pub struct Envelope {
    input: Input,
    reply: Option<Reply>,
}

impl Handle {
    /// A handle, and the queue to give to [`run`], which holds at most `queue` inputs.
    pub fn new(
        limits: &Limits,
        queue: usize,
        hub: Arc<Hub>,
        clock: Clock,
    ) -> (Self, mpsc::Receiver<Envelope>) {
        let (inputs, receiver) = mpsc::channel(queue);
        let state = Arc::new(RwLock::new(Pipeline::new(limits)));
        (Self { state, inputs, hub, clock }, receiver)
    }

    /// Sends an input, waiting while the queue is full.
    ///
    /// # Errors
    /// [`Closed`] when the daemon stops.
    pub async fn send(&self, input: Input) -> Result<(), Closed> {
        let envelope = Envelope { input, reply: None };
        self.inputs.send(envelope).await.map_err(|_| Closed)
    }

    /// Has a command carried out; the answer comes when its message is in the stream.
    ///
    /// # Errors
    /// [`Closed`] when the daemon stops.
    pub async fn command(&self, command: Command) -> Result<Result<Answer, CommandError>, Closed> {
        self.ask(Input::Command(command)).await
    }

    /// Returns when all that was sent before is applied.
    ///
    /// # Errors
    /// [`Closed`] when the daemon stops.
    pub async fn settled(&self) -> Result<(), Closed> {
        self.ask(Input::Settle).await.map(drop)
    }

    async fn ask(&self, input: Input) -> Result<Result<Answer, CommandError>, Closed> {
        let (reply, answer) = oneshot::channel();
        let envelope = Envelope { input, reply: Some(reply) };
        self.inputs.send(envelope).await.map_err(|_| Closed)?;
        answer.await.map_err(|_| Closed)
    }

    /// Looks at the state. The pipeline waits meanwhile: copy what is needed and return.
    pub fn read<T>(&self, look: impl FnOnce(&Pipeline, Moment) -> T) -> T {
        look(&self.state.read(), self.clock.now())
    }

    /// Looks at the state and takes a cursor at the same place of the stream, so that what the
    /// cursor brings is exactly what happened after what was seen.
    pub fn read_and_follow<T>(&self, look: impl FnOnce(&Pipeline, Moment) -> T) -> (T, Cursor) {
        let state = self.state.read();
        (look(&state, self.clock.now()), self.hub.cursor())
    }

    /// How many inputs wait.
    pub fn queued(&self) -> usize {
        self.inputs.max_capacity() - self.inputs.capacity()
    }
}

/// Applies inputs until every other handle is gone.
pub async fn run(handle: Handle, mut inputs: mpsc::Receiver<Envelope>) {
    let Handle { state, hub, clock, inputs: own } = handle;
    // Held, it would keep the queue open for ever.
    drop(own);
    while let Some(Envelope { input, reply }) = inputs.recv().await {
        let now = clock.now();
        let (answer, notices) = {
            // Published under the lock: who reads the state sees the stream at the same place.
            let mut state = state.write();
            let (drafts, answer) = state.apply(input, hub.clients.wanted(), now);
            hub.publish(drafts, now);
            (answer, state.take_notices())
        };
        notices.iter().for_each(log);
        if let Ok(answer) = &answer {
            report(answer, now);
        }
        if let Some(reply) = reply {
            // Who asked may have gone; what was asked is done all the same.
            let _ = reply.send(answer);
        }
    }
}

fn log(notice: &Notice) {
    match notice {
        Notice::Resets { collector, count, series } => {
            tracing::info!(collector = &**collector, count, series, "counters went down");
        }
        Notice::Rejected { collector, rejected } => {
            // A field that is none is not shown.
            let count = |reason| Some(rejected.count(reason)).filter(|count| *count > 0);
            tracing::warn!(
                collector = &**collector,
                invalid = count(Reason::Invalid),
                value = count(Reason::Value),
                duplicate = count(Reason::Duplicate),
                limit = count(Reason::Limit),
                timestamp = count(Reason::Timestamp),
                first = rejected.first().map(|(_, what)| what),
                "samples refused"
            );
        }
    }
}

/// Has the log tell of what somebody outside has brought about.
fn report(answer: &Answer, now: Moment) {
    match answer {
        Answer::Alert(alert) => {
            let Alert { id, rule_id, message, .. } = alert;
            let (alert_id, severity) = (&**id, alert.severity.name());
            if alert.state == State::Resolved {
                tracing::info!(name: "alert_resolved", alert_id, rule_id, severity, "alert resolved");
            } else if alert.starts_at == now.wall {
                let text = message.as_str();
                tracing::warn!(name: "alert_fired", alert_id, rule_id, severity, text, "alert fired");
            }
        }
        Answer::Task(task) => {
            tracing::debug!(task_id = &*task.id, status = task.status.name(), "task changed");
        }
        Answer::Done => {}
    }
}
