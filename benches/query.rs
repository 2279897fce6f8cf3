//! The cost of queries, and of the history that they are about: an hour of samples, 5 s apart.
//!
//! `cargo bench --bench query`.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gz_monitor::query::{Config, Query, Steps};
use gz_monitor::sample::SeriesKey;
use gz_monitor::store;
use gz_monitor::store::History;
use jiff::Timestamp;

const HOUR_S: i64 = 3_600;
const INTERVAL_S: i64 = 5;

fn keys(count: usize) -> Vec<Arc<SeriesKey>> {
    let key = |index: usize| {
        let (cpu, mode) = ((index / 8).to_string(), format!("mode_{}", index % 8));
        let labels = [("cpu", cpu.as_str()), ("mode", &mode)];
        Arc::new(SeriesKey::new("node_bench_seconds_total", labels))
    };
    (0..count).map(key).collect()
}

/// A time a few milliseconds after a multiple of the interval, as collections end.
fn at(round: i64) -> Timestamp {
    let late = round * 7919 % 13;
    Timestamp::from_millisecond(round * INTERVAL_S * 1000 + late).expect("a time in the calendar")
}

fn value(index: usize, round: i64) -> f64 {
    (round * (index as i64 % 50) * 7) as f64 / 100.0
}

fn an_hour_of(keys: &[Arc<SeriesKey>]) -> History {
    let mut history = History::new(&store::Config::default());
    for round in 0..HOUR_S / INTERVAL_S {
        for (index, key) in keys.iter().enumerate() {
            history.push(key, at(round), value(index, round));
        }
        history.trim(at(round));
    }
    history
}

fn range(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("query_range");
    let config = Config::default();
    let steps = Steps::new(0, HOUR_S * 1000, 15_000, &config).expect("sound steps");
    for series in [1, 100] {
        let history = an_hour_of(&keys(series));
        let reader = |look: &mut dyn FnMut(&History)| look(&history);
        group.throughput(Throughput::Elements(series as u64));
        for (name, text) in [
            ("selector", "node_bench_seconds_total"),
            ("rate", "rate(node_bench_seconds_total[5m])"),
            ("sum_by_rate", "sum by (mode) (rate(node_bench_seconds_total[5m]))"),
        ] {
            let query = Query::parse(text, &config).expect("a sound expression");
            group.bench_function(BenchmarkId::new(name, series), |bencher| {
                bencher.iter(|| query.range(steps, &reader, &config, &|| false));
            });
        }
    }
    group.finish();
}

fn parse(criterion: &mut Criterion) {
    let config = Config::default();
    let text = "sum by (mode) (rate(node_cpu_seconds_total{mode!=\"idle\"}[5m])) / 4";
    criterion.bench_function("query_parse", |bencher| {
        bencher.iter(|| Query::parse(black_box(text), &config));
    });
}

/// What a sample costs the pipeline, sealing included.
fn push(criterion: &mut Criterion) {
    let keys = keys(500);
    let mut history = History::new(&store::Config::default());
    let mut round = 0;
    let mut group = criterion.benchmark_group("history_push");
    group.throughput(Throughput::Elements(keys.len() as u64));
    group.bench_function("round_of_500", |bencher| {
        bencher.iter(|| {
            round += 1;
            for (index, key) in keys.iter().enumerate() {
                history.push(key, at(round), value(index, round));
            }
            history.trim(at(round));
        });
    });
    group.finish();
}

criterion_group!(benches, range, parse, push);
criterion_main!(benches);
