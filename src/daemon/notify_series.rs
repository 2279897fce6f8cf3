//! Notifications in numbers: `gz_notify_*` series.

use jiff::Timestamp;

use crate::notify::{Handle, Loss};
use crate::sample::{BatchBuilder, Value};

/// Adds what is known of notifications; nothing where nobody is told.
pub(super) fn push(out: &mut BatchBuilder, notifier: &Handle) {
    let channels = notifier.channels();
    if channels.is_empty() {
        return;
    }
    let (vitals, groups) = notifier.vitals();
    let now = Timestamp::now();
    out.push("gz_notify_groups", &[], Value::Gauge(groups as f64));
    let failures = Value::Counter(vitals.write_failures as f64);
    out.push("gz_notify_write_failures_total", &[], failures);
    for channel in channels {
        let labels = [("channel", channel.name.as_str())];
        let oldest = channel.oldest.map_or(0.0, |oldest| now.duration_since(oldest).as_secs_f64());
        out.push("gz_notify_pending", &labels, Value::Gauge(channel.pending as f64));
        out.push("gz_notify_oldest_pending_seconds", &labels, Value::Gauge(oldest.max(0.0)));
        let tally = channel.tally;
        let given_up: u64 =
            [Loss::Age, Loss::Refused].iter().filter_map(|l| tally.lost.get(l)).sum();
        let dropped = tally.lost.get(&Loss::Room).copied().unwrap_or_default();
        let counters = [
            ("gz_notify_sent_total", tally.sent as f64),
            ("gz_notify_retried_total", tally.retried as f64),
            ("gz_notify_failed_total", given_up as f64),
            ("gz_notify_dropped_total", dropped as f64),
            ("gz_notify_latency_seconds_sum", tally.latency.as_secs_f64()),
            ("gz_notify_latency_seconds_count", tally.sent as f64),
        ];
        for (name, value) in counters {
            out.push(name, &labels, Value::Counter(value));
        }
    }
}
