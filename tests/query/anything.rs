//! Expressions that nobody wrote: none panics, and a range is what its instants are.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use gz_monitor::query::{Config, Error, Labels, Outcome, Query, Sample, Series, Steps};
use gz_monitor::store::History;
use jiff::Timestamp;
use proptest::prelude::*;

use crate::script::{Metric, is_near, key, new_history};

const STEP_MS: i64 = 20_000;
const END_MS: i64 = 300_000;

/// Series with gaps, an end, resets and what is no number.
static HISTORY: LazyLock<History> = LazyLock::new(|| {
    let mut history = new_history();
    let series = [("a", "x", 5), ("a", "y", 7), ("b", "x", 5), ("b", "z", 30)];
    for (number, (name, label, interval)) in series.into_iter().enumerate() {
        let pairs = [("__name__", name), ("l", label), ("m", "1")];
        let metric: Metric =
            pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let key = key(&metric);
        for second in (number as i64..280).step_by(interval) {
            let at = Timestamp::from_second(second).expect("a time");
            match second {
                100..140 if label == "y" => history.end(&key, at),
                200..230 => history.push(&key, at, f64::NAN),
                _ => history.push(&key, at, (second % 90) as f64 / 4.0),
            }
        }
    }
    history
});

const SELECTORS: &[&str] = &[
    "a",
    "b",
    "{l=\"x\"}",
    "a{l!=\"x\"}",
    "b{l=~\"x|z\"} offset 30s",
    "a @ 60",
    "nosuch",
    "vector(2)",
    "vector(time())",
];

const OPERATORS: &str = "+ | - | / | % | ^ | > | == bool | and | or | unless | * on(l) | - ignoring(m) \
    | / on(l) group_left() | > on(m, l) group_right() | or on() | and ignoring(l)";

/// `{}` is where the vector goes.
const FUNCTIONS: &str = "abs {} | -{} | sgn {} | sort {} | timestamp {} | absent {} | sum {} | sum by(l) {} \
    | avg without(l) {} | max by(m) {} | count {} | stddev {} | group by(__name__) {} | hour {} \
    | vector(scalar {}) | topk(1, {}) | bottomk by(l) (2, {}) | quantile(0.4, {}) \
    | count_values(\"v\", {}) | clamp({}, 1, 5) | round({}, 0.5) | {} * 2 | 3 > {} | {} != bool 1 \
    | label_replace({}, \"l\", \"$1!\", \"l\", \"(.)\") | label_replace({}, \"l\", \"\", \"\", \"\") \
    | label_join({}, \"n\", \"-\", \"l\", \"m\")";

const OF_RANGES: &str = "rate | increase | delta | irate | idelta | deriv | avg_over_time | max_over_time \
    | last_over_time | count_over_time | absent_over_time | changes | resets";

fn one_of(list: &'static str) -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(list.split(" | ").map(str::trim).collect::<Vec<_>>())
}

fn vector() -> impl Strategy<Value = String> {
    let selector = prop::sample::select(SELECTORS).prop_map(str::to_owned);
    selector.prop_recursive(4, 24, 2, |inner| {
        let binary = (inner.clone(), one_of(OPERATORS), inner.clone());
        let unary = (one_of(FUNCTIONS), inner.clone());
        let subquery = (one_of(OF_RANGES), inner, 1..9i64);
        let range = (one_of(OF_RANGES), 3..200i64);
        prop_oneof![
            binary.prop_map(|(left, operator, right)| format!("({left}) {operator} ({right})")),
            unary.prop_map(|(function, inner)| function.replace("{}", &format!("({inner})"))),
            subquery.prop_map(|(function, inner, step)| {
                format!("{function}(({inner})[45s:{step}s])")
            }),
            range.prop_map(|(function, range)| format!("{function}(a[{range}s])")),
        ]
    })
}

fn sorted(samples: Vec<Sample>) -> BTreeMap<Arc<Labels>, f64> {
    samples.into_iter().map(|sample| (sample.labels, sample.value)).collect()
}

/// What a range has at one of its times.
fn at(series: &[Series], at: i64) -> BTreeMap<Arc<Labels>, f64> {
    let value = |series: &Series| {
        let point = series.points.iter().find(|point| point.0 == at)?;
        Some((series.labels.clone(), point.1))
    };
    series.iter().filter_map(value).collect()
}

proptest! {
    #[test]
    fn a_range_is_what_its_instants_are(text in vector()) {
        let config = Config::default();
        let reader = |look: &mut dyn FnMut(&History)| look(&HISTORY);
        let query = match Query::parse(&text, &config) {
            Ok(query) => query,
            Err(error) => return Err(TestCaseError::fail(format!("{text}: {error}"))),
        };
        let steps = Steps::new(0, END_MS, STEP_MS, &config).expect("sound steps");
        let range = query.range(steps, &reader, &config, &|| false);
        let mut failed = false;
        for time in (0..=END_MS).step_by(STEP_MS as usize) {
            match query.instant(time, &reader, &config, &|| false) {
                Ok(Outcome::Vector(samples)) => {
                    let Ok(series) = &range else { continue };
                    let (one, other) = (sorted(samples), at(series, time));
                    prop_assert!(one.keys().eq(other.keys()), "{text} at {time}: {one:?}, {other:?}");
                    let same = one.values().zip(other.values()).all(|(a, b)| is_near(*a, *b));
                    prop_assert!(same, "{text} at {time}: {one:?}, {other:?}");
                }
                Ok(other) => prop_assert!(false, "{text} is {other:?}"),
                Err(Error::Execution(_)) => failed = true,
                Err(error) => prop_assert!(false, "{text}: {error}"),
            }
        }
        prop_assert_eq!(range.is_err(), failed, "{}", text);
    }

    #[test]
    fn a_query_that_is_given_up_says_so(text in vector()) {
        let config = Config::default();
        let reader = |look: &mut dyn FnMut(&History)| look(&HISTORY);
        let query = Query::parse(&text, &config).expect("sound");
        let steps = Steps::new(0, END_MS, 50, &config).expect("sound steps");
        let result = query.range(steps, &reader, &config, &|| true);
        prop_assert_eq!(result, Err(Error::Timeout));
    }
}
