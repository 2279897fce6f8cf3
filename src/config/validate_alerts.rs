//! What no type can say about `[alerts]` and its rules: expressions, templates, conditions.

use std::collections::BTreeSet;

use super::Config;
use super::tree::{Step, keys};
use super::validate::Report;
use crate::alert::{BadEntry, Rules};
use crate::units::HumanDuration;

/// Rules that one host may have, whatever is configured.
const MAX_RULES: usize = 100_000;
/// Inhibitions, and maintenance windows: each is looked at for each alert.
const MAX_ENTRIES: usize = 1_000;
/// Rules that a rule may depend on.
const MAX_NEEDED: usize = 32;

const SECOND: HumanDuration = HumanDuration::secs(1);
const NOTHING: HumanDuration = HumanDuration::secs(0);

pub(super) fn alerts(config: &Config, report: &mut Report<'_>) {
    let alerts = &config.alerts;
    report.count("alerts.max_alerts", alerts.max_alerts);
    report.within(&keys("alerts.max_rules"), alerts.max_rules, 0..=MAX_RULES);
    report.within(&keys("alerts.max_alerts_per_rule"), alerts.max_alerts_per_rule, 1..=100_000);
    report.within(&keys("alerts.max_silences"), alerts.max_silences, 0..=100_000);
    report.time(&keys("alerts.interval"), alerts.interval, SECOND);
    report.time(&keys("alerts.start_grace"), alerts.start_grace, NOTHING);
    // Only the last changes of an alert are kept.
    report.within(&keys("alerts.flap_count"), alerts.flap_count, 0..=10);
    report.time(&keys("alerts.flap_window"), alerts.flap_window, SECOND);
    for (list, count, max) in [
        ("rule", alerts.rule.len(), alerts.max_rules),
        ("record", alerts.record.len(), alerts.max_rules),
        ("inhibit", alerts.inhibit.len(), MAX_ENTRIES),
        ("maintenance", alerts.maintenance.len(), MAX_ENTRIES),
    ] {
        if count > max {
            let message = format!("there are {count}; there may be {max}");
            let hint =
                matches!(list, "rule" | "record").then(|| "raise alerts.max_rules".to_owned());
            return report.refuse(&[keys(&format!("alerts.{list}"))], message, hint);
        }
    }
    times(config, report);
    let (_, bad) = Rules::read(alerts, &config.query);
    for BadEntry { list, index, key, message } in bad {
        // A name of a label may have dots in it, if it is a wrong one.
        let (first, rest) = key.split_once('.').map_or((&*key, None), |(a, b)| (a, Some(b)));
        let mut path = entry(list, index);
        path.push(Step::Key(first.to_owned()));
        path.extend(rest.map(|rest| Step::Key(rest.to_owned())));
        report.refuse(&[path], message, None);
    }
    names(config, report);
}

fn entry(list: &str, index: usize) -> Vec<Step> {
    let mut path = keys(&format!("alerts.{list}"));
    path.push(Step::Index(index));
    path
}

fn times(config: &Config, report: &mut Report<'_>) {
    for (index, rule) in config.alerts.rule.iter().enumerate() {
        let at = |key: &str| [entry("rule", index), keys(key)].concat();
        report.time(&at("for"), rule.hold, NOTHING);
        report.time(&at("keep_firing_for"), rule.keep_firing_for, NOTHING);
        if let Some(interval) = rule.interval {
            report.time(&at("interval"), interval, SECOND);
        }
        report.within(&at("depends_on"), rule.depends_on.len(), 0..=MAX_NEEDED);
    }
    for (index, rule) in config.alerts.record.iter().enumerate() {
        if let Some(interval) = rule.interval {
            let at = [entry("record", index), keys("interval")].concat();
            report.time(&at, interval, SECOND);
        }
    }
}

fn names(config: &Config, report: &mut Report<'_>) {
    let inhibitions = config.alerts.inhibit.iter().map(|one| one.name.as_str()).collect();
    let windows = config.alerts.maintenance.iter().map(|one| one.name.as_str()).collect();
    for (list, names) in [("inhibit", inhibitions), ("maintenance", windows)] {
        let names: Vec<&str> = names;
        let mut known = BTreeSet::new();
        for (index, name) in names.into_iter().enumerate() {
            let path = [entry(list, index), keys("name")].concat();
            if !(1..=256).contains(&name.len()) {
                report.refuse(&[path], "a name has 1 to 256 bytes".to_owned(), None);
            } else if !known.insert(name) {
                report.refuse(&[path], "an entry before it has the same name".to_owned(), None);
            }
        }
    }
}
