//! The stream in numbers: `gz_ws_*` series.

use crate::hub::Coding;
use crate::sample::{BatchBuilder, Value};
use crate::server::App;
use crate::server::ws::Histogram;

/// Adds what is known of the stream and its clients.
pub(super) fn push(out: &mut BatchBuilder, app: &App) {
    let hub = &app.pipeline.hub;
    let usage = hub.usage();
    for (kind, count) in usage.published {
        counter(out, "gz_ws_messages_published_total", &[("type", kind.name())], count);
    }
    for (code, count) in hub.clients.ended() {
        counter(out, "gz_ws_connections_closed_total", &[("code", &code.to_string())], count);
    }
    counter(out, "gz_ws_connections_total", &[], hub.clients.total());
    counter(out, "gz_ws_handshakes_total", &[], app.upgrades());
    for (coding, count) in hub.clients.by_coding() {
        gauge(out, "gz_ws_clients", &labels_of(coding), count as f64);
    }
    gauge(out, "gz_ws_log_messages", &[], usage.messages as f64);
    gauge(out, "gz_ws_log_bytes", &[], usage.bytes as f64);
    gauge(out, "gz_pipeline_queue_inputs", &[], app.pipeline.queued() as f64);
    shards(out, app);
}

fn shards(out: &mut BatchBuilder, app: &App) {
    let vitals = app.stream();
    for (shard, count) in vitals.connections().enumerate() {
        gauge(out, "gz_ws_shard_clients", &[("shard", &shard.to_string())], count as f64);
    }
    for (kind, encoding, count) in vitals.messages() {
        let labels = [("type", kind), ("encoding", encoding.name())];
        counter(out, "gz_ws_messages_sent_total", &labels, count);
    }
    for (coding, count) in vitals.bytes() {
        counter(out, "gz_ws_sent_bytes_total", &labels_of(coding), count);
    }
    counter(out, "gz_ws_conflated_total", &[], vitals.conflated());
    counter(out, "gz_ws_gaps_total", &[], vitals.gaps());
    counter(out, "gz_ws_slow_disconnects_total", &[], vitals.slow_disconnects());
    let laggards = vitals.laggards();
    gauge(out, "gz_ws_stalled_clients", &[], laggards.clients as f64);
    gauge(out, "gz_ws_lag_messages_max", &[], laggards.messages as f64);
    gauge(out, "gz_ws_lag_bytes_max", &[], laggards.bytes as f64);
    let names =
        ["gz_ws_write_messages_bucket", "gz_ws_write_messages_sum", "gz_ws_write_messages_count"];
    histogram(out, names, &vitals.batch);
    let names = [
        "gz_ws_publish_to_write_seconds_bucket",
        "gz_ws_publish_to_write_seconds_sum",
        "gz_ws_publish_to_write_seconds_count",
    ];
    histogram(out, names, &vitals.latency);
}

fn labels_of(coding: Coding) -> [(&'static str, &'static str); 2] {
    let deflate = if coding.deflate { "true" } else { "false" };
    [("encoding", coding.encoding.name()), ("deflate", deflate)]
}

fn histogram<const N: usize>(
    out: &mut BatchBuilder,
    [bucket, total, count]: [&str; 3],
    histogram: &Histogram<N>,
) {
    let (buckets, sum) = histogram.cumulative();
    for (bound, count) in &buckets {
        let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
        counter(out, bucket, &[("le", &bound)], *count);
    }
    out.push(total, &[], Value::Counter(sum));
    counter(out, count, &[], buckets.last().map_or(0, |(_, all)| *all));
}

fn counter(out: &mut BatchBuilder, name: &str, labels: &[(&str, &str)], count: u64) {
    out.push(name, labels, Value::Counter(count as f64));
}

fn gauge(out: &mut BatchBuilder, name: &str, labels: &[(&str, &str)], value: f64) {
    out.push(name, labels, Value::Gauge(value));
}
