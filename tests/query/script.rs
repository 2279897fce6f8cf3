//! Cases as text: series are loaded, expressions evaluated, and what comes of them is compared.
//!
//! ```text
//! load 1m                      samples a minute apart, from 0 on
//!   up{job="x"} 1 2+3x4 _ NaN stale
//! eval instant at 5m up > 1    one line per series follows, in any order
//!   up{job="x"} 5
//! eval_ordered instant …       in this order
//! eval_fail instant …          the line that follows is a part of the error
//! eval range from 0 to 5m step 1m …
//!   up{job="x"} 1 2 _ 4        `_` is no value
//! clear                        begins anew
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use gz_monitor::query::{Config, Labels, NAME, Outcome, Query, Steps};
use gz_monitor::sample::SeriesKey;
use gz_monitor::store;
use gz_monitor::store::History;
use gz_monitor::units::{ByteSize, HumanDuration};
use jiff::Timestamp;

/// Numbers that differ by less than this part are equal.
const TOLERANCE: f64 = 1e-9;

#[test]
fn selectors() {
    run("selectors", include_str!("cases/selectors.test"));
}

#[test]
fn operators() {
    run("operators", include_str!("cases/operators.test"));
}

#[test]
fn aggregations() {
    run("aggregations", include_str!("cases/aggregations.test"));
}

#[test]
fn ranges() {
    run("ranges", include_str!("cases/ranges.test"));
}

#[test]
fn functions() {
    run("functions", include_str!("cases/functions.test"));
}

/// A series as a script writes it.
pub type Metric = BTreeMap<String, String>;

/// One thing that a script does.
enum Step<'a> {
    Load { interval: i64, series: Vec<&'a str> },
    Evaluate { kind: &'a str, what: &'a str, expected: Vec<&'a str> },
    Clear,
}

fn run(name: &str, script: &str) {
    let mut history = new_history();
    let mut evaluated = 0;
    for (line, step) in steps(script) {
        let place = format!("{name}.test:{line}");
        match step {
            Step::Clear => history = new_history(),
            Step::Load { interval, series } => {
                for text in series {
                    load(&mut history, interval, text);
                }
            }
            Step::Evaluate { kind, what, expected } => {
                evaluate(&history, kind, what, &expected, &place);
                evaluated += 1;
            }
        }
    }
    assert!(evaluated > 20, "{name} has cases");
}

/// Room for all that a test loads.
pub fn new_history() -> History {
    let (memory, max_bytes) = (HumanDuration::secs(365 * 86_400), ByteSize(1 << 30));
    let config = store::Config { memory, max_bytes, ..store::Config::default() };
    History::new(&config)
}

fn steps(script: &str) -> Vec<(usize, Step<'_>)> {
    let mut steps: Vec<(usize, Step<'_>)> = Vec::new();
    for (index, line) in script.lines().enumerate() {
        let text = line.split(" # ").next().unwrap_or_default();
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        if text.starts_with(' ') {
            match &mut steps.last_mut().expect("something to belong to").1 {
                Step::Load { series, .. } => series.push(text.trim()),
                Step::Evaluate { expected, .. } => expected.push(text.trim()),
                Step::Clear => panic!("line {}: nothing belongs to clear", index + 1),
            }
            continue;
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let step = match word {
            "clear" => Step::Clear,
            "load" => Step::Load { interval: duration(rest), series: Vec::new() },
            "eval" | "eval_ordered" | "eval_fail" => {
                Step::Evaluate { kind: word, what: rest, expected: Vec::new() }
            }
            other => panic!("line {}: {other}?", index + 1),
        };
        steps.push((index + 1, step));
    }
    steps
}

/// Milliseconds of "5m", "90s" or "0".
fn duration(text: &str) -> i64 {
    let duration: HumanDuration = text.trim().parse().expect(text);
    duration.as_millis() as i64
}

/// The metric that stands at the start of a line, and what follows it.
fn metric(text: &str) -> (Metric, &str) {
    let end = match text.find(['{', ' ']) {
        Some(brace) if text[brace..].starts_with('{') => text.find('}').expect("a brace") + 1,
        Some(space) => space,
        None => text.len(),
    };
    let (head, rest) = text.split_at(end);
    let (name, labels) = head.split_once('{').unwrap_or((head, "}"));
    let mut metric = Metric::new();
    if !name.is_empty() {
        metric.insert(NAME.to_owned(), name.to_owned());
    }
    for pair in labels.trim_end_matches('}').split(',').filter(|pair| !pair.is_empty()) {
        let (label, value) = pair.split_once('=').expect("a label");
        metric.insert(label.trim().to_owned(), value.trim().trim_matches('"').to_owned());
    }
    (metric, rest.trim())
}

pub fn key(metric: &Metric) -> Arc<SeriesKey> {
    let labels = metric.iter().filter(|(name, _)| *name != NAME);
    let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
    Arc::new(SeriesKey::new(metric.get(NAME).map_or("", String::as_str), labels))
}

fn load(history: &mut History, interval: i64, text: &str) {
    let (metric, values) = metric(text);
    let key = key(&metric);
    let mut at = 0;
    for value in values.split_whitespace().flat_map(expand) {
        let time = Timestamp::from_millisecond(at).expect("a time");
        match value {
            Loaded::Nothing => {}
            Loaded::Stale => history.end(&key, time),
            Loaded::Value(value) => history.push(&key, time, value),
        }
        at += interval;
    }
}

enum Loaded {
    Nothing,
    Stale,
    Value(f64),
}

/// "5", "_", "stale", "_x3" (three times nothing), "1+2x3" (1 3 5 7) and "1-2x3".
fn expand(word: &str) -> Vec<Loaded> {
    if let Some(count) = word.strip_prefix("_x") {
        return (0..count.parse().expect(word)).map(|_| Loaded::Nothing).collect();
    }
    match word {
        "_" => return vec![Loaded::Nothing],
        "stale" => return vec![Loaded::Stale],
        _ => {}
    }
    let Some((series, count)) = word.split_once('x') else {
        return vec![Loaded::Value(number(word))];
    };
    let sign = series[1..].find(['+', '-']).expect(word) + 1;
    let (first, step) = (number(&series[..sign]), number(&series[sign..]));
    let count: u32 = count.parse().expect(word);
    (0..=count).map(|index| Loaded::Value(first + step * f64::from(index))).collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

fn evaluate(history: &History, kind: &str, what: &str, expected: &[&str], place: &str) {
    let (config, reader) = (Config::default(), |look: &mut dyn FnMut(&History)| look(history));
    let (times, expression) = times(what);
    let query = Query::parse(expression, &config);
    let result = query.and_then(|query| match times {
        Times::Instant(at) => {
            query.instant(at, &reader, &config, &|| false).map(|outcome| lines_of(outcome, at))
        }
        Times::Range(start, end, step) => {
            let steps = Steps::new(start, end, step, &config)?;
            let series = query.range(steps, &reader, &config, &|| false)?;
            let rows = series.into_iter().map(|series| {
                let values = series.points.into_iter().collect::<BTreeMap<_, _>>();
                let at = (start..=end).step_by(step as usize);
                (metric_of(&series.labels), at.map(|at| values.get(&at).copied()).collect())
            });
            Ok(rows.collect())
        }
    });
    match (kind, result) {
        ("eval_fail", Err(error)) => {
            let part = expected.first().expect("a part of the error");
            assert!(error.to_string().contains(part), "{place}: {error}");
        }
        ("eval_fail", Ok(rows)) => panic!("{place}: {what} gives {rows:?}"),
        (_, Err(error)) => panic!("{place}: {what}: {error}"),
        (_, Ok(mut rows)) => {
            let mut wanted: Vec<Row> = expected.iter().map(|line| row(line)).collect();
            if kind != "eval_ordered" {
                rows.sort_by(|a, b| a.0.cmp(&b.0));
                wanted.sort_by(|a, b| a.0.cmp(&b.0));
            }
            let same = rows.len() == wanted.len()
                && rows.iter().zip(&wanted).all(|(one, other)| is_same(one, other));
            assert!(same, "{place}: {what}\n    is: {rows:#?}\nwanted: {wanted:#?}");
        }
    }
}

type Row = (Metric, Vec<Option<f64>>);

fn row(line: &str) -> Row {
    if let Ok(scalar) = line.parse() {
        return (Metric::new(), vec![Some(scalar)]);
    }
    let (metric, values) = metric(line);
    let values = values.split_whitespace().map(|value| (value != "_").then(|| number(value)));
    (metric, values.collect())
}

fn is_same((metric, values): &Row, (other, wanted): &Row) -> bool {
    let equal = |pair: (&Option<f64>, &Option<f64>)| match pair {
        (Some(a), Some(b)) => is_near(*a, *b),
        (a, b) => a == b,
    };
    metric == other && values.len() == wanted.len() && values.iter().zip(wanted).all(equal)
}

/// Whether two numbers are equal but for their last digits.
pub fn is_near(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

pub fn metric_of(labels: &Labels) -> Metric {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn lines_of(outcome: Outcome, at: i64) -> Vec<Row> {
    match outcome {
        Outcome::Scalar(value) => vec![(Metric::new(), vec![Some(value)])],
        Outcome::Text(text) => panic!("a text, {text:?}, at {at}"),
        Outcome::Vector(samples) => {
            let samples = samples.into_iter();
            samples.map(|sample| (metric_of(&sample.labels), vec![Some(sample.value)])).collect()
        }
        Outcome::Matrix(series) => {
            let series = series.into_iter();
            let values = |points: Vec<(i64, f64)>| points.into_iter().map(|(_, value)| Some(value));
            series.map(|one| (metric_of(&one.labels), values(one.points).collect())).collect()
        }
    }
}

enum Times {
    Instant(i64),
    Range(i64, i64, i64),
}

/// The times at the start of a line, and the expression behind them.
fn times(what: &str) -> (Times, &str) {
    let mut words = what.splitn(4, ' ');
    let mut word = || words.next().expect(what);
    match (word(), word(), word()) {
        ("instant", "at", at) => (Times::Instant(duration(at)), word()),
        ("range", "from", from) => {
            let mut words = word().splitn(5, ' ');
            let mut word = || words.next().expect(what);
            let (to, end, step, every) = (word(), word(), word(), word());
            assert_eq!((to, step), ("to", "step"), "{what}");
            (Times::Range(duration(from), duration(end), duration(every)), word())
        }
        _ => panic!("{what}?"),
    }
}
