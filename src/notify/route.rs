//! A route as it is followed: its conditions, its times, and the group that an alert falls into.

use std::time::Duration;

use super::{Config, Labels, Notice, RouteConfig};
use crate::alert::Matcher;
use crate::severity::Severity;

/// In `group_by`: every label.
pub const ALL_LABELS: &str = "...";

/// A route.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) key: String,
    pub(super) channels: Vec<String>,
    matchers: Vec<Matcher>,
    severity: Severity,
    goes_on: bool,
    group_by: Vec<String>,
    pub(super) times: Times,
    pub(super) escalate_to: Vec<String>,
}

/// When a group is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) wait: Duration,
    pub(super) interval: Duration,
    pub(super) repeat: Duration,
    pub(super) escalate: Option<Duration>,
}

impl Route {
    /// Those of a configuration that was found valid; one for all if there is none.
    pub(super) fn all(config: &Config) -> Vec<Self> {
        if config.route.is_empty() {
            let channels = config.channel.keys().cloned().collect();
            return vec![Self::new(&RouteConfig::to(channels), config)];
        }
        config.route.iter().map(|route| Self::new(route, config)).collect()
    }

    fn new(route: &RouteConfig, config: &Config) -> Self {
        let escalates = !route.escalate_to.is_empty();
        Self {
            key: route.key(),
            channels: route.channels.clone(),
            matchers: route.matches.iter().filter_map(|text| text.parse().ok()).collect(),
            severity: route.severity,
            goes_on: route.goes_on,
            group_by: route.group_by.clone(),
            times: Times {
                wait: *route.group_wait.unwrap_or(config.group_wait),
                interval: *route.group_interval.unwrap_or(config.group_interval),
                repeat: *route.repeat_interval.unwrap_or(config.repeat_interval),
                escalate: route.escalate_after.map(|after| *after).filter(|_| escalates),
            },
            escalate_to: route.escalate_to.clone(),
        }
    }

    fn fits(&self, alert: &Notice) -> bool {
        let label = |name: &str| Some(alert.label(name));
        let holds = |matcher: &Matcher| matcher.holds(label, alert.severity);
        alert.severity >= self.severity && self.matchers.iter().all(holds)
    }

    /// What the alerts of a group have in common.
    pub(super) fn labels(&self, alert: &Notice) -> Labels {
        if self.group_by.iter().any(|name| name == ALL_LABELS) {
            return alert.all_labels();
        }
        let value = |name: &String| (name.clone(), alert.label(name).to_owned());
        self.group_by.iter().map(value).collect()
    }

    /// What tells a group from all others.
    pub(super) fn group_key(&self, labels: &Labels) -> String {
        let labels = serde_json::to_string(labels).unwrap_or_default();
        format!("{}/{labels}", self.key)
    }
}

/// The routes that take an alert, by their places.
pub(super) fn of_alert<'a>(
    routes: &'a [Route],
    alert: &Notice,
) -> impl Iterator<Item = &'a Route> + use<'a> {
    let fitting: Vec<&Route> = routes.iter().filter(|route| route.fits(alert)).collect();
    let last = fitting.iter().position(|route| !route.goes_on).unwrap_or(fitting.len());
    fitting.into_iter().take(last + 1)
}
