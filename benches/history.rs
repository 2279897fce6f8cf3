//! What is on disk of the history, asked by PromQL: a day at full resolution, and a month of which most
//! is there in buckets.
//!
//! `cargo bench --bench history`. The days pass in moments; before the queries it says what they take
//! on the disk.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use gz_monitor::clock::Clock;
use gz_monitor::hub::{self, Hub};
use gz_monitor::persist::{self, Folder, Ready, Tier};
use gz_monitor::pipeline::{self, Handle, Input, Kept, Limits};
use gz_monitor::query::{Config, Query, Steps};
use gz_monitor::sample::{Batch, Moment, Outcome, Rejected, Sample, SeriesKey, Value};
use gz_monitor::store;
use gz_monitor::store::History;
use gz_monitor::store::history::Shelf;
use gz_monitor::units::HumanDuration;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::sync::mpsc;

const HOUR_MS: i64 = 3_600_000;

/// Whether `cargo bench -- --test` asks only if it runs: then a day has three hours.
fn is_test() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// What some days have left on a disk.
struct Past {
    shelf: Arc<dyn Shelf>,
    start: i64,
    end: i64,
    _folder: TempDir,
}

impl Past {
    /// Some series for so many hours until the last full one, with samples `interval` ms apart.
    async fn of(series: usize, hours: i64, interval: i64) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let place = Folder::Chosen(folder.path().to_owned());
        let bounds = persist::History {
            save_interval: HumanDuration(Duration::from_millis(100)),
            full: HumanDuration::secs(2 * 86_400),
            minutes: HumanDuration::secs(60 * 86_400),
            ..persist::History::default()
        };
        let clock = Clock::start();
        let open = || -> Result<Ready, persist::Error> {
            persist::open(&persist::Config::default(), &bounds, &place, clock.now().wall)
        };
        let ready = open()?;
        let hub = Arc::new(Hub::on(ready.line.clone(), &hub::Config::default()));
        let (handle, inputs) = Handle::new(&Limits::default(), Kept::default(), 100, hub, clock);
        let (steps, stored) = mpsc::channel(100);
        tokio::spawn(pipeline::run(handle.clone(), inputs, steps));
        let storage = ready.start(handle.clone(), stored)?;
        let end = clock.now().wall.as_millisecond() / HOUR_MS * HOUR_MS;
        let (start, keys) = (end - hours * HOUR_MS, keys(series));
        let rounds = hours * HOUR_MS / interval;
        for round in 0..rounds {
            let batch = batch(&keys, start, round, interval)?;
            handle.send(Input::Batch(Box::new(batch))).await?;
        }
        let vitals = storage.vitals.clone();
        let all = series as i64 * rounds;
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let tiers = vitals.history.lock().tiers;
            let oldest = tiers.get(Tier::Hours).samples as i64;
            if oldest >= series as i64 * hours {
                break;
            }
        }
        let lost = handle.read(|state, _| state.store.history().dropped());
        report(
            &format!("{all} samples of {series} series, lost: {lost:?}"),
            &vitals.history.lock(),
        )?;
        handle.end().await;
        storage.ended().await;
        let shelf = open()?.shelf.ok_or("no shelf")?;
        Ok(Self { shelf, start, end, _folder: folder })
    }
}

fn report(what: &str, kept: &persist::Kept) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{what}")?;
    for tier in Tier::ALL {
        let figures = kept.tiers.get(tier);
        let each = figures.bytes as f64 / figures.samples.max(1) as f64;
        writeln!(
            out,
            "  {}: {} in {} bytes, {each:.2} each",
            tier.name(),
            figures.samples,
            figures.bytes
        )?;
    }
    Ok(())
}

fn keys(count: usize) -> Vec<Arc<SeriesKey>> {
    let key = |index: usize| {
        let (cpu, mode) = ((index / 8).to_string(), format!("mode_{}", index % 8));
        let labels = [("cpu", cpu.as_str()), ("mode", &mode)];
        Arc::new(SeriesKey::new("node_bench_seconds_total", labels))
    };
    (0..count).map(key).collect()
}

/// One round of counters that grow by hundredths, as those of processor time do, a few milliseconds
/// after a multiple of the interval.
fn batch(
    keys: &[Arc<SeriesKey>],
    start: i64,
    round: i64,
    interval: i64,
) -> Result<Batch, Box<dyn Error>> {
    let wall = Timestamp::from_millisecond(start + round * interval + round * 7919 % 13)?;
    let sample = |(index, key): (usize, &Arc<SeriesKey>)| {
        let grown = round * (index as i64 % 50) * 7 + round * round * 31 % 17;
        Sample { key: key.clone(), value: Value::Counter(grown as f64 / 100.0), stamp: None }
    };
    Ok(Batch {
        collector: "bench".into(),
        at: Moment { wall, uptime: Duration::from_millis((round * interval) as u64) },
        duration: Duration::ZERO,
        samples: keys.iter().enumerate().map(sample).collect(),
        rejected: Rejected::default(),
        outcome: Outcome::Ok,
        broken: false,
    })
}

fn queries(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let mut group = criterion.benchmark_group("on_disk");
    group.sample_size(20);
    let config = Config::default();
    let memory = History::new(&store::Config::default());
    let mut run = |name: &str, past: &Past, text: &str, step: i64| {
        let query = Query::parse(text, &config).expect("a sound expression");
        let query = query.reaching(Some(past.shelf.clone()));
        let steps = Steps::new(past.start, past.end, step, &config).expect("sound steps");
        let reader = |look: &mut dyn FnMut(&History)| look(&memory);
        let points = query.range(steps, &reader, &config, &|| false).expect("an answer");
        // A rate has none at the first step.
        let full = (past.end - past.start) / step;
        assert!(
            points.iter().all(|series| series.points.len() as i64 >= full - 1),
            "{name} has gaps"
        );
        group.bench_function(name, |bencher| {
            bencher.iter(|| query.range(steps, &reader, &config, &|| false));
        });
    };
    let (series, day_hours, month_hours) = if is_test() { (10, 3, 6) } else { (100, 24, 30 * 24) };
    let day = runtime.block_on(Past::of(series, day_hours, 5_000)).expect("a day");
    let one = "node_bench_seconds_total{cpu=\"0\",mode=\"mode_1\"}";
    run("day_of_1/selector", &day, one, 60_000);
    run("day_of_1/rate", &day, &format!("rate({one}[5m])"), 60_000);
    run("day_of_100/selector", &day, "node_bench_seconds_total", 300_000);
    run("day_of_100/rate", &day, "rate(node_bench_seconds_total[5m])", 300_000);
    let month = runtime.block_on(Past::of(10, month_hours, 60_000)).expect("a month");
    run("month_of_10/selector_by_hour", &month, "node_bench_seconds_total", HOUR_MS);
    run("month_of_10/max_by_hour", &month, "max_over_time(node_bench_seconds_total[1h])", HOUR_MS);
}

criterion_group!(benches, queries);
criterion_main!(benches);
