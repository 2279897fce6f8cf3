//! Runs each collector on its own cadence and keeps the bad ones in quarantine.

mod cadence;
mod config;
mod controls;
mod ending;
mod probe;
mod quarantine;
mod runner;
mod settings;
mod worker;

pub use cadence::Cadence;
pub use config::{Config, Instance};
pub use controls::{Controls, NotRunning};
pub use probe::Probe;
pub use settings::Settings;
pub use worker::Worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::plugin::PluginHost;
use crate::sample::Batch;
use ending::Gone;
use runner::Runner;

/// What the scheduler tells whoever listens.
#[derive(Debug)]
pub enum Event {
    /// A collector is about to run.
    Started { collector: Arc<str>, plugin: String, interval: Duration },
    /// A collection has ended.
    Ended(Batch),
    /// A collector was given a new configuration, and why the old one stays in force, if it does.
    Reloaded { collector: Arc<str>, refused: Option<String> },
    /// A collector is gone.
    Removed { collector: Arc<str> },
    /// Somebody wants to know whether events get through.
    Probe(oneshot::Sender<()>),
}

/// One task per collector.
pub struct Scheduler {
    plugins: Arc<PluginHost>,
    events: mpsc::Sender<Event>,
    clock: Clock,
    controls: Controls,
    running: BTreeMap<String, Running>,
    /// Of collectors that run no more, but whose sources may still be ending.
    leaving: Vec<Gone>,
}

/// The task of one collector.
struct Running {
    /// What it is to run by; dropped, it ends.
    settings: watch::Sender<Settings>,
    task: JoinHandle<Option<Gone>>,
}

impl Scheduler {
    /// A scheduler that runs nothing yet, and can be reached through `controls`.
    pub fn new(
        plugins: Arc<PluginHost>,
        events: mpsc::Sender<Event>,
        clock: Clock,
        controls: Controls,
    ) -> Self {
        Self { plugins, events, clock, controls, running: BTreeMap::new(), leaving: Vec::new() }
    }

    /// Asks whether events get through.
    pub fn probe(&self) -> Probe {
        Probe(self.events.clone())
    }

    /// Runs just these collectors: those that run with the same settings already are not touched,
    /// those that run with others are told the new ones.
    pub async fn apply(&mut self, wanted: Vec<Settings>) {
        let is_wanted = |name: &str| wanted.iter().any(|wanted| wanted.name == name);
        let names = self.running.keys();
        let gone: Vec<String> = names.filter(|name| !is_wanted(name)).cloned().collect();
        for name in gone {
            self.remove(&name).await;
        }
        for settings in wanted {
            match self.running.get(&settings.name) {
                None => self.start(settings).await,
                Some(running) => {
                    // Told here, so that it is known when this returns. Its series stay until it
                    // brings others.
                    let is_anew = !running.settings.borrow().is_like(&settings);
                    if is_anew {
                        let _ = self.events.send(settings.started()).await;
                    }
                    running.settings.send_if_modified(|present| {
                        let is_changed = *present != settings;
                        *present = settings;
                        is_changed
                    });
                }
            }
        }
        self.leaving.retain(|gone| !gone.is_over());
    }

    /// Ends all collectors in good order: their sources have the time that they need for it, but not
    /// much. Nothing is told of it.
    pub async fn end(&mut self) {
        let running = std::mem::take(&mut self.running);
        // All of them are told before the first is waited for.
        let (senders, tasks): (Vec<_>, Vec<_>) =
            running.into_values().map(|Running { settings, task }| (settings, task)).unzip();
        drop(senders);
        for task in tasks {
            self.leaving.extend(task.await.ok().flatten());
        }
        futures_util::future::join_all(self.leaving.drain(..).map(Gone::wait)).await;
    }

    /// Stops these, so that the next [`Scheduler::apply`] starts them anew.
    pub async fn release(&mut self, names: &[String]) {
        for name in names {
            self.remove(name).await;
        }
    }

    async fn start(&mut self, settings: Settings) {
        // Nobody listens any more only when the daemon stops.
        let _ = self.events.send(settings.started()).await;
        let (sender, receiver) = watch::channel(settings.clone());
        let runner = Runner {
            settings: receiver,
            plugins: self.plugins.clone(),
            events: self.events.clone(),
            clock: self.clock,
            control: self.controls.add(&settings.name),
        };
        let running = Running { settings: sender, task: tokio::spawn(runner.run()) };
        self.running.insert(settings.name, running);
    }

    async fn remove(&mut self, name: &str) {
        let Some(Running { settings, task }) = self.running.remove(name) else { return };
        self.controls.remove(name);
        drop(settings);
        // Only after its end is it sure that no batch follows.
        self.leaving.extend(task.await.ok().flatten());
        let _ = self.events.send(Event::Removed { collector: name.into() }).await;
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.running.values().for_each(|running| running.task.abort());
    }
}
