//! All that decides how one collector runs, with every default filled in.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use gz_monitor_sdk::Host;
use serde_json::{Map, Value as Json};

use super::config::{COMMAND, NonFinite};
use super::{Config, Event, Instance};
use crate::plugin::process::Wanted;
use crate::plugin::{Capabilities, Context, Isolation};
use crate::sample::{BatchBuilder, Limits};

/// All that decides how one collector runs. Two that are equal run alike: a reload leaves it alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What the collector is called.
    pub name: String,
    pub plugin: String,
    pub interval: Duration,
    pub(super) jitter: Duration,
    pub(super) deadline: Duration,
    pub(super) backoff_max: Duration,
    pub(super) max_failures: u32,
    pub root: PathBuf,
    pub config: Map<String, Json>,
    isolation: Isolation,
    wanted: Wanted,
    /// Which make of the plugin it is.
    revision: u64,
    labels: Vec<(String, String)>,
    limits: Limits,
}

impl Settings {
    /// What `instance` says, else what suits its plugin, else what holds for all.
    pub fn resolve(
        instance: &Instance,
        all: &Config,
        suggested: Option<Duration>,
        revision: u64,
    ) -> Self {
        let interval = instance.interval.map(|interval| *interval).or(suggested);
        let Config { max_samples, max_labels, max_text, max_clock_skew, .. } = *all;
        Self {
            name: instance.name().to_owned(),
            plugin: instance.plugin().to_owned(),
            interval: interval.unwrap_or(*all.interval),
            jitter: *instance.jitter.unwrap_or(all.jitter),
            deadline: *instance.deadline.unwrap_or(all.deadline),
            backoff_max: *all.backoff_max,
            max_failures: all.max_failures,
            root: all.root.clone(),
            config: instance.plugin_config(),
            isolation: instance.isolation,
            wanted: Wanted {
                capabilities: Capabilities::of_names(&instance.capabilities),
                credentials: instance.credentials.clone(),
            },
            revision,
            labels: instance.labels.clone().into_iter().collect(),
            limits: Limits {
                samples: max_samples,
                labels: max_labels,
                text: max_text,
                clock_skew: *max_clock_skew,
                keeps_non_finite: instance.non_finite.unwrap_or(all.non_finite) == NonFinite::Keep,
            },
        }
    }

    /// What its child is lent; `None` if it runs in the daemon.
    pub fn lent_to_child(&self) -> Option<&Wanted> {
        let is_library = self.revision != 0 && self.isolation == Isolation::Process;
        (self.plugin == COMMAND || is_library).then_some(&self.wanted)
    }

    /// Whether nothing but the plugin's own configuration differs.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        *self == Self { config: self.config.clone(), ..other.clone() }
    }

    /// That a collector is about to run so.
    pub(super) fn started(&self) -> Event {
        Event::Started {
            collector: self.name.as_str().into(),
            plugin: self.plugin.clone(),
            interval: self.interval,
        }
    }

    /// What a source is made for, that was started `starts` times before.
    pub fn context(&self, host: Host, starts: Arc<AtomicU64>) -> Context {
        Context {
            name: self.name.clone(),
            host,
            // What keeps to a deadline by itself ends a little before ours, and can still tell of it.
            deadline: self.deadline.mul_f64(0.9),
            isolation: self.isolation,
            wanted: self.wanted.clone(),
            max_samples: self.limits.samples,
            starts,
        }
    }

    /// What takes its samples.
    pub fn builder(&self) -> BatchBuilder {
        BatchBuilder::new(self.labels.clone(), self.limits)
    }
}
