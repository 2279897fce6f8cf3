//! Who is to be told of what, and when: alerts come in, notifications come out. It asks no clock.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::group::{Group, News};
use super::notice::Status;
use super::payload::{Kind, Payload};
use super::route::{self, Route};
use super::{Config, Notice};

/// The groups of all routes.
#[derive(Debug, Default)]
pub(super) struct Plan {
    routes: Vec<Route>,
    groups: BTreeMap<String, Group>,
    /// When somebody has to look at which group, and the same by the group.
    schedule: BTreeSet<(Timestamp, String)>,
    dues: BTreeMap<String, Timestamp>,
    /// The keys of groups that have changed since somebody asked.
    touched: BTreeSet<String>,
    /// The channels that are not told of what is resolved.
    unrelieved: BTreeSet<String>,
}

/// A notification and the channel that it is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Due {
    pub(super) channel: String,
    pub(super) payload: Payload,
}

impl Plan {
    pub(super) fn new(config: &Config) -> Self {
        let mut plan = Self::default();
        plan.follow(config);
        plan
    }

    fn follow(&mut self, config: &Config) {
        self.routes = Route::all(config);
        let unrelieved = config.channel.iter().filter(|(_, channel)| !channel.send_resolved);
        self.unrelieved = unrelieved.map(|(name, _)| name.clone()).collect();
    }

    /// Follows other routes from now on. A group that is among theirs goes on, with what was told;
    /// the alerts of others are sorted into groups anew.
    pub(super) fn configure(&mut self, config: &Config, now: Timestamp) {
        let alerts = self.alerts();
        self.follow(config);
        let keys: Vec<String> = self.groups.keys().cloned().collect();
        keys.iter().for_each(|key| self.reschedule(key));
        for alert in alerts {
            self.hear(alert, now);
        }
    }

    /// Takes in what was kept of a group.
    pub(super) fn restore(&mut self, key: String, group: Group, now: Timestamp) {
        let Some(route) = self.routes.iter().find(|route| route.key == group.route) else {
            // Its route is gone: its alerts go where they belong now.
            self.touched.insert(key);
            group.notices().cloned().for_each(|alert| self.hear(alert, now));
            return;
        };
        let group = group.restored(&route.times, now);
        self.groups.entry(key.clone()).or_insert(group);
        self.reschedule(&key);
    }

    /// Every alert in some group, once.
    pub(super) fn alerts(&self) -> Vec<Notice> {
        let all = self.groups.values().flat_map(Group::notices);
        let by_id: BTreeMap<&str, &Notice> = all.map(|alert| (alert.id.as_str(), alert)).collect();
        by_id.into_values().cloned().collect()
    }

    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Takes in what an alert has become.
    pub(super) fn hear(&mut self, alert: Notice, now: Timestamp) {
        let mut wanted: BTreeMap<String, (Route, super::Labels)> = BTreeMap::new();
        for route in route::of_alert(&self.routes, &alert) {
            let labels = route.labels(&alert);
            wanted.entry(route.group_key(&labels)).or_insert((route.clone(), labels));
        }
        let left: Vec<String> = self
            .groups
            .iter()
            .filter(|(key, group)| group.has(&alert.id) && !wanted.contains_key(*key))
            .map(|(key, _)| key.clone())
            .collect();
        for key in left {
            self.change(&key, |group| group.forget(&alert.id));
        }
        for (key, (route, labels)) in wanted {
            if !self.groups.contains_key(&key) {
                if alert.status != Status::Firing {
                    continue;
                }
                self.groups.insert(key.clone(), Group::new(&route.key, labels));
            }
            self.change(&key, |group| group.hear(alert.clone(), &route.times, now));
        }
    }

    /// When there will be something to be told, if nothing happens before.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.schedule.first().map(|(due, _)| *due)
    }

    /// What is to be told now.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Due> {
        let due = self.schedule.iter().take_while(|(due, _)| *due <= now);
        let mut keys: Vec<String> = due.map(|(_, key)| key.clone()).collect();
        keys.sort();
        let mut told = Vec::new();
        for key in keys {
            let Some(group) = self.groups.get(&key) else { continue };
            let Some(route) = self.route(&group.route).cloned() else { continue };
            let labels = group.labels.clone();
            let (mut news, mut escalation) = (None, None);
            self.change(&key, |group| {
                news = group.news(&route.times, now);
                escalation = group.escalation(&route.times, now);
            });
            let payload = |news: &News, alerts: Vec<Notice>| {
                Payload::new(news.kind, &route.key, &key, &labels, alerts, now)
            };
            if let Some(news) = news {
                for channel in &route.channels {
                    told.extend(self.due_to(channel, payload(&news, news.alerts.clone())));
                }
                let relieved =
                    Payload { kind: Kind::Resolved, ..payload(&news, news.relieved.clone()) };
                let others = route.escalate_to.iter().filter(|name| !route.channels.contains(name));
                for channel in others.filter(|_| !news.relieved.is_empty()) {
                    told.extend(self.due_to(channel, relieved.clone()));
                }
            }
            if let Some(news) = escalation {
                for channel in &route.escalate_to {
                    told.extend(self.due_to(channel, payload(&news, news.alerts.clone())));
                }
            }
        }
        told
    }

    /// A channel may not want to know of what is resolved.
    fn due_to(&self, channel: &str, mut payload: Payload) -> Option<Due> {
        if self.unrelieved.contains(channel) {
            payload.alerts.retain(Notice::is_firing);
        }
        let channel = channel.to_owned();
        (!payload.alerts.is_empty()).then_some(Due { channel, payload })
    }

    /// The groups that have changed since this was last asked, by key; `None` for one that is gone.
    pub(super) fn take_touched(&mut self) -> Vec<(String, Option<&Group>)> {
        let touched = std::mem::take(&mut self.touched);
        touched.into_iter().map(|key| (key.clone(), self.groups.get(&key))).collect()
    }

    /// Every group, by key.
    pub(super) fn all(&self) -> impl Iterator<Item = (&String, &Group)> {
        self.groups.iter()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.touched.extend(std::mem::take(&mut self.groups).into_keys());
        self.schedule.clear();
        self.dues.clear();
    }

    fn change(&mut self, key: &str, change: impl FnOnce(&mut Group)) {
        let Some(group) = self.groups.get_mut(key) else { return };
        change(group);
        if group.is_empty() {
            self.groups.remove(key);
        }
        self.touched.insert(key.to_owned());
        self.reschedule(key);
    }

    fn reschedule(&mut self, key: &str) {
        if let Some(due) = self.dues.remove(key) {
            self.schedule.remove(&(due, key.to_owned()));
        }
        let group = self.groups.get(key);
        let due = group.and_then(|group| group.due(&self.route(&group.route)?.times));
        if let Some(due) = due {
            self.dues.insert(key.to_owned(), due);
            self.schedule.insert((due, key.to_owned()));
        }
    }

    fn route(&self, key: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.key == key)
    }
}
