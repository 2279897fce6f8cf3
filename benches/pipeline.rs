//! The cost of the way from samples to messages: a collection, the pipeline, the hub, `/metrics`.
//!
//! `cargo bench`; what the figures mean is in docs/performance.md.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gz_monitor::hub::{self, Cursor, Draft, Filter, Hub, Subject, TypeSet};
use gz_monitor::pipeline::{Input, Limits, Pipeline};
use gz_monitor::plugin::process::Wanted;
use gz_monitor::plugin::{Context, Isolation, PluginHost, Source};
use gz_monitor::sample::{self, Batch, BatchBuilder, Moment, Outcome, Rejected, Sample, Value};
use gz_monitor::server::{Format, expose};
use gz_monitor::store::{self, Store};
use gz_monitor_sdk::Host;
use serde_json::Map;

/// Samples of one batch: all that the default collectors bring in one round are about as many.
const SAMPLES: usize = 500;
const SERIES: usize = 2_000;
const LIMITS: sample::Limits = sample::Limits {
    samples: 10_000,
    labels: 32,
    text: 1_024,
    clock_skew: Duration::ZERO,
    keeps_non_finite: false,
};

fn moment(round: u64) -> Moment {
    Moment { wall: jiff::Timestamp::UNIX_EPOCH, uptime: Duration::from_secs(round) }
}

/// `count` samples whose keys are of this `generation` and of no other.
fn samples(count: usize, generation: usize) -> Vec<Sample> {
    let mut builder = BatchBuilder::new(Vec::new(), LIMITS);
    let generation = generation.to_string();
    for index in 0..count {
        // Ten series to a metric, as the node_* families have.
        let (name, device) = (format!("node_bench_{}_bytes_total", index / 10), index.to_string());
        let labels = [("device", device.as_str()), ("generation", &generation)];
        builder.push(&name, &labels, Value::Counter(index as f64));
    }
    builder.take(jiff::Timestamp::UNIX_EPOCH).0
}

fn batch(samples: Vec<Sample>, round: u64) -> Batch {
    Batch {
        collector: "bench".into(),
        at: moment(round),
        duration: Duration::ZERO,
        samples,
        rejected: Rejected::default(),
        outcome: Outcome::Ok,
        broken: false,
    }
}

fn apply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("apply");
    group.throughput(Throughput::Elements(SAMPLES as u64));
    let steady = [samples(SAMPLES, 0)];
    // Each batch brings other series than the one before it, and what that one brought goes.
    let changing = [samples(SAMPLES, 0), samples(SAMPLES, 1)];
    let cases = [
        ("steady", &steady[..], TypeSet::NONE),
        ("new_keys", &changing, TypeSet::NONE),
        ("steady_and_sent", &steady, TypeSet::ALL),
    ];
    for (name, rounds, wanted) in cases {
        let (mut pipeline, mut round) = (Pipeline::new(&Limits::default()), 0);
        let mut next = || {
            round += 1;
            Input::Batch(Box::new(batch(rounds[round as usize % rounds.len()].clone(), round)))
        };
        group.bench_function(name, |bencher| {
            let apply = |input| pipeline.apply(input, wanted, moment(0));
            bencher.iter_batched(&mut next, apply, BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn publish(criterion: &mut Criterion) {
    // As large as a `system_status`.
    let draft =
        Draft { subject: Subject::SystemStatus, data: format!("{{\"x\":\"{:0>200}\"}}", 1) };
    let mut group = criterion.benchmark_group("publish");
    for clients in [1, 100, 1_000] {
        let hub = Hub::new("bench".to_owned(), &hub::Config::default());
        let mut cursors: Vec<Cursor> = (0..clients).map(|_| hub.cursor()).collect();
        let filter = Filter::default();
        group.throughput(Throughput::Elements(clients));
        group.bench_function(BenchmarkId::new("taken_by", clients), |bencher| {
            bencher.iter(|| {
                hub.publish(hub.number(vec![draft.clone()], moment(0)));
                for cursor in &mut cursors {
                    black_box(cursor.take(&hub, &filter, u64::MAX, false));
                }
            });
        });
    }
    group.finish();
}

fn exposition(criterion: &mut Criterion) {
    let mut store = Store::new(&store::Config::default());
    store.apply(&batch(samples(SERIES, 0), 1));
    let mut group = criterion.benchmark_group("exposition");
    group.throughput(Throughput::Elements(SERIES as u64));
    for (name, format) in [("prometheus", Format::Prometheus), ("openmetrics", Format::OpenMetrics)]
    {
        group.bench_function(name, |bencher| bencher.iter(|| expose(&store, format)));
    }
    group.finish();
}

/// One round of every built-in collector on the machine that runs this, without the threads that the
/// daemon gives them; and one of the smallest alone, to compare with.
fn collect(criterion: &mut Criterion) {
    let plugins = PluginHost::with_builtins();
    let mut group = criterion.benchmark_group("collect");
    let stock = plugins.all().into_iter().filter(|(_, plugin)| plugin.is_stock());
    let stock: Vec<String> = stock.map(|(name, _)| name).collect();
    let all: Vec<&str> = stock.iter().map(String::as_str).collect();
    for (name, chosen) in [("all", &all[..]), ("load", &["load"])] {
        let mut running: Vec<_> = chosen.iter().filter_map(|name| start(&plugins, name)).collect();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for (source, builder) in &mut running {
                    // A machine may lack what one of them reads; the attempt is part of a round.
                    let _ = source.collect(builder);
                    black_box(builder.take(jiff::Timestamp::UNIX_EPOCH));
                }
            });
        });
    }
    group.finish();
}

fn start(plugins: &PluginHost, name: &str) -> Option<(Box<dyn Source>, BatchBuilder)> {
    let host = Host::new(PathBuf::from("/"), |_, _| {});
    let (deadline, isolation) = (Duration::from_secs(1), Isolation::default());
    let (max_samples, starts) = (LIMITS.samples, Arc::default());
    let wanted = Wanted::default();
    let (plugin, name) = (name, name.to_owned());
    let context = Context { name, host, deadline, isolation, max_samples, wanted, starts };
    let source = plugins.get(plugin)?.make(&Map::new(), context).ok()?;
    Some((source, BatchBuilder::new(Vec::new(), LIMITS)))
}

criterion_group!(benches, apply, publish, exposition, collect);
criterion_main!(benches);
