//! PromQL of anybody, parsed and evaluated: whatever it is, nothing panics, and it ends.
//!
//! To run it from the root of the project, without a sanitizer, for which the code would have to be
//! unsafe: `cargo fuzz run --dev --sanitizer none --fuzz-dir tests/fuzz query`.

#![no_main]

use std::cell::Cell;
use std::sync::{Arc, LazyLock};

use gz_monitor::query::{Config, Query, Steps};
use gz_monitor::sample::SeriesKey;
use gz_monitor::store;
use gz_monitor::store::History;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

/// Looks at the clock after which a query is given up.
const PATIENCE: u32 = 1_000;

static HISTORY: LazyLock<History> = LazyLock::new(|| {
    let mut history = History::new(&store::Config::default());
    for (name, label) in [("a", "x"), ("a", "y"), ("b", "x")] {
        let key = Arc::new(SeriesKey::new(name, [("l", label)]));
        for second in 0..60 {
            let at = Timestamp::from_second(second * 5).expect("a time");
            history.push(&key, at, (second % 7) as f64);
        }
    }
    history
});

fuzz_target!(|text: &str| {
    let config = Config { max_samples: 10_000, ..Config::default() };
    let Ok(query) = Query::parse(text, &config) else { return };
    let reader = |look: &mut dyn FnMut(&History)| look(&HISTORY);
    let looks = Cell::new(0);
    let expired = || {
        looks.set(looks.get() + 1);
        looks.get() > PATIENCE
    };
    let _ = query.instant(250_000, &reader, &config, &expired);
    let steps = Steps::new(0, 300_000, 60_000, &config).expect("sound steps");
    let _ = query.range(steps, &reader, &config, &expired);
});
