//! Maintenance windows and what else keeps alerts silent. The lines are a schedule as cron(8) has it,
//! a time zone, a duration, a condition on labels and a time. Refused by the key that is wrong, or an
//! alert is silenced or is not, and it ends.

#![no_main]

use std::sync::Arc;

use gz_monitor::alert::{
    Config, InhibitConfig, Labels, MaintenanceConfig, Registry, Report, Rules, State,
};
use gz_monitor::query;
use gz_monitor::severity::Severity;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

/// The last second of the year 2500: until then schedules are for.
const LAST_SECOND: i64 = 16_756_761_599;

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n').map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    let (schedule, timezone, duration) = (line(), line(), line());
    let Ok(duration) = duration.parse() else { return };
    let matchers: Vec<String> = Some(line()).filter(|text| !text.is_empty()).into_iter().collect();
    let second: i64 = line().parse().unwrap_or(1_800_000_000);
    let window = MaintenanceConfig {
        name: "window".to_owned(),
        schedule,
        duration,
        timezone,
        matchers: matchers.clone(),
    };
    let inhibit = InhibitConfig {
        name: "worst".to_owned(),
        source: vec!["severity=critical".to_owned()],
        target: matchers,
        equal: vec!["device".to_owned()],
    };
    let config = Config { maintenance: vec![window], inhibit: vec![inhibit], ..Config::default() };
    let (rules, bad) = Rules::read(&config, &query::Config::default());
    for entry in &bad {
        assert!(["inhibit", "maintenance"].contains(&entry.list) && !entry.message.is_empty());
    }
    let mut registry = Registry::new(Arc::new(rules));
    let now = Timestamp::from_second(second.rem_euclid(LAST_SECOND)).expect("a time");
    for severity in [Severity::Low, Severity::Critical] {
        let (alert, _) = registry.fire(report(severity), now).expect("a good report");
        assert_eq!(alert.state == State::Silenced, alert.silenced_by.is_some());
    }
    registry.sweep(now);
});

fn report(severity: Severity) -> Report {
    Report {
        rule_id: severity.name().to_owned(),
        rule_name: "rule".to_owned(),
        severity,
        labels: Labels::from([("device".to_owned(), "sda".to_owned())]),
        annotations: Labels::new(),
        message: "m".to_owned(),
        value: None,
        threshold: None,
    }
}
