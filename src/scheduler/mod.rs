//! Runs each collector on its own cadence and keeps the bad ones in quarantine.

mod cadence;
mod config;
mod controls;
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

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::plugin::PluginHost;
use crate::sample::Batch;
use runner::Runner;

/// What the scheduler tells whoever listens.
#[derive(Debug)]
pub enum Event {
    /// A collector is about to run.
    Started { collector: Arc<str>, plugin: String, interval: Duration },
    /// A collection has ended.
    Ended(Batch),
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
    running: BTreeMap<String, (Settings, JoinHandle<()>)>,
}

impl Scheduler {
    /// A scheduler that runs nothing yet, and can be reached through `controls`.
    pub fn new(
        plugins: Arc<PluginHost>,
        events: mpsc::Sender<Event>,
        clock: Clock,
        controls: Controls,
    ) -> Self {
        Self { plugins, events, clock, controls, running: BTreeMap::new() }
    }

    /// Asks whether events get through.
    pub fn probe(&self) -> Probe {
        Probe(self.events.clone())
    }

    /// Runs just these collectors: those that run with the same settings already are not touched.
    pub async fn apply(&mut self, wanted: Vec<Settings>) {
        let unchanged = |name: &str, settings: &Settings| {
            wanted.iter().any(|wanted| wanted.name == name && wanted == settings)
        };
        let gone: Vec<String> = self
            .running
            .iter()
            .filter(|(name, (settings, _))| !unchanged(name, settings))
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            self.stop(&name).await;
        }
        for settings in wanted {
            if !self.running.contains_key(&settings.name) {
                self.start(settings).await;
            }
        }
    }

    async fn start(&mut self, settings: Settings) {
        let started = Event::Started {
            collector: settings.name.as_str().into(),
            plugin: settings.plugin.clone(),
            interval: settings.interval,
        };
        // Nobody listens any more only when the daemon stops.
        let _ = self.events.send(started).await;
        let control = self.controls.add(&settings.name);
        let runner = Runner {
            settings: settings.clone(),
            plugins: self.plugins.clone(),
            events: self.events.clone(),
            clock: self.clock,
            control,
        };
        self.running.insert(settings.name.clone(), (settings, tokio::spawn(runner.run())));
    }

    async fn stop(&mut self, name: &str) {
        let Some((_, task)) = self.running.remove(name) else { return };
        self.controls.remove(name);
        task.abort();
        // Only after its end is it sure that no batch follows.
        let _ = task.await;
        let _ = self.events.send(Event::Removed { collector: name.into() }).await;
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.running.values().for_each(|(_, task)| task.abort());
    }
}
