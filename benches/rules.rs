//! What a round of rules costs: 1,000 rules over 5,000 series, each rule of a metric of its own with
//! five series, half of them rates; with none of the alerts firing, and with one of each rule.
//!
//! `cargo bench --bench rules`. The time of `judge` is on the thread that evaluates, that of `apply` is
//! the pipeline's.

use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gz_monitor::alert::{Config, Registry, Round, Rules, Ruling, judge};
use gz_monitor::query;
use gz_monitor::sample::{Moment, SeriesKey};
use gz_monitor::store;
use gz_monitor::store::History;
use jiff::Timestamp;

const RULES: usize = 1_000;
const SERIES_OF_A_RULE: usize = 5;
const INTERVAL_S: i64 = 5;
const SAMPLES_S: i64 = 600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time in the calendar")
}

/// Ten minutes of samples. Those of the first series of each metric are ten times the others'.
fn history() -> History {
    let mut history = History::new(&store::Config::default());
    let keys: Vec<Arc<SeriesKey>> = (0..RULES * SERIES_OF_A_RULE)
        .map(|index| {
            let name = format!("bench_{}_total", index / SERIES_OF_A_RULE);
            let device = (index % SERIES_OF_A_RULE).to_string();
            Arc::new(SeriesKey::new(&name, [("device", device.as_str())]))
        })
        .collect();
    for second in (0..=SAMPLES_S).step_by(INTERVAL_S as usize) {
        for (index, key) in keys.iter().enumerate() {
            let factor = if index % SERIES_OF_A_RULE == 0 { 10.0 } else { 1.0 };
            history.push(key, at(second), second as f64 * factor);
        }
    }
    history
}

/// `rate` is above 5 for the first series alone, and the last value above 5,000.
fn rules(fires: bool) -> Arc<Rules> {
    let rules: Vec<String> = (0..RULES)
        .map(|rule| {
            let (rate, last) = if fires { (5, 5_000) } else { (50, 50_000) };
            let expr = match rule % 2 {
                0 => format!("rate(bench_{rule}_total[5m]) > {rate}"),
                _ => format!("bench_{rule}_total > {last}"),
            };
            format!("[[rule]]\nid = 'r{rule}'\nexpr = '{expr}'\nmessage = '{{{{ $value }}}}'\n")
        })
        .collect();
    let config: Config = toml::from_str(&rules.concat()).expect("rules");
    let (rules, bad) = Rules::read(&config, &query::Config::default());
    assert!(bad.is_empty(), "{bad:?}");
    Arc::new(rules)
}

fn round(rules: &Rules, history: &History) -> Round {
    let reader = |look: &mut dyn FnMut(&History)| look(history);
    let now = at(SAMPLES_S);
    let rulings = rules.iter().map(|rule| Ruling {
        rule: rule.id.clone(),
        outcome: judge(rule, rules, now, None, &reader, &|| false),
        took: Duration::ZERO,
    });
    Round { at: now, rulings: rulings.collect(), skipped: 0 }
}

fn rounds(criterion: &mut Criterion) {
    let history = history();
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(RULES as u64)).sample_size(20);
    let now = Moment { wall: at(SAMPLES_S), uptime: Duration::from_secs(3_600) };
    for (name, fires) in [("quiet", false), ("all_firing", true)] {
        let rules = rules(fires);
        group.bench_function(format!("judge_{name}"), |bencher| {
            bencher.iter(|| round(&rules, &history));
        });
        let done = round(&rules, &history);
        let seen = done.rulings.iter().filter_map(|ruling| ruling.outcome.as_ref().ok());
        let seen: usize = seen.map(|outcome| outcome.seen.len()).sum();
        assert_eq!(seen, if fires { RULES } else { 0 });
        let mut registry = Registry::new(rules.clone());
        registry.apply(done.clone(), now);
        group.bench_function(format!("apply_{name}"), |bencher| {
            bencher.iter_batched(
                || done.clone(),
                |round| registry.apply(round, now),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, rounds);
criterion_main!(benches);
