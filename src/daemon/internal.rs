//! The daemon's own numbers, as a collector like any other: `gz_*` series.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::alert_series::alerts;
use super::task_series::tasks;
use super::{notify_series, stream};
use crate::persist::{Gap, Kept, Tier, Vitals};
use crate::pipeline::Pipeline;
use crate::plugin::{Context, Failure, Source};
use crate::sample::{BatchBuilder, Reason, Value};
use crate::server::{App, AuthVitals};
use crate::store::{CollectorState, CollectorStatus};
use crate::telemetry;

/// A source of the daemon's own numbers.
pub(super) fn source(app: &App, storage: &Arc<Vitals>, _: Context) -> Box<dyn Source> {
    Box::new(Internal(app.clone(), storage.clone()))
}

struct Internal(App, Arc<Vitals>);

impl Source for Internal {
    fn collect(&mut self, out: &mut BatchBuilder) -> Result<(), Failure> {
        self.http(out);
        stream::push(out, &self.0);
        self.storage(out);
        self.0.notifier().iter().for_each(|notifier| notify_series::push(out, notifier));
        self.0.pipeline.read(|state, _| {
            for (name, status) in state.collectors.iter() {
                collector(out, name, status);
            }
            state_of_the_whole(out, state);
        });
        Ok(())
    }
}

impl Internal {
    fn http(&self, out: &mut BatchBuilder) {
        let totals = self.0.http_totals();
        for (code, count) in &totals.by_code {
            let code = code.to_string();
            let value = Value::Counter(*count as f64);
            out.push("gz_http_requests_total", &[("code", &code)], value);
        }
        let seconds = Value::Counter(totals.duration.as_secs_f64());
        out.push("gz_http_request_duration_seconds_total", &[], seconds);
        for (reason, count) in self.0.requests_refused() {
            let labels = [("reason", reason.name())];
            out.push("gz_http_requests_refused_total", &labels, Value::Counter(count as f64));
        }
        let (open, fresh) = self.0.connections();
        out.push("gz_http_connections", &[], Value::Gauge(open as f64));
        out.push("gz_http_handshakes", &[], Value::Gauge(fresh as f64));
        for (name, label, counts) in self.0.refusals() {
            for (reason, count) in counts {
                out.push(name, &[(label, reason)], Value::Counter(count as f64));
            }
        }
        self.tls(out);
        self.auth(out);
    }

    fn auth(&self, out: &mut BatchBuilder) {
        let AuthVitals { is_required, tokens, sessions, changes, lost, refused } =
            self.0.auth_vitals();
        let required = Value::Gauge(f64::from(u8::from(is_required)));
        out.push("gz_auth_required", &[], required);
        out.push("gz_auth_tokens", &[], Value::Gauge(tokens as f64));
        out.push("gz_auth_sessions", &[], Value::Gauge(sessions as f64));
        out.push("gz_auth_changes_total", &[], Value::Counter(changes as f64));
        out.push("gz_audit_lost_total", &[], Value::Counter(lost as f64));
        for (by, count) in ["address", "token"].into_iter().zip(self.0.requests_limited()) {
            let count = Value::Counter(count as f64);
            out.push("gz_http_requests_limited_total", &[("by", by)], count);
        }
        for (reason, count) in refused {
            let labels = [("reason", reason.name())];
            out.push("gz_auth_refused_total", &labels, Value::Counter(count as f64));
        }
    }

    fn tls(&self, out: &mut BatchBuilder) {
        let Some(certificate) = self.0.certificate() else { return };
        let end = Value::Gauge(certificate.validity.not_after.as_millisecond() as f64 / 1000.0);
        out.push("gz_tls_certificate_not_after_timestamp_seconds", &[], end);
        let handshakes = self.0.handshakes();
        out.push("gz_tls_handshakes_total", &[], Value::Counter(handshakes.done() as f64));
        for (why, count) in handshakes.failed() {
            let labels = [("reason", why.name())];
            out.push("gz_tls_handshakes_failed_total", &labels, Value::Counter(count as f64));
        }
    }
}

impl Internal {
    fn storage(&self, out: &mut BatchBuilder) {
        let storage = &self.1;
        if !storage.is_on.load(Ordering::Relaxed) {
            return;
        }
        let degraded = f64::from(u8::from(storage.is_degraded.load(Ordering::Relaxed)));
        let gauges = [
            ("gz_storage_degraded", degraded),
            ("gz_storage_events", storage.events.load(Ordering::Relaxed) as f64),
            ("gz_storage_events_bytes", storage.event_bytes.load(Ordering::Relaxed) as f64),
            ("gz_audit_entries", storage.audit_entries.load(Ordering::Relaxed) as f64),
            ("gz_storage_size_bytes", storage.file_bytes.load(Ordering::Relaxed) as f64),
            ("gz_storage_queue_steps", storage.queued.load(Ordering::Relaxed) as f64),
            ("gz_storage_backlog_events", storage.backlog.load(Ordering::Relaxed) as f64),
        ];
        for (name, value) in gauges {
            out.push(name, &[], Value::Gauge(value));
        }
        past(out, &storage.history.lock().clone());
        let nanos = Duration::from_nanos(storage.commit_nanos.load(Ordering::Relaxed));
        let counters = [
            ("gz_storage_commits_total", storage.commits.load(Ordering::Relaxed) as f64),
            ("gz_storage_commit_duration_seconds_total", nanos.as_secs_f64()),
            ("gz_storage_commit_failures_total", storage.failures.load(Ordering::Relaxed) as f64),
        ];
        for (name, value) in counters {
            out.push(name, &[], Value::Counter(value));
        }
    }
}

/// What is on disk of the history.
fn past(out: &mut BatchBuilder, kept: &Kept) {
    let gauge = |out: &mut BatchBuilder, name, labels: &[(&str, &str)], value: f64| {
        out.push(name, labels, Value::Gauge(value));
    };
    for tier in Tier::ALL {
        let (labels, figures) = ([("tier", tier.name())], kept.tiers.get(tier));
        gauge(out, "gz_history_chunks", &labels, figures.rows as f64);
        gauge(out, "gz_history_bytes", &labels, figures.bytes as f64);
        gauge(out, "gz_history_samples", &labels, figures.samples as f64);
        if let Some(oldest) = figures.oldest {
            let seconds = oldest as f64 / 1000.0;
            gauge(out, "gz_history_oldest_timestamp_seconds", &labels, seconds);
        }
    }
    gauge(out, "gz_history_series", &[("tier", "disk")], kept.series as f64);
    gauge(out, "gz_history_series_refused", &[], kept.refused_series as f64);
    gauge(out, "gz_history_unwritten_bytes", &[], kept.rounds_bytes as f64);
    if let Some(Gap { from, to, in_order }) = kept.gap {
        let labels = [("reason", if in_order { "stopped" } else { "killed" })];
        let seconds = |at: Timestamp| at.as_millisecond() as f64 / 1000.0;
        gauge(out, "gz_history_gap_start_timestamp_seconds", &labels, seconds(from));
        gauge(out, "gz_history_gap_end_timestamp_seconds", &labels, seconds(to));
    }
}

fn collector(out: &mut BatchBuilder, name: &str, status: &CollectorStatus) {
    let labels = [("collector", name)];
    let absent = status.state == CollectorState::Absent;
    let success = f64::from(u8::from(absent || status.state == CollectorState::Ok));
    let duration = status.last_duration.unwrap_or_default().as_secs_f64();
    out.push("gz_collector_success", &labels, Value::Gauge(success));
    out.push("gz_collector_absent", &labels, Value::Gauge(f64::from(u8::from(absent))));
    out.push("gz_collector_duration_seconds", &labels, Value::Gauge(duration));
    out.push("gz_collector_samples", &labels, Value::Gauge(status.samples as f64));
    let failures = Value::Counter(status.total_failures as f64);
    out.push("gz_collector_failures_total", &labels, failures);
    let resets = Value::Counter(status.counter_resets as f64);
    out.push("gz_collector_counter_resets_total", &labels, resets);
    for reason in Reason::ALL {
        let labels = [("collector", name), ("reason", reason.name())];
        let count = Value::Counter(status.rejected.count(reason) as f64);
        out.push("gz_collector_samples_rejected_total", &labels, count);
    }
}

fn state_of_the_whole(out: &mut BatchBuilder, state: &Pipeline) {
    let build = [("version", env!("CARGO_PKG_VERSION"))];
    out.push("gz_build_info", &build, Value::Gauge(1.0));
    out.push("gz_log_lines_dropped_total", &[], Value::Counter(telemetry::lines_lost() as f64));
    out.push("gz_store_series", &[], Value::Gauge(state.store.len() as f64));
    let history = state.store.history();
    let memory = [("tier", "memory")];
    let sizes = [
        ("gz_history_series", history.series()),
        ("gz_history_chunks", history.chunks()),
        ("gz_history_samples", history.samples()),
        ("gz_history_bytes", history.bytes()),
    ];
    for (name, size) in sizes {
        out.push(name, &memory, Value::Gauge(size as f64));
    }
    if let Some(oldest) = history.oldest() {
        let seconds = Value::Gauge(oldest as f64 / 1000.0);
        out.push("gz_history_oldest_timestamp_seconds", &memory, seconds);
    }
    let lost = history.dropped();
    for (reason, count) in [("late", lost.late), ("memory", lost.memory)] {
        let count = Value::Counter(count as f64);
        out.push("gz_history_samples_dropped_total", &[("reason", reason)], count);
    }
    let dropped = state.store.dropped();
    for (reason, count) in [("duplicate", dropped.duplicate), ("limit", dropped.limit)] {
        let count = Value::Counter(count as f64);
        out.push("gz_store_samples_dropped_total", &[("reason", reason)], count);
    }
    tasks(out, &state.tasks);
    alerts(out, &state.alerts);
}
