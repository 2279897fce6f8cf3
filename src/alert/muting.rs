//! Which alerts are not to be heard: by a silence, in a maintenance window, because another alert is
//! firing, or because what their rule depends on is.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::changes::Changes;
use super::{Alert, Entry, Registry, State, Told};

impl Registry {
    /// Does what time does: silences end, windows open and close, alerts of rules that are gone end.
    pub fn sweep(&mut self, now: Timestamp) -> Vec<Told> {
        let over: Vec<Arc<str>> =
            self.silences().filter(|it| it.ends_at <= now).map(|it| it.id.clone()).collect();
        for id in over {
            self.silences.remove(&id);
            self.entries.push(Entry::Heard(id));
        }
        let mut changes = Changes::default();
        if std::mem::take(&mut self.has_orphans) {
            self.end_orphans(&mut changes, now);
        }
        self.finish(changes, now)
    }

    fn end_orphans(&mut self, changes: &mut Changes, now: Timestamp) {
        let is_orphan = |alert: &&Alert| {
            let is_open = alert.state != State::Resolved;
            alert.of_rule && is_open && self.rules.get(&alert.rule_id).is_none()
        };
        let orphans: Vec<Arc<str>> =
            self.iter().filter(is_orphan).map(|alert| alert.id.clone()).collect();
        for id in orphans {
            let Some(alert) = self.alerts.get_mut(&id) else { continue };
            changes.because(alert, "its rule is gone");
            if alert.state.is_active() {
                alert.resolve(now);
            } else if !alert.go_back() {
                self.alerts.remove(&id);
            }
        }
    }

    /// Has each alert that is active be silenced or firing, as it is to be now.
    pub(super) fn mute(&mut self, changes: &mut Changes, now: Timestamp) {
        let active: Vec<&Alert> = self.iter().filter(|alert| alert.state.is_active()).collect();
        if active.is_empty() {
            return;
        }
        let rules: BTreeSet<&str> = active.iter().map(|alert| alert.rule_id.as_str()).collect();
        let windows: Vec<_> = self
            .rules
            .windows
            .iter()
            .filter_map(|window| Some((window, window.end(now)?)))
            .collect();
        let cause = |alert: &Alert| -> Option<String> {
            let silence = self.silences().find(|silence| silence.covers(alert, now));
            if let Some(silence) = silence {
                return Some(silence.words());
            }
            if let Some((window, end)) = windows.iter().find(|(window, _)| window.covers(alert)) {
                return Some(format!("maintenance {}, until {end}", window.name));
            }
            let rule = self.rules.get(&alert.rule_id).filter(|_| alert.of_rule);
            let needed = rule.into_iter().flat_map(|rule| &rule.depends_on);
            if let Some(id) = needed.into_iter().find(|id| rules.contains(id.as_str())) {
                return Some(format!("depends on {id}"));
            }
            let inhibitions = &self.rules.inhibitions;
            inhibitions.iter().find_map(|one| one.cause(alert, active.iter().copied()))
        };
        let causes: Vec<(Arc<str>, Option<String>)> =
            active.iter().map(|alert| (alert.id.clone(), cause(alert))).collect();
        for (id, cause) in causes {
            let Some(alert) = self.alerts.get_mut(&id) else { continue };
            if alert.silenced_by == cause && (alert.state == State::Silenced) == cause.is_some() {
                continue;
            }
            match &cause {
                Some(cause) if alert.state == State::Firing => {
                    changes.because(alert, format!("silenced: {cause}"));
                    alert.state = State::Silenced;
                }
                None => {
                    changes.because(alert, "no longer silenced");
                    alert.state = State::Firing;
                }
                Some(_) => _ = changes.keep(alert),
            }
            alert.silenced_by = cause;
        }
    }
}
