//! The task that applies inputs one by one, and the handle by which others reach it.

use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot, watch};

use super::step::Outcome;
use super::{Command, Input, Kept, Limits, Pipeline, Step, told};
use crate::alert::Alert;
use crate::clock::Clock;
use crate::hub::{Cursor, Hub, TypeSet};
use crate::sample::Moment;
use crate::store::{History, Notice};

/// Reads the state, sends inputs and knows the stream. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    state: Arc<RwLock<Applied>>,
    inputs: mpsc::Sender<Envelope>,
    settled: Arc<watch::Sender<u64>>,
    pub hub: Arc<Hub>,
    pub clock: Clock,
}

/// The pipeline has ended, which it does only when the daemon stops.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the daemon is stopping")]
pub struct Closed;

/// The state, and the number of the step that it is the result of.
struct Applied {
    pipeline: Pipeline,
    step: u64,
}

/// What waits for the pipeline.
pub enum Envelope {
    /// An input, with the place for its answer.
    Input(Box<Input>, Option<oneshot::Sender<Outcome>>),
    /// Somebody wants to know that all before this is applied.
    Probe(oneshot::Sender<()>),
    /// Everything that came before this is to be done, and nothing after it.
    End,
}

impl Handle {
    /// A handle, and the queue to give to [`run`], which holds at most `queue` inputs. The pipeline
    /// has what was `kept`.
    pub fn new(
        limits: &Limits,
        kept: Kept,
        queue: usize,
        hub: Arc<Hub>,
        clock: Clock,
    ) -> (Self, mpsc::Receiver<Envelope>) {
        let (inputs, receiver) = mpsc::channel(queue);
        let mut pipeline = Pipeline::new(limits);
        pipeline.restore(kept.records, clock.now());
        pipeline.store.restore(&kept.recent);
        let applied = Applied { pipeline, step: 0 };
        let (state, settled) = (Arc::new(RwLock::new(applied)), Arc::new(watch::Sender::new(0)));
        (Self { state, inputs, settled, hub, clock }, receiver)
    }

    /// Sends an input, waiting while the queue is full.
    ///
    /// # Errors
    /// [`Closed`] when the daemon stops.
    pub async fn send(&self, input: Input) -> Result<(), Closed> {
        self.inputs.send(Envelope::Input(Box::new(input), None)).await.map_err(|_| Closed)
    }

    /// Sends an input if there is room for it; gives it back if there is none.
    pub fn try_send(&self, input: Input) -> Option<Input> {
        match self.inputs.try_reserve() {
            Ok(place) => {
                place.send(Envelope::Input(Box::new(input), None));
                None
            }
            Err(_) => Some(input),
        }
    }

    /// Has a command carried out; the answer comes when it is stored and its message published.
    ///
    /// # Errors
    /// [`Closed`] when the daemon stops.
    pub async fn command(&self, command: Command) -> Result<Outcome, Closed> {
        let (reply, answer) = oneshot::channel();
        let envelope = Envelope::Input(Box::new(Input::Command(command)), Some(reply));
        self.inputs.send(envelope).await.map_err(|_| Closed)?;
        answer.await.map_err(|_| Closed)
    }

    /// Returns when all that was sent before is applied.
    ///
    /// # Errors
    /// [`Closed`] when the daemon stops.
    pub async fn applied(&self) -> Result<(), Closed> {
        let (reply, answer) = oneshot::channel();
        let envelope = Envelope::Probe(reply);
        self.inputs.send(envelope).await.map_err(|_| Closed)?;
        answer.await.map_err(|_| Closed)
    }

    /// Ends the pipeline once what waits for it is done.
    pub async fn end(&self) {
        // One that has ended already need not be told.
        let _ = self.inputs.send(Envelope::End).await;
    }

    /// Looks at the state. The pipeline waits meanwhile: copy what is needed and return.
    pub fn read<T>(&self, look: impl FnOnce(&Pipeline, Moment) -> T) -> T {
        look(&self.state.read().pipeline, self.clock.now())
    }

    /// Looks at the history for a query, piece by piece. The pipeline waits for each.
    pub fn reader(&self) -> impl Fn(&mut dyn FnMut(&History)) {
        |look| self.read(|state, _| look(state.store.history()))
    }

    /// Looks at the state, and returns what was seen once all of it is stored and published: what
    /// a client was shown is not taken back by a crash.
    pub async fn read_settled<T>(&self, look: impl FnOnce(&Pipeline, Moment) -> T) -> T {
        let (seen, step) = {
            let state = self.state.read();
            (look(&state.pipeline, self.clock.now()), state.step)
        };
        self.until_settled(step).await;
        seen
    }

    /// Looks at the state and takes a cursor at the same place of the stream, so that what the
    /// cursor brings is exactly what happened after what was seen. Last comes the step that was
    /// seen; it is not to be shown before [`Handle::until_settled`].
    pub fn read_and_follow<T>(
        &self,
        look: impl FnOnce(&Pipeline, Moment) -> T,
    ) -> (T, Cursor, u64) {
        let state = self.state.read();
        (look(&state.pipeline, self.clock.now()), self.hub.cursor(), state.step)
    }

    /// Returns when a step is stored and published, or cannot be.
    pub async fn until_settled(&self, step: u64) {
        let mut settled = self.settled.subscribe();
        // The sender is ours, so that it cannot be gone.
        let _ = settled.wait_for(|settled| *settled >= step).await;
    }

    /// Says that a step, and all before it, are stored and published.
    pub fn settle(&self, step: u64) {
        self.settled.send_replace(step);
    }

    /// How many inputs wait.
    pub fn queued(&self) -> usize {
        self.inputs.max_capacity() - self.inputs.capacity()
    }

    /// Applies an input. The numbers of its messages are given under the lock: who reads the state
    /// sees the stream at the same place.
    fn apply(
        &self,
        input: Input,
        reply: Option<oneshot::Sender<Outcome>>,
    ) -> (Option<Step>, Vec<Notice>, Vec<Alert>) {
        let now = self.clock.now();
        let is_snapshot = matches!(input, Input::Snapshot);
        let wanted: TypeSet = self.hub.clients.wanted();
        let mut state = self.state.write();
        let (drafts, answer) = state.pipeline.apply(input, wanted, now);
        let messages = self.hub.number(drafts, now);
        state.pipeline.numbered(&messages);
        let (notices, told) = (state.pipeline.take_notices(), state.pipeline.take_told());
        let (tasks, alerts) =
            (state.pipeline.tasks.take_entries(), state.pipeline.alerts.take_entries());
        let answer = reply.map(|reply| (reply, answer));
        let snapshot = is_snapshot.then(|| state.pipeline.records());
        let is_nothing = messages.is_empty() && tasks.is_empty() && alerts.is_empty();
        if is_nothing && answer.is_none() && snapshot.is_none() {
            return (None, notices, told);
        }
        state.step += 1;
        let number = state.step;
        let seq = messages.last().map(|message| message.seq);
        let step = Step { number, at: now, messages, tasks, alerts, snapshot, seq, answer };
        (Some(step), notices, told)
    }
}

/// Applies inputs, and sends what each has brought about to whoever stores and publishes it, until
/// [`Handle::end`].
pub async fn run(handle: Handle, mut inputs: mpsc::Receiver<Envelope>, steps: mpsc::Sender<Step>) {
    while let Some(envelope) = inputs.recv().await {
        let (input, reply) = match envelope {
            Envelope::Input(input, reply) => (*input, reply),
            Envelope::Probe(reply) => {
                // Who asked may have gone.
                let _ = reply.send(());
                continue;
            }
            Envelope::End => return,
        };
        let (step, notices, told) = handle.apply(input, reply);
        notices.iter().for_each(told::notice);
        told.iter().for_each(told::alert);
        let Some(step) = step else { continue };
        if let Some((_, Ok(answer))) = &step.answer {
            told::answer(answer);
        }
        // The lock is not held meanwhile: storage may be slow.
        if steps.send(step).await.is_err() {
            return;
        }
    }
}
