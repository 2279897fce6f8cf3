//! Alerts and the evaluation of rules as series: `gz_alert*`, and `ALERTS` as Prometheus has it.

use std::collections::BTreeMap;

use crate::alert::{Registry, State};
use crate::sample::{BatchBuilder, Value};

/// Tells of all alerts and rules.
pub(super) fn alerts(out: &mut BatchBuilder, alerts: &Registry) {
    let stats = alerts.stats();
    let pending = alerts.iter().filter(|alert| alert.state == State::Pending).count();
    for (name, count) in [
        ("gz_alerts_firing", stats.firing),
        ("gz_alerts_resolved", stats.resolved),
        ("gz_alerts_silenced", stats.silenced),
        ("gz_alerts_pending", pending),
        ("gz_alert_rules", stats.rules),
        ("gz_alert_silences", alerts.silences().count()),
    ] {
        out.push(name, &[], Value::Gauge(count as f64));
    }
    let done = alerts.evaluations();
    for (name, total) in [
        ("gz_alert_rounds_total", done.rounds as f64),
        ("gz_alert_rounds_skipped_total", done.skipped as f64),
        ("gz_alert_evaluations_total", done.rules as f64),
        ("gz_alert_evaluation_failures_total", done.failures as f64),
        ("gz_alert_evaluation_duration_seconds_total", done.took.as_secs_f64()),
    ] {
        out.push(name, &[], Value::Counter(total));
    }
    let mut active: BTreeMap<&str, usize> = BTreeMap::new();
    for alert in alerts.iter().filter(|alert| alert.of_rule && alert.state.is_active()) {
        *active.entry(&alert.rule_id).or_default() += 1;
    }
    for rule in alerts.rules().iter() {
        let labels = [("rule_id", &*rule.id)];
        let count = active.get(&*rule.id).copied().unwrap_or_default();
        out.push("gz_alert_rule_active", &labels, Value::Gauge(count as f64));
        let is_well = alerts.health(&rule.id).is_none_or(|health| health.error.is_none());
        out.push("gz_alert_rule_success", &labels, Value::Gauge(f64::from(u8::from(is_well))));
    }
    for alert in alerts.iter().filter(|alert| alert.state != State::Resolved) {
        let own = ["alertname", "severity"].map(|name| (name, alert.label(name).unwrap_or("")));
        let state = if alert.state == State::Pending { "pending" } else { "firing" };
        let mut labels = vec![("alertstate", state)];
        labels.extend(own);
        let known = ["alertname", "alertstate", "severity"];
        let others = alert.labels.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        labels.extend(others.map(|(name, text)| (name.as_str(), text.as_str())));
        out.push("ALERTS", &labels, Value::Gauge(1.0));
    }
}
