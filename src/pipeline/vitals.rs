//! The two status messages, made from the series of the `system` and `gz-monitor` collectors.

use std::collections::VecDeque;
use std::time::Duration;

use super::Pipeline;
use crate::api::{self, HostStatus};
use crate::sample::{Moment, increase};
use crate::severity::Severity;
use crate::store::Store;
use crate::units::HumanDuration;

/// Error rate and response time are over this much of the past.
const WINDOW: Duration = Duration::from_secs(60);

/// How far the HTTP counters had grown at the ticks of the last minute, so that rates can be told.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    past: VecDeque<(Duration, HttpTotals)>,
    /// What the counters said at the last tick, and how much they had grown by then in all.
    said: HttpTotals,
    grown: HttpTotals,
}

#[derive(Debug, Clone, Copy, Default)]
struct HttpTotals {
    requests: f64,
    errors: f64,
    seconds: f64,
}

impl HttpTotals {
    fn of(store: &Store) -> Self {
        let requests = store.named("gz_http_requests_total");
        let errors =
            requests.filter(|(key, _)| key.label("code").is_some_and(|c| c.starts_with('5')));
        Self {
            requests: store.sum("gz_http_requests_total").unwrap_or(0.0),
            // The sum of nothing would be -0.
            errors: errors.fold(0.0, |sum, (_, series)| sum + series.value.get()),
            seconds: store.sum("gz_http_request_duration_seconds_total").unwrap_or(0.0),
        }
    }

    /// As [`HttpTotals::of`], unless nobody counts at the moment.
    fn of_counting(store: &Store) -> Option<Self> {
        store.value("gz_http_requests_total").map(|_| Self::of(store))
    }

    /// `self`, which had grown so far when the counters said `before`, now that they say `now`.
    fn grow(self, before: Self, now: Self) -> Self {
        Self {
            requests: self.requests + increase(before.requests, now.requests),
            errors: self.errors + increase(before.errors, now.errors),
            seconds: self.seconds + increase(before.seconds, now.seconds),
        }
    }
}

impl Vitals {
    /// Remembers the counters of this tick.
    pub(super) fn tick(&mut self, store: &Store, now: Moment) {
        if let Some(said) = HttpTotals::of_counting(store) {
            self.grown = self.grown.grow(self.said, said);
            self.said = said;
        }
        self.past.push_back((now.uptime, self.grown));
        let is_old = |at: Duration| now.uptime.saturating_sub(at) > WINDOW;
        // The newest of the old ones stays: it is where the window begins.
        while self.past.get(1).is_some_and(|(at, _)| is_old(*at)) {
            self.past.pop_front();
        }
    }

    /// Percent of responses with a 5xx status, and the mean response time, over the window.
    fn rates(&self, store: &Store) -> (f64, Duration) {
        let said = HttpTotals::of_counting(store).unwrap_or(self.said);
        let now = self.grown.grow(self.said, said);
        let then = self.past.front().map(|(_, totals)| *totals).unwrap_or_default();
        let requests = now.requests - then.requests;
        if requests <= 0.0 {
            return (0.0, Duration::ZERO);
        }
        let mean = (now.seconds - then.seconds).max(0.0) / requests;
        let percent = 100.0 * (now.errors - then.errors) / requests;
        (hundredths(percent), Duration::try_from_secs_f64(mean).unwrap_or_default())
    }
}

impl Pipeline {
    /// `system_status.data` as of now.
    pub fn system_status(&self, now: Moment) -> api::SystemStatus {
        let store = &self.store;
        api::SystemStatus {
            status: match self.alerts.worst() {
                Some(Severity::Critical) => HostStatus::Critical,
                Some(Severity::Medium | Severity::High) => HostStatus::Warning,
                Some(Severity::Info | Severity::Low) | None => HostStatus::Healthy,
            },
            uptime: HumanDuration(now.uptime),
            active_tasks: self.tasks.active().count(),
            total_requests: HttpTotals::of(store).requests as u64,
            memory_usage: store.value("system_memory_used_bytes").map(|bytes| bytes as u64),
            cpu_usage: store.value("system_cpu_usage_percent").map(hundredths),
            disk_usage: store.value("system_disk_usage_percent").map(hundredths),
            network_io: api::NetworkIo {
                bytes_in: store.sum("system_network_receive_bytes_total").map(|bytes| bytes as u64),
                bytes_out: store
                    .sum("system_network_transmit_bytes_total")
                    .map(|bytes| bytes as u64),
            },
        }
    }

    /// `metrics_update.data` as of now.
    pub fn metrics(&self, now: Moment) -> api::MetricsUpdate {
        let status = self.system_status(now);
        let (error_rate, response_time) = self.vitals.rates(&self.store);
        api::MetricsUpdate {
            active_tasks: status.active_tasks,
            total_requests: status.total_requests,
            error_rate,
            avg_response_time: HumanDuration(response_time),
            memory_usage_mb: status.memory_usage.map(|b| hundredths(b as f64 / f64::from(1 << 20))),
            cpu_usage: status.cpu_usage,
            uptime: status.uptime,
        }
    }

    /// `initial_state.data` as of now, at this place of the stream.
    pub fn initial_state(&self, epoch: &str, seq: u64, now: Moment) -> api::InitialState {
        api::InitialState {
            system_status: self.system_status(now),
            metrics_summary: self.metrics(now),
            alert_stats: self.alerts.stats().into(),
            active_tasks: self.tasks.active().map(api::Task::from).collect(),
            stream: api::StreamPosition { epoch: epoch.to_owned(), seq },
        }
    }
}

/// Two decimals: a percentage with more is noise on the wire.
fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Batch, BatchBuilder, Limits, Outcome, Value};
    use crate::store;

    fn at(second: u64) -> Moment {
        Moment { wall: jiff::Timestamp::UNIX_EPOCH, uptime: Duration::from_secs(second) }
    }

    /// The counters of the daemon at a second.
    fn counted(store: &mut Store, second: u64, good: f64, bad: f64, seconds: f64) {
        let limits = Limits {
            samples: 9,
            labels: 9,
            text: 99,
            clock_skew: Duration::ZERO,
            keeps_non_finite: true,
        };
        let mut out = BatchBuilder::new(Vec::new(), limits);
        out.push("gz_http_requests_total", &[("code", "200")], Value::Counter(good));
        out.push("gz_http_requests_total", &[("code", "500")], Value::Counter(bad));
        out.push("gz_http_request_duration_seconds_total", &[], Value::Counter(seconds));
        let (samples, rejected) = out.take(jiff::Timestamp::UNIX_EPOCH);
        store.apply(&Batch {
            collector: "gz-monitor".into(),
            at: at(second),
            duration: Duration::ZERO,
            samples,
            rejected,
            outcome: Outcome::Ok,
            broken: false,
        });
    }

    #[test]
    fn a_counter_that_begins_anew_has_grown_by_what_it_says() {
        let (mut store, mut vitals) = (Store::new(&store::Config::default()), Vitals::default());
        counted(&mut store, 1, 1000.0, 500.0, 750.0);
        vitals.tick(&store, at(1));
        assert_eq!(vitals.rates(&store), (0.0, Duration::ZERO));
        counted(&mut store, 2, 1003.0, 501.0, 752.0);
        vitals.tick(&store, at(2));
        assert_eq!(vitals.rates(&store), (25.0, Duration::from_millis(500)));
        // Four more since, three of them bad, and one second more.
        counted(&mut store, 3, 1.0, 3.0, 1.0);
        assert_eq!(vitals.rates(&store), (50.0, Duration::from_millis(375)));
        vitals.tick(&store, at(3));
        assert_eq!(vitals.rates(&store), (50.0, Duration::from_millis(375)));
        // Nobody counts for a while: nothing has happened that is known of.
        store.forget("gz-monitor", at(3));
        vitals.tick(&store, at(4));
        counted(&mut store, 5, 1.0, 3.0, 1.0);
        assert_eq!(vitals.rates(&store), (50.0, Duration::from_millis(375)));
    }
}
