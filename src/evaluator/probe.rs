//! Whether the evaluation gets on: asked of its task, which answers unless a round stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};

/// Asks the evaluator's task.
#[derive(Clone)]
pub struct Probe(mpsc::Sender<oneshot::Sender<()>>);

/// What is asked of the task.
pub(super) struct Asked(mpsc::Receiver<oneshot::Sender<()>>);

/// Beats while a round gets on: with every rule, and within a rule whenever its evaluation looks
/// whether its time is over. A round of many rules may take longer than the watchdog waits.
#[derive(Clone, Default)]
pub(super) struct Pulse(Arc<AtomicBool>);

pub(super) fn channel() -> (Probe, Asked) {
    let (sender, receiver) = mpsc::channel(1);
    (Probe(sender), Asked(receiver))
}

impl Probe {
    /// Whether it has answered; waits for as long as it does not.
    pub async fn is_answered(&self) -> bool {
        let (reply, answered) = oneshot::channel();
        self.0.send(reply).await.is_ok() && answered.await.is_ok()
    }
}

impl Pulse {
    pub(super) fn beat(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Asked {
    /// Waits for `work`, and answers meanwhile.
    pub(super) async fn answer_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        self.answer(|| true, work).await
    }

    /// Waits for `work`, and answers meanwhile if it has got on since the last question.
    pub(super) async fn answer_while_beating<T>(
        &mut self,
        pulse: &Pulse,
        work: impl Future<Output = T>,
    ) -> T {
        self.answer(|| pulse.take(), work).await
    }

    async fn answer<T>(&mut self, is_well: impl Fn() -> bool, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                Some(reply) = self.0.recv() => {
                    if is_well() {
                        // Whoever asked may have gone.
                        let _ = reply.send(());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_round_that_stands_still_does_not_answer() {
        let (probe, mut asked) = channel();
        let pulse = Pulse::default();
        let (end, ended) = oneshot::channel::<()>();
        let beating = pulse.clone();
        let round = tokio::spawn(async move { asked.answer_while_beating(&pulse, ended).await });
        assert!(!probe.is_answered().await, "it has not begun");
        beating.beat();
        assert!(probe.is_answered().await, "it has got on");
        assert!(!probe.is_answered().await, "and no further");
        end.send(()).expect("it waits");
        round.await.expect("no panic").expect("told");
    }

    #[tokio::test]
    async fn between_rounds_it_answers_always_and_after_its_end_never() {
        let (probe, mut asked) = channel();
        let pause =
            tokio::spawn(async move { asked.answer_during(std::future::pending::<()>()).await });
        assert!(probe.is_answered().await);
        assert!(probe.is_answered().await);
        pause.abort();
        assert!(!probe.is_answered().await);
    }
}
