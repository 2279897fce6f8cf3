//! What no type can say about `[notify]`.

use super::Config;
use super::tree::{Step, keys};
use super::validate::{MIN_TIMEOUT, Report};
use crate::notify;
use crate::units::HumanDuration;

/// Deliveries at the same time: each may have a program of its own.
const MAX_CONCURRENT: usize = 64;

pub(super) fn notify(config: &Config, report: &mut Report<'_>) {
    let all = &config.notify;
    let none = HumanDuration::secs(0);
    report.time(&keys("notify.group_wait"), all.group_wait, none);
    report.time(&keys("notify.group_interval"), all.group_interval, none);
    report.time(&keys("notify.repeat_interval"), all.repeat_interval, HumanDuration::secs(1));
    report.within(&keys("notify.max_concurrent"), all.max_concurrent, 1..=MAX_CONCURRENT);
    report.within(&keys("notify.max_pending"), all.max_pending, 1..=100_000);
    report.size("notify.max_size", all.max_size, 1 << 10, 1 << 20);
    report.time(&keys("notify.retry_min"), all.retry_min, MIN_TIMEOUT);
    report.time(&keys("notify.retry_max"), all.retry_max, all.retry_min);
    report.time(&keys("notify.max_age"), all.max_age, HumanDuration::secs(1));
    report.within(&keys("notify.keep"), all.keep, 0..=100_000);
    for (name, channel) in &all.channel {
        let here = [keys("notify.channel"), vec![Step::Key(name.clone())]].concat();
        let at = |key: &str| [here.clone(), keys(key)].concat();
        report.time(&at("timeout"), channel.timeout, MIN_TIMEOUT);
        report.within(&at("max_per_minute"), channel.max_per_minute, 0..=1_000_000);
    }
    for (index, route) in all.route.iter().enumerate() {
        let here = [keys("notify.route"), vec![Step::Index(index)]].concat();
        let times = [
            ("group_wait", route.group_wait, none),
            ("group_interval", route.group_interval, none),
            ("repeat_interval", route.repeat_interval, HumanDuration::secs(1)),
            ("escalate_after", route.escalate_after, none),
        ];
        for (key, time, least) in times {
            if let Some(time) = time {
                report.time(&[here.clone(), keys(key)].concat(), time, least);
            }
        }
    }
    for notify::Mistake { path, message, hint } in notify::mistakes(all) {
        let step = |step: &String| match step.parse() {
            Ok(index) if path[0] == "route" => Step::Index(index),
            _ => Step::Key(step.clone()),
        };
        let path = [keys("notify"), path.iter().map(step).collect()].concat();
        report.refuse(&[path], message, hint);
    }
}
