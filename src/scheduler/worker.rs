//! One collector's source on a thread where it may block, and a deadline for each of its calls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gz_monitor_sdk::{Host, Level};
use tokio::task::JoinHandle;

use super::Settings;
use crate::clock::Clock;
use crate::plugin::{Context, Failure, PluginHost, Source};
use crate::sample::{Batch, BatchBuilder, Outcome, Rejected, Sample};

/// Owns a source, or waits for the thread that has it.
pub struct Worker {
    settings: Settings,
    plugins: Arc<PluginHost>,
    host: Host,
    state: State,
}

enum State {
    Idle(Parts),
    /// The call has passed its deadline; nothing can stop it, but nobody waits for it either.
    Overdue(JoinHandle<(Parts, Ended)>),
    /// The thread of a call was lost.
    Lost,
}

/// What a call needs on its thread.
struct Parts {
    source: Option<Box<dyn Source>>,
    builder: BatchBuilder,
}

/// What a call brought.
struct Ended {
    duration: Duration,
    samples: Vec<Sample>,
    rejected: Rejected,
    outcome: Outcome,
}

impl Worker {
    /// A worker that makes its source when it first collects.
    pub fn new(settings: Settings, plugins: Arc<PluginHost>) -> Self {
        let (name, root) = (settings.name.clone(), settings.root.clone());
        let host = Host::new(root, move |level, text| log(&name, level, text));
        let parts = Parts { source: None, builder: settings.builder() };
        Self { settings, plugins, host, state: State::Idle(parts) }
    }

    /// Collects once. Returns when the collection has ended or its deadline has passed.
    pub async fn collect(&mut self, clock: Clock) -> Batch {
        let Ended { duration, samples, rejected, outcome } = self.call(clock).await;
        let collector = self.settings.name.as_str().into();
        Batch { collector, at: clock.now(), duration, samples, rejected, outcome, broken: false }
    }

    async fn call(&mut self, clock: Clock) -> Ended {
        let parts = match std::mem::replace(&mut self.state, State::Lost) {
            State::Idle(parts) => parts,
            State::Overdue(call) if call.is_finished() => match call.await {
                // Its samples are of a time long past; the source is as good as before.
                Ok((parts, _)) => parts,
                Err(_) => self.fresh_parts(),
            },
            State::Overdue(call) => {
                self.state = State::Overdue(call);
                return Ended::without_samples(Duration::ZERO, Outcome::TimedOut);
            }
            State::Lost => self.fresh_parts(),
        };
        self.host.set_cancelled(false);
        let mut call = self.spawn(parts, clock);
        let deadline = self.settings.deadline;
        match tokio::time::timeout(deadline, &mut call).await {
            Ok(Ok((parts, ended))) => {
                self.state = State::Idle(parts);
                ended
            }
            Ok(Err(lost)) => {
                let outcome = Outcome::Failed(format!("its thread was lost: {lost}"));
                Ended::without_samples(Duration::ZERO, outcome)
            }
            Err(_) => {
                self.host.set_cancelled(true);
                self.state = State::Overdue(call);
                Ended::without_samples(deadline, Outcome::TimedOut)
            }
        }
    }

    fn fresh_parts(&self) -> Parts {
        Parts { source: None, builder: self.settings.builder() }
    }

    fn spawn(&self, mut parts: Parts, clock: Clock) -> JoinHandle<(Parts, Ended)> {
        let (settings, plugins, host) =
            (self.settings.clone(), self.plugins.clone(), self.host.clone());
        tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            let result = parts.collect(&settings, &plugins, host);
            let (samples, rejected) = parts.builder.take(clock.now().wall);
            let outcome = match result {
                Ok(()) => Outcome::Ok,
                Err(Failure::Permanent(text)) => Outcome::Stopped(text),
                Err(Failure::Absent(text)) => Outcome::Absent(text),
                Err(Failure::Transient(text)) => Outcome::Failed(text),
                Err(Failure::Poisoned(text)) => {
                    parts.source = None;
                    Outcome::Failed(text)
                }
            };
            (parts, Ended { duration: started.elapsed(), samples, rejected, outcome })
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.host.set_cancelled(true);
    }
}

impl Parts {
    fn collect(
        &mut self,
        settings: &Settings,
        plugins: &PluginHost,
        host: Host,
    ) -> Result<(), Failure> {
        let source = match &mut self.source {
            Some(source) => source,
            None => {
                let plugin = &settings.plugin;
                let factory = plugins.get(plugin);
                let factory = factory.ok_or_else(|| {
                    let why = plugins.why_missing(plugin).map(|why| format!(": {why}"));
                    let why = why.unwrap_or_default();
                    Failure::Permanent(format!("there is no plugin {plugin:?}{why}"))
                })?;
                // What keeps to a deadline by itself ends a little before ours, and can still tell of it.
                let deadline = settings.deadline.mul_f64(0.9);
                let (name, isolation) = (settings.name.clone(), settings.isolation);
                let context = Context { name, host, deadline, isolation };
                self.source.insert(factory.make(&settings.config, context)?)
            }
        };
        source.collect(&mut self.builder)
    }
}

impl Ended {
    fn without_samples(duration: Duration, outcome: Outcome) -> Self {
        Self { duration, samples: Vec::new(), rejected: Rejected::default(), outcome }
    }
}

fn log(collector: &str, level: Level, text: &str) {
    match level {
        Level::Error => tracing::error!(collector, text, "collector says"),
        Level::Warn => tracing::warn!(collector, text, "collector says"),
        Level::Info => tracing::info!(collector, text, "collector says"),
        Level::Debug => tracing::debug!(collector, text, "collector says"),
    }
}
