//! The plugins of a daemon: the built-in ones, and those that look at the daemon itself.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::looking::{Looking, Running};
use super::tokens;
use super::{internal, recording};
use crate::config::{self, Checks, Config, Loaded, Problems, Sources};
use crate::persist::Vitals;
use crate::plugin::{INTERNAL, PluginHost, RECORDING_RULES};
use crate::scheduler::{Instance, Settings};
use crate::server::{App, Certificate};

/// The plugins of a daemon. Made before it, because its configuration is checked against them.
#[derive(Clone)]
pub struct Plugins {
    host: Arc<PluginHost>,
    running: Running,
}

impl Default for Plugins {
    fn default() -> Self {
        let (host, running) = (PluginHost::with_builtins(), Arc::default());
        let internal = Looking {
            running: Running::clone(&running),
            summary: "The daemon itself: clients, messages, requests, collectors",
            make: internal::source,
        };
        let recording = Looking {
            running: Running::clone(&running),
            summary: "The series of [[alerts.record]] and of recording rules in alerts.d",
            make: recording::source,
        };
        host.add(INTERNAL, Arc::new(internal));
        host.add(RECORDING_RULES, Arc::new(recording));
        Self { host: Arc::new(host), running }
    }
}

impl Plugins {
    /// The plugins by name.
    pub fn host(&self) -> Arc<PluginHost> {
        self.host.clone()
    }

    /// The collectors that a configuration means: every plugin of our own that has something to do,
    /// as the configuration changes it, and what it adds to them.
    pub fn collectors(&self, config: &Config) -> Vec<Instance> {
        let is_named = |name: &str| config.collector.iter().any(|c| c.name() == name);
        let stock = self.host.all().into_iter().filter(|(_, plugin)| plugin.is_stock());
        let records = !config.alerts.record.is_empty();
        let stock = stock.filter(|(name, _)| records || name != RECORDING_RULES);
        let stock = stock.filter(|(name, _)| !is_named(name)).map(|(name, _)| Instance::of(&name));
        stock.chain(config.collector.iter().cloned()).collect()
    }

    /// How a collector runs under a configuration.
    pub fn settings(&self, instance: &Instance, config: &Config) -> Settings {
        let plugin = self.host.get(instance.plugin());
        let suggested = plugin.as_ref().and_then(|plugin| plugin.interval());
        let revision = plugin.map_or(0, |plugin| plugin.revision());
        Settings::resolve(instance, &config.collectors, suggested, revision)
    }

    /// Shows the daemon to the plugin that looks at it.
    pub(super) fn bind(&self, app: App, storage: Arc<Vitals>) {
        // A second daemon in one process would look at the first; there is none.
        let _ = self.running.set((app, storage));
    }

    /// Reads, merges and checks a configuration against these plugins, and those in its folders.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(&self, sources: &Sources) -> Result<Loaded, Problems> {
        self.with_checks(|checks| config::load(sources, checks))
    }

    /// Calls `check` with what a configuration must agree with.
    pub fn with_checks<T>(&self, check: impl FnOnce(&Checks<'_>) -> T) -> T {
        let discover = |config: &Config| {
            self.host.discover(&config.plugins.folders);
        };
        let known_plugins = || self.host.all().into_iter().map(|(name, _)| name).collect();
        let why_missing = |plugin: &str| self.host.why_missing(plugin);
        let plugin_config = |plugin: &str, config: &Map<String, Json>| {
            self.host.get(plugin).map_or(Ok(()), |plugin| plugin.check(config))
        };
        check(&Checks {
            discover: &discover,
            known_plugins: &known_plugins,
            why_missing: &why_missing,
            plugin_config: &plugin_config,
            certificate: &|tls| Certificate::load(tls, Timestamp::now()).map(drop),
            tokens: &|config| {
                let tokens = tokens::load(config)?.tokens.unwrap_or_default();
                let now = Timestamp::now();
                Ok(tokens.iter().filter(|token| !token.is_over(now)).count())
            },
        })
    }
}
