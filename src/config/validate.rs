//! What no type can say: bounds, and values that do not go together.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::problem::Problem;
use super::tree::{Node, Step, keys};
use super::{Checks, Config, validate_alerts, validate_collectors, validate_notify};
use crate::server::{ClientCertificates, are_groups};
use crate::units::{ByteSize, HumanDuration};

/// The least time between two rounds of anything.
pub(super) const MIN_INTERVAL: HumanDuration = millis(100);

/// The least time-out that is not a mistake.
pub(super) const MIN_TIMEOUT: HumanDuration = millis(1);

/// Longer than anybody waits, and short enough to be added to any clock.
const MAX_DURATION: HumanDuration = HumanDuration::secs(365 * 86_400);

/// Longer than any host is asked about.
const MAX_AGE: HumanDuration = HumanDuration::secs(20 * 365 * 86_400);

/// More than any host needs, and far from what an allocation or a channel can hold.
const MAX_COUNT: usize = 10_000_000;
/// Threads for clients: more than any machine has processors for.
const MAX_SHARDS: usize = 1_024;

/// Names and origins that a request is compared with, one by one.
const LISTED_MAX: usize = 1_000;

const fn millis(count: u64) -> HumanDuration {
    HumanDuration(std::time::Duration::from_millis(count))
}

/// Collects what is refused, each at the place where it was said.
pub(super) struct Report<'a> {
    tree: &'a Node,
    struck: &'a [String],
    found: Found,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) problems: Vec<Problem>,
    /// What may mend itself while the daemon runs.
    pub(super) warnings: Vec<Problem>,
}

/// All that is wrong with `config`, which was read from `tree`. Nothing is said about a value that
/// stands in for one in `struck`, nor about plugins without `checks`.
pub(super) fn validate(
    config: &Config,
    tree: &Node,
    struck: &[String],
    checks: Option<&Checks<'_>>,
) -> Found {
    let mut report = Report { tree, struck, found: Found::default() };
    server(config, &mut report);
    if let Some(checks) = checks {
        access(config, checks, &mut report);
    }
    if let Some(Err(error)) = checks.map(|checks| (checks.certificate)(&config.server.tls)) {
        let path = keys(&format!("server.tls.{}", error.key));
        report.refuse(&[path], error.message, error.hint.map(str::to_owned));
    }
    clients(config, &mut report);
    auth(config, &mut report);
    websocket(config, &mut report);
    stream(config, &mut report);
    state(config, &mut report);
    storage(config, &mut report);
    validate_alerts::alerts(config, &mut report);
    validate_notify::notify(config, &mut report);
    validate_collectors::collectors(config, &mut report);
    validate_collectors::instances(config, checks, &mut report);
    report.found
}

impl Report<'_> {
    /// Refuses what `paths` say together; the first one is blamed.
    pub(super) fn refuse(&mut self, paths: &[Vec<Step>], message: String, hint: Option<String>) {
        self.found.problems.extend(self.problem(paths, message, hint));
    }

    /// Warns of what `path` says.
    pub(super) fn warn(&mut self, path: Vec<Step>, message: String, hint: Option<String>) {
        self.found.warnings.extend(self.problem(&[path], message, hint));
    }

    fn problem(
        &self,
        paths: &[Vec<Step>],
        message: String,
        hint: Option<String>,
    ) -> Option<Problem> {
        let described = paths.iter().map(|path| self.tree.describe(path));
        let described: Vec<String> = described.collect();
        if described.iter().any(|path| self.struck.contains(path)) {
            return None;
        }
        let origin = self.tree.origin_of(paths.first()?);
        Some(Problem::new(origin, described.into_iter().next()?, message, hint))
    }

    /// Refuses what is not in `range`.
    pub(super) fn within<T>(&mut self, path: &[Step], value: T, range: RangeInclusive<T>)
    where
        T: PartialOrd + Display,
    {
        self.bounded(path, &value, &range, ["small", "large"], T::to_string);
    }

    /// Refuses what is shorter than `least`, or longer than anybody waits.
    pub(super) fn time(&mut self, path: &[Step], value: HumanDuration, least: HumanDuration) {
        let range = least..=MAX_DURATION;
        self.bounded(path, &value, &range, ["short", "long"], HumanDuration::exact);
    }

    fn bounded<T: PartialOrd>(
        &mut self,
        path: &[Step],
        value: &T,
        range: &RangeInclusive<T>,
        [little, much]: [&str; 2],
        text: impl Fn(&T) -> String,
    ) {
        let message = if value < range.start() {
            format!("{} is too {little}: {} or more", text(value), text(range.start()))
        } else if value > range.end() {
            format!("{} is too {much}: {} or less", text(value), text(range.end()))
        } else {
            return;
        };
        self.refuse(&[path.to_vec()], message, None);
    }

    pub(super) fn count(&mut self, path: &str, value: usize) {
        self.within(&keys(path), value, 1..=MAX_COUNT);
    }

    pub(super) fn size(&mut self, path: &str, value: ByteSize, least: u64, greatest: u64) {
        self.within(&keys(path), value, ByteSize(least)..=ByteSize(greatest));
    }
}

fn server(config: &Config, report: &mut Report<'_>) {
    let server = &config.server;
    report.within(&keys("server.hosts"), server.hosts.len(), 0..=LISTED_MAX);
    report.within(&keys("server.origins"), server.origins.len(), 0..=LISTED_MAX);
    report.within(&keys("server.trusted_proxies"), server.trusted_proxies.len(), 0..=LISTED_MAX);
    if let Some(mistake) = server.socket_mistake() {
        report.refuse(&[keys("server.socket")], mistake, None);
    }
    report.count("server.max_connections", server.max_connections);
    report.count("server.max_connections_per_address", server.max_connections_per_address);
    report.count("server.max_handshakes", server.max_handshakes);
    report.within(&keys("server.max_request_rate"), server.max_request_rate, 0..=10_000_000);
    report.size("server.max_body_size", server.max_body_size, 1 << 10, 1 << 30);
    report.time(&keys("server.header_timeout"), server.header_timeout, MIN_TIMEOUT);
    report.time(&keys("server.request_timeout"), server.request_timeout, MIN_TIMEOUT);
    report.time(&keys("server.shutdown_timeout"), server.shutdown_timeout, HumanDuration::secs(0));
}

/// Who can reach the daemon, and whether they have to say who they are.
fn access(config: &Config, checks: &Checks<'_>, report: &mut Report<'_>) {
    let server = &config.server;
    let has_tokens = match (checks.tokens)(config) {
        Ok(count) => count > 0 || server.auth.required || !server.tls.client.is_empty(),
        Err(error) => {
            let paths = [keys("server.auth.tokens_file")];
            return report.refuse(&paths, error.to_string(), Some(error.hint.to_owned()));
        }
    };
    let danger = server.exposure(server.host, has_tokens);
    if let Some(danger) = danger.filter(|_| !server.insecure) {
        let paths = [keys("server.host"), keys("server.insecure")];
        let message = format!("other machines can reach {} {danger}", server.host);
        let missing = match (server.tls.is_on(), has_tokens) {
            (true, _) => "make a token with `gz-monitor token create`",
            (_, true) => "name a certificate and its key in server.tls",
            _ => {
                "name a certificate and its key in server.tls and make a token with `gz-monitor token create`"
            }
        };
        let hint =
            format!("listen on 127.0.0.1 or ::1, or {missing}, or say insecure = true to allow it");
        report.refuse(&paths, message, Some(hint));
    }
}

/// Who may do what by a certificate.
fn clients(config: &Config, report: &mut Report<'_>) {
    let tls = &config.server.tls;
    report.within(&keys("server.tls.client"), tls.client.len(), 0..=LISTED_MAX);
    let is_required = tls.client_certificates == ClientCertificates::Required;
    if tls.client_ca.is_none() && (is_required || !tls.client.is_empty()) {
        let key = if is_required { "client_certificates" } else { "client" };
        let message = "nobody is asked for a certificate without client_ca".to_owned();
        let hint = "name the authority that has made the clients' certificates".to_owned();
        report.refuse(&[keys(&format!("server.tls.{key}"))], message, Some(hint));
    }
    if tls.client_ca.is_some() && !tls.is_on() {
        let message = "clients show certificates by TLS, and there is no certificate".to_owned();
        let hint = "name the daemon's own certificate and key in server.tls".to_owned();
        report.refuse(&[keys("server.tls.client_ca")], message, Some(hint));
    }
    for (index, client) in tls.client.iter().enumerate() {
        let at = |key: &str| {
            let mut path = keys("server.tls.client");
            path.extend([Step::Index(index), Step::Key(key.to_owned())]);
            path
        };
        if !are_groups(client.groups.as_deref()) {
            let message = "at most 100 names of letters, digits and -._@ of ASCII".to_owned();
            report.refuse(&[at("groups")], message, None);
        }
        if tls.client[..index].iter().any(|before| before.name == client.name) {
            let message = format!("{:?} is there twice", client.name.as_str());
            let hint = "write one [[server.tls.client]] for each name".to_owned();
            report.refuse(&[at("name")], message, Some(hint));
        }
    }
}

fn auth(config: &Config, report: &mut Report<'_>) {
    let auth = &config.server.auth;
    report.within(&keys("server.auth.max_tokens"), auth.max_tokens, 1..=10_000);
    let failures = keys("server.auth.max_failures_per_minute");
    report.within(&failures, auth.max_failures_per_minute, 1..=1_000_000);
    report.count("server.auth.max_failure_addresses", auth.max_failure_addresses);
    let rate = keys("server.auth.max_request_rate");
    report.within(&rate, auth.max_request_rate, 0..=10_000_000);
    let lifetime = keys("server.auth.session_lifetime");
    report.time(&lifetime, auth.session_lifetime, HumanDuration::secs(60));
    report.within(&keys("server.auth.max_sessions"), auth.max_sessions, 1..=100_000);
    report.within(&keys("server.auth.max_audit_entries"), auth.max_audit_entries, 0..=100_000);
}

fn websocket(config: &Config, report: &mut Report<'_>) {
    let websocket = &config.websocket;
    report.size("websocket.max_message_size", websocket.max_message_size, 1 << 10, 16 << 20);
    report.within(&keys("websocket.deflate_level"), websocket.deflate_level, 1..=9);
    report.size("websocket.deflate_min_size", websocket.deflate_min_size, 0, 1 << 30);
    report.time(&keys("websocket.ping_interval"), websocket.ping_interval, HumanDuration::secs(1));
    report.time(&keys("websocket.pong_timeout"), websocket.pong_timeout, MIN_TIMEOUT);
    report.time(&keys("websocket.write_timeout"), websocket.write_timeout, MIN_TIMEOUT);
    report.within(&keys("websocket.max_groups"), websocket.max_groups, 0..=1_000);
    report.count("websocket.max_publishing", websocket.max_publishing);
    report.within(&keys("websocket.max_message_rate"), websocket.max_message_rate, 1..=1_000_000);
    report.within(&keys("websocket.shards"), websocket.shards, 0..=MAX_SHARDS);
}

fn stream(config: &Config, report: &mut Report<'_>) {
    let hub = &config.hub;
    report.count("hub.client_buffer", hub.client_buffer);
    report.size("hub.client_bytes", hub.client_bytes, 1 << 10, 1 << 40);
    report.count("hub.broadcast_buffer", hub.broadcast_buffer);
    report.count("hub.log_messages", hub.log_messages);
    report.size("hub.log_bytes", hub.log_bytes, 64 << 10, 1 << 40);
    if hub.log_messages != 0 && hub.log_messages < hub.client_buffer {
        let (log, client) = (keys("hub.log_messages"), keys("hub.client_buffer"));
        let said = report.tree.get(&log).is_some();
        let paths = if said { [log, client] } else { [client, log] };
        let message = format!(
            "client_buffer = {} is more than log_messages = {}, which is all there is to wait for",
            hub.client_buffer, hub.log_messages
        );
        report.refuse(&paths, message, None);
    }
    report.time(&keys("status.interval"), config.status.interval, MIN_INTERVAL);
}

fn state(config: &Config, report: &mut Report<'_>) {
    report.count("store.max_series", config.store.max_series);
    let minute = HumanDuration::secs(60);
    report.time(&keys("store.memory"), config.store.memory, minute);
    report.size("store.max_bytes", config.store.max_bytes, 64 << 10, 1 << 40);
    let query = &config.query;
    report.time(&keys("query.timeout"), query.timeout, MIN_TIMEOUT);
    report.count("query.max_series", query.max_series);
    report.within(&keys("query.max_samples"), query.max_samples, 1..=1_000_000_000);
    report.count("query.max_points", query.max_points);
    report.size("query.max_length", query.max_length, 1, 1 << 20);
    report.within(&keys("query.max_concurrent"), query.max_concurrent, 1..=1_000);
    report.within(&keys("query.max_waiting"), query.max_waiting, 0..=100_000);
    report.count("tasks.max_tasks", config.tasks.max_tasks);
    report.size("tasks.max_details_size", config.tasks.max_details_size, 1, 16 << 20);
    report.within(&keys("tasks.max_ended"), config.tasks.max_ended, 0..=MAX_COUNT);
    report.time(&keys("tasks.keep_ended"), config.tasks.keep_ended, HumanDuration::secs(0));
    report.within(&keys("tasks.max_names"), config.tasks.max_names, 0..=10_000);
    let promise = config.tasks.heartbeat;
    let least = if promise.is_zero() { promise } else { HumanDuration::secs(1) };
    report.time(&keys("tasks.heartbeat"), promise, least);
    report.size("groups.max_message_size", config.groups.max_message_size, 1, 16 << 20);
    report.count("groups.max_groups", config.groups.max_groups);
}

fn storage(config: &Config, report: &mut Report<'_>) {
    let (storage, history) = (&config.storage, &config.history);
    let path = storage.path.as_ref().filter(|path| !path.as_os_str().is_empty());
    if let Some(path) = path.filter(|path| !path.is_absolute()) {
        let message = format!("{} is not absolute", path.display());
        let hint = "a service has no folder that it could be relative to";
        report.refuse(&[keys("storage.path")], message, Some(hint.to_owned()));
    }
    report.time(&keys("storage.commit_timeout"), storage.commit_timeout, MIN_TIMEOUT);
    report.count("storage.queue", storage.queue);
    report.size("storage.backlog", storage.backlog, 64 << 10, 1 << 30);
    report.time(&keys("history.events"), history.events, HumanDuration::secs(1));
    report.size("history.events_size", history.events_size, 64 << 10, 1 << 40);
    let hour = HumanDuration::secs(3_600);
    let range = hour..=MAX_AGE;
    report.bounded(
        &keys("history.audit"),
        &history.audit,
        &range,
        ["short", "long"],
        HumanDuration::exact,
    );
    report.count("history.audit_entries", history.audit_entries);
    samples(config, report);
}

fn samples(config: &Config, report: &mut Report<'_>) {
    let history = &config.history;
    let longest = HumanDuration::secs(60);
    report.bounded(
        &keys("history.save_interval"),
        &history.save_interval,
        &(MIN_INTERVAL..=longest),
        ["short", "long"],
        HumanDuration::exact,
    );
    for (key, age, size_key, size) in [
        ("history.full", history.full, "history.full_size", history.full_size),
        ("history.minutes", history.minutes, "history.minutes_size", history.minutes_size),
        ("history.hours", history.hours, "history.hours_size", history.hours_size),
    ] {
        let range = HumanDuration::secs(3_600)..=MAX_AGE;
        report.bounded(&keys(key), &age, &range, ["short", "long"], HumanDuration::exact);
        report.size(size_key, size, 1 << 20, 1 << 40);
    }
    report.count("history.max_series", history.max_series);
    if history.minutes < history.full {
        let paths = [keys("history.minutes"), keys("history.full")];
        let (minutes, full) = (history.minutes.exact(), history.full.exact());
        let message =
            format!("minutes = {minutes} is less than full = {full}, and would serve nothing");
        report.refuse(&paths, message, None);
    }
    if history.hours < history.minutes {
        let paths = [keys("history.hours"), keys("history.minutes")];
        let (hours, minutes) = (history.hours.exact(), history.minutes.exact());
        let message =
            format!("hours = {hours} is less than minutes = {minutes}, and would serve nothing");
        report.refuse(&paths, message, None);
    }
}
