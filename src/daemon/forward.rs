//! From the scheduler to the pipeline, with a line of the log where a collector takes a turn.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::pipeline::{Handle, Input};
use crate::sample::Batch;
use crate::scheduler::Event;

/// Passes on what the scheduler tells, until either end is gone.
pub(super) async fn forward(mut events: mpsc::Receiver<Event>, pipeline: Handle) {
    let mut turns = Turns::default();
    while let Some(event) = events.recv().await {
        let input = match event {
            Event::Started { collector, plugin, interval } => {
                Input::Expect { collector, plugin, interval }
            }
            Event::Ended(batch) => {
                turns.look(&batch);
                Input::Batch(Box::new(batch))
            }
            Event::Reloaded { collector, refused } => Input::Reloaded { collector, refused },
            Event::Removed { collector } => {
                turns.0.remove(&collector);
                Input::Forget { collector }
            }
            Event::Probe(reply) => {
                // Whoever asked may have gone.
                let _ = reply.send(());
                continue;
            }
        };
        if pipeline.send(input).await.is_err() {
            return;
        }
    }
}

/// The collectors that do not work, and whether each is broken.
#[derive(Default)]
struct Turns(BTreeMap<Arc<str>, bool>);

impl Turns {
    /// Each failure is told by the scheduler already; the turns are told here.
    fn look(&mut self, Batch { collector, outcome, broken, .. }: &Batch) {
        let name = &**collector;
        if !outcome.is_failure() {
            if self.0.remove(collector).is_some() {
                tracing::info!(name: "collector_recovered", collector = name, "collector works again");
            }
            return;
        }
        let was_broken = self.0.insert(collector.clone(), *broken).unwrap_or(false);
        if *broken && !was_broken {
            let text = "collector is broken: it is tried only now and then";
            tracing::warn!(name: "collector_broken", collector = name, "{text}");
        }
    }
}
