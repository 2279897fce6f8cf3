//! What no type can say about `[collectors]` and `[[collector]]`.

use std::collections::HashSet;

use super::problem::{did_you_mean, nearest};
use super::tree::{Step, keys};
use super::validate::{MIN_INTERVAL, MIN_TIMEOUT, Report};
use super::{Checks, Config};
use crate::plugin::{Capabilities, Isolation, is_builtin};
use crate::sample::is_label_name;
use crate::scheduler::Instance;
use crate::units::HumanDuration;

/// Collectors that one host may have.
const MAX_COLLECTORS: usize = 1_000;

/// Bytes that the name of a collector may have.
const MAX_NAME: usize = 64;

pub(super) fn collectors(config: &Config, report: &mut Report<'_>) {
    let all = &config.collectors;
    report.time(&keys("collectors.interval"), all.interval, MIN_INTERVAL);
    report.time(&keys("collectors.deadline"), all.deadline, MIN_TIMEOUT);
    report.time(&keys("collectors.backoff_max"), all.backoff_max, MIN_INTERVAL);
    jitter(
        report,
        &[keys("collectors.jitter"), keys("collectors.interval")],
        all.jitter,
        all.interval,
    );
    report.time(&keys("plugins.rescan"), config.plugins.rescan, MIN_INTERVAL);
    if !all.root.is_absolute() {
        let message = format!("{:?} is not an absolute path", all.root);
        report.refuse(&[keys("collectors.root")], message, None);
    }
    report.within(&keys("collectors.max_failures"), all.max_failures as usize, 1..=1_000_000);
    report.within(&keys("collectors.max_samples"), all.max_samples, 1..=1_000_000);
    report.within(&keys("collectors.max_labels"), all.max_labels, 1..=1_000);
    report.within(&keys("collectors.max_text"), all.max_text, 1..=1 << 20);
    report.time(&keys("collectors.max_clock_skew"), all.max_clock_skew, HumanDuration::secs(1));
}

fn jitter(
    report: &mut Report<'_>,
    paths: &[Vec<Step>],
    jitter: HumanDuration,
    interval: HumanDuration,
) {
    if jitter > interval {
        let message = format!(
            "a jitter of {} is longer than the interval of {}",
            jitter.exact(),
            interval.exact()
        );
        report.refuse(paths, message, None);
    }
}

pub(super) fn instances(config: &Config, checks: Option<&Checks<'_>>, report: &mut Report<'_>) {
    if config.collector.len() > MAX_COLLECTORS {
        let message = format!("{} collectors are too many", config.collector.len());
        let hint = format!("write {MAX_COLLECTORS} at most");
        return report.refuse(&[keys("collector")], message, Some(hint));
    }
    let known = checks.map(|checks| (checks, (checks.known_plugins)()));
    let mut names = HashSet::new();
    for (index, instance) in config.collector.iter().enumerate() {
        let here = vec![Step::Key("collector".to_owned()), Step::Index(index)];
        let at = |key: &str| [here.clone(), keys(key)].concat();
        if !names.insert(instance.name()) {
            let message = "a collector before it has the same name".to_owned();
            let hint = "give it a name of its own".to_owned();
            report.refuse(std::slice::from_ref(&here), message, Some(hint));
        }
        name(instance, at("name"), report);
        plugin(instance, known.as_ref(), &here, report);
        times(config, instance, &at, report);
        labels(config, instance, &at, report);
        lent(instance, &at, report);
    }
}

fn plugin(
    instance: &Instance,
    known: Option<&(&Checks<'_>, Vec<String>)>,
    here: &[Step],
    report: &mut Report<'_>,
) {
    let at = |key: &str| [here.to_vec(), keys(key)].concat();
    let has_command = !instance.command.is_empty();
    if instance.plugin.is_empty() && !has_command {
        let hint = "add plugin = \"NAME\", or command = [\"/path/of/a/program\"]".to_owned();
        let message = "it says neither which plugin nor which command".to_owned();
        return report.refuse(&[here.to_vec()], message, Some(hint));
    }
    if !instance.plugin.is_empty() && has_command {
        let message = "it is a plugin or a command, not both".to_owned();
        return report.refuse(&[at("plugin"), at("command")], message, None);
    }
    if has_command && instance.name.is_none() {
        let hint = "add name = \"NAME\"".to_owned();
        let message = "a collector with a command needs a name".to_owned();
        return report.refuse(&[at("command")], message, Some(hint));
    }
    let (Some((checks, plugins)), name) = (known, instance.plugin()) else { return };
    if !plugins.iter().any(|known| known == name) {
        let message = format!("there is no plugin {name:?}");
        let hint = did_you_mean(name, plugins.iter().map(String::as_str));
        match (checks.why_missing)(name) {
            None => report.refuse(&[at("plugin")], message, hint),
            // A bad upgrade of one plugin is no reason to do without all others.
            Some(why) => report.warn(at("plugin"), format!("{message}: {why}"), hint),
        }
    } else if let Err(message) = (checks.plugin_config)(name, &instance.plugin_config()) {
        let path = if message.starts_with("command") { at("command") } else { at("config") };
        report.refuse(&[path], message, None);
    }
}

/// The name is a label, a field of the log and an argument on the command line.
fn name(instance: &Instance, path: Vec<Step>, report: &mut Report<'_>) {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let name = instance.name();
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(legal) {
        let message =
            format!("a collector's name is 1 to {MAX_NAME} letters, digits, \"_\", \"-\" or \".\"");
        report.refuse(&[path], message, None);
    }
}

fn times(
    config: &Config,
    instance: &Instance,
    at: &impl Fn(&str) -> Vec<Step>,
    report: &mut Report<'_>,
) {
    if let Some(interval) = instance.interval {
        report.time(&at("interval"), interval, MIN_INTERVAL);
    }
    if let Some(deadline) = instance.deadline {
        report.time(&at("deadline"), deadline, MIN_TIMEOUT);
    }
    // A plugin may have an interval of its own, which is not known here.
    if let (Some(own), Some(interval)) = (instance.jitter, instance.interval) {
        jitter(report, &[at("jitter"), at("interval")], own, interval);
    } else if let Some(interval) = instance.interval {
        let paths = [at("interval"), keys("collectors.jitter")];
        jitter(report, &paths, config.collectors.jitter, interval);
    }
}

fn labels(
    config: &Config,
    instance: &Instance,
    at: &impl Fn(&str) -> Vec<Step>,
    report: &mut Report<'_>,
) {
    let limits = &config.collectors;
    if instance.labels.len() > limits.max_labels {
        let message = format!("more labels than collectors.max_labels = {}", limits.max_labels);
        report.refuse(&[at("labels"), keys("collectors.max_labels")], message, None);
    }
    for (label, value) in &instance.labels {
        let path = [at("labels"), vec![Step::Key(label.clone())]].concat();
        if !is_label_name(label) {
            let message = format!("{label:?} is no label name");
            let hint = "write letters, digits and _, no digit first, and not __ first";
            report.refuse(&[path], message, Some(hint.to_owned()));
        } else if label.len().max(value.len()) > limits.max_text {
            let message = format!("longer than collectors.max_text = {}", limits.max_text);
            report.refuse(&[path, keys("collectors.max_text")], message, None);
        }
    }
}

/// What only a child can be lent or denied.
fn lent(instance: &Instance, at: &impl Fn(&str) -> Vec<Step>, report: &mut Report<'_>) {
    let has_no_child = instance.isolation == Isolation::Inline
        || instance.command.is_empty() && is_builtin(&instance.plugin);
    let lists = [("capabilities", &instance.capabilities), ("credentials", &instance.credentials)];
    for (key, _) in lists.into_iter().filter(|(_, names)| has_no_child && !names.is_empty()) {
        let message = "a collector that runs in the daemon has all that the daemon has".to_owned();
        report.refuse(&[at(key)], message, None);
    }
    let index = |key, index| [at(key), vec![Step::Index(index)]].concat();
    for (place, name) in instance.capabilities.iter().enumerate() {
        if Capabilities::named(name).is_none() {
            let names: Vec<String> =
                Capabilities::names().iter().map(|name| name.to_lowercase()).collect();
            let near = nearest(name, names.iter().map(String::as_str));
            let hint = near.map(|near| format!("did you mean {:?}?", near.to_uppercase()));
            let such_as = || "write one of capabilities(7), such as \"CAP_NET_RAW\"".to_owned();
            let message = format!("there is no capability {name:?}");
            report.refuse(
                &[index("capabilities", place)],
                message,
                hint.or_else(|| Some(such_as())),
            );
        }
    }
    for (place, name) in instance.credentials.iter().enumerate() {
        if !is_file_name(name) {
            let message = format!("{name:?} is no name of a credential");
            let hint = "write it as LoadCredential= has it before the colon".to_owned();
            report.refuse(&[index("credentials", place)], message, Some(hint));
        }
    }
}

/// As systemd has it: what a file of a folder may be called, without a colon.
fn is_file_name(name: &str) -> bool {
    let legal = |c: char| !c.is_control() && !matches!(c, '/' | ':');
    !matches!(name, "" | "." | "..") && name.len() <= 255 && name.chars().all(legal)
}
