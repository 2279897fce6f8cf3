//! Files of rules: of ours, and behind a first byte `y` as Prometheus has them. Refused with what is
//! wrong, or all of it can be evaluated and shown, and read again as it is shown.

#![no_main]

use gz_monitor::alert::Rules;
use gz_monitor::config;
use gz_monitor::daemon::Plugins;
use gz_monitor::query::Labels;
use libfuzzer_sys::fuzz_target;

/// What a text with places may come to.
const FILLED_BYTES_MAX: usize = 4096;

fuzz_target!(|input: &[u8]| {
    let (name, bytes) = match input.split_first() {
        Some((b'y', bytes)) => ("fuzz.yml", bytes),
        _ => ("fuzz.toml", input),
    };
    let plugins = Plugins::default();
    let read = plugins.with_checks(|checks| config::load_rule_bytes(name, bytes, checks));
    let loaded = match read {
        Ok(loaded) => loaded,
        Err(problems) => {
            assert!(problems.count() > 0 && !problems.to_string().is_empty());
            return;
        }
    };
    let shown = config::show(&loaded);
    let again = plugins.with_checks(|checks| config::load_bytes(shown.as_bytes(), checks));
    assert_eq!(again.map(|again| again.config), Ok(loaded.config.clone()));
    let (rules, bad) = Rules::read(&loaded.config.alerts, &loaded.config.query);
    assert_eq!(bad, []);
    for rule in rules.iter() {
        let seen = rule.see(&Labels::default(), 0.5);
        let texts = seen.labels.values().chain(seen.annotations.values());
        assert!(texts.chain([&seen.message]).all(|text| text.len() <= FILLED_BYTES_MAX));
    }
});
