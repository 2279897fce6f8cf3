//! One collector's source on a thread where it may block, and a deadline for each of its calls.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use gz_monitor_sdk::{Host, Level, Reload};
use serde_json::{Map, Value as Json};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_blocking};

use super::Settings;
use super::ending::{self, Alive};
use crate::clock::Clock;
use crate::plugin::{Failure, PluginHost, Source};
use crate::sample::{Batch, BatchBuilder, Outcome, Rejected, Sample};

/// Owns a source, or waits for the thread that has it.
pub struct Worker {
    settings: Settings,
    plugins: Arc<PluginHost>,
    host: Host,
    /// Told when the source asks for a collection.
    requests: Arc<Notify>,
    starts: Arc<AtomicU64>,
    alive: Arc<Alive>,
    state: State,
}

enum State {
    Idle(Box<Parts>),
    /// The call has passed its deadline; nothing can stop it, but nobody waits for it either.
    Overdue(JoinHandle<(Box<Parts>, Ended)>),
    /// The thread of a call was lost.
    Lost,
}

/// What a call needs on its thread.
struct Parts {
    collector: String,
    source: Option<Box<dyn Source>>,
    builder: BatchBuilder,
    alive: Arc<Alive>,
}

/// What a call brought.
struct Ended {
    duration: Duration,
    samples: Vec<Sample>,
    rejected: Rejected,
    outcome: Outcome,
}

impl Worker {
    /// A worker by itself.
    pub fn alone(settings: Settings, plugins: Arc<PluginHost>) -> Self {
        Self::new(settings, plugins, ending::pair().0)
    }

    /// A worker that makes its source when it first collects. What may use the source has `alive`.
    pub(super) fn new(settings: Settings, plugins: Arc<PluginHost>, alive: Alive) -> Self {
        let requests = Arc::default();
        let host = host(&settings, &requests);
        let (starts, alive) = (Arc::default(), Arc::new(alive));
        let state = State::Idle(Box::new(Parts::new(&settings, &alive)));
        Self { settings, plugins, host, requests, starts, alive, state }
    }

    /// Collects once. Returns when the collection has ended or its deadline has passed.
    pub async fn collect(&mut self, clock: Clock) -> Batch {
        let Ended { duration, samples, rejected, outcome } = self.call(clock).await;
        let collector = self.settings.name.as_str().into();
        Batch { collector, at: clock.now(), duration, samples, rejected, outcome, broken: false }
    }

    /// Told when the source asks for a collection; several times before one count as one.
    pub(super) fn requests(&self) -> Arc<Notify> {
        self.requests.clone()
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    /// The configuration in force.
    pub(super) fn config(&self) -> &Map<String, Json> {
        &self.settings.config
    }

    /// Has the source take a new configuration. What does not is made anew with it at the next
    /// collection, and so is what does not answer within the deadline.
    ///
    /// # Errors
    /// Why the old configuration stays in force.
    pub(super) async fn reload(&mut self, config: Map<String, Json>) -> Result<(), String> {
        let (collector, deadline) = (self.settings.name.clone(), self.settings.deadline);
        match std::mem::replace(&mut self.state, State::Lost) {
            State::Idle(mut parts) => {
                let asked = config.clone();
                self.host.set_cancelled(false);
                let call = spawn_blocking(move || {
                    let result = parts.reload(&asked);
                    (parts, result)
                });
                match tokio::time::timeout(deadline, call).await {
                    Ok(Ok((parts, result))) => {
                        self.state = State::Idle(parts);
                        result?;
                    }
                    Ok(Err(error)) => tracing::error!(collector, %error, "its thread was lost"),
                    Err(_) => {
                        tracing::warn!(collector, "reload passed its deadline; it starts anew");
                        self.abandon();
                    }
                }
            }
            // It hangs, and cannot be asked.
            State::Overdue(_) => self.abandon(),
            State::Lost => {}
        }
        self.settings.config = config;
        Ok(())
    }

    /// Ends the source, if there is one; the next collection makes it anew.
    pub(super) fn let_go(&mut self) {
        self.state = State::Idle(self.fresh_parts());
    }

    /// Gives up on whatever still runs; what comes of it is nobody's.
    fn abandon(&mut self) {
        self.host.set_cancelled(true);
        self.host = host(&self.settings, &self.requests);
        self.state = State::Idle(self.fresh_parts());
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

    fn fresh_parts(&self) -> Box<Parts> {
        Box::new(Parts::new(&self.settings, &self.alive))
    }

    fn spawn(&self, mut parts: Box<Parts>, clock: Clock) -> JoinHandle<(Box<Parts>, Ended)> {
        let (settings, plugins) = (self.settings.clone(), self.plugins.clone());
        let (host, starts) = (self.host.clone(), self.starts.clone());
        spawn_blocking(move || {
            let started = Instant::now();
            let result = parts.collect(&settings, &plugins, host, starts);
            let (samples, rejected) = parts.builder.take(clock.now().wall);
            let outcome = match result {
                Ok(()) => Outcome::Ok,
                Err(Failure::Permanent(text)) => Outcome::Stopped(text),
                Err(Failure::Absent(text)) => Outcome::Absent(text),
                Err(Failure::Transient(text)) => Outcome::Failed(text),
                Err(Failure::Poisoned(text)) => {
                    parts.end();
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

impl Drop for Parts {
    /// Happens on any thread, and the end of a source may take its time.
    fn drop(&mut self) {
        let Some(source) = self.source.take() else { return };
        let (collector, alive) = (std::mem::take(&mut self.collector), self.alive.clone());
        if let Ok(runtime) = Handle::try_current() {
            // A runtime that ends runs nothing more: the source is dropped, and ends at once.
            drop(runtime.spawn_blocking(move || {
                end(&collector, source);
                drop(alive);
            }));
        }
    }
}

impl Parts {
    fn new(settings: &Settings, alive: &Arc<Alive>) -> Self {
        let (collector, builder) = (settings.name.clone(), settings.builder());
        Self { collector, source: None, builder, alive: alive.clone() }
    }

    fn reload(&mut self, config: &Map<String, Json>) -> Result<(), String> {
        let Some(source) = &mut self.source else { return Ok(()) };
        match source.reload(config) {
            Ok(Reload::Done) => {}
            Ok(Reload::Restart) => self.end(),
            Err(Failure::Poisoned(error)) => {
                tracing::warn!(collector = self.collector, error, "reload failed; it starts anew");
                self.end();
            }
            Err(failure) => return Err(failure.to_string()),
        }
        Ok(())
    }

    /// Ends the source, if there is one; may block.
    fn end(&mut self) {
        if let Some(source) = self.source.take() {
            end(&self.collector, source);
        }
    }

    fn collect(
        &mut self,
        settings: &Settings,
        plugins: &PluginHost,
        host: Host,
        starts: Arc<AtomicU64>,
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
                let context = settings.context(host, starts);
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

/// Ends a source in good order; may block.
fn end(collector: &str, mut source: Box<dyn Source>) {
    if let Err(error) = source.end() {
        tracing::warn!(collector, %error, "collector did not end well");
    }
}

fn host(settings: &Settings, requests: &Arc<Notify>) -> Host {
    let (name, root) = (settings.name.clone(), settings.root.clone());
    let requests = requests.clone();
    let request = move || requests.notify_one();
    Host::with_requests(root, move |level, text| log(&name, level, text), request)
}

fn log(collector: &str, level: Level, text: &str) {
    match level {
        Level::Error => tracing::error!(collector, text, "collector says"),
        Level::Warn => tracing::warn!(collector, text, "collector says"),
        Level::Info => tracing::info!(collector, text, "collector says"),
        Level::Debug => tracing::debug!(collector, text, "collector says"),
    }
}
