//! From what systemd says to samples.

use std::collections::BTreeMap;

use gz_monitor_sdk::Sink;

use crate::units::{Manager, NOT_SET, Properties, Unit};

/// The states that node_exporter knows. systemd has three more (`reloading`, `refreshing` and
/// `maintenance`), which are reported while a unit is in them.
const STATES: [&str; 5] = ["active", "activating", "deactivating", "inactive", "failed"];

/// `node_systemd_version`, `node_systemd_virtualization_info` and `node_systemd_system_running`.
pub fn manager(manager: &Manager, out: &mut Sink<'_>) {
    let Manager { state, version, virtualization } = manager;
    if let Some(number) = leading_number(version) {
        out.gauge("node_systemd_version", number, &[("version", version)]);
    }
    let kind = if virtualization.is_empty() { "none" } else { virtualization };
    out.gauge("node_systemd_virtualization_info", 1.0, &[("virtualization_type", kind)]);
    out.gauge("node_systemd_system_running", number(state == "running"), &[]);
}

/// `node_systemd_units`, of all units that systemd has loaded.
pub fn summary(units: &[Unit], out: &mut Sink<'_>) {
    let mut counts: BTreeMap<&str, f64> = STATES.iter().map(|state| (*state, 0.0)).collect();
    for unit in units {
        *counts.entry(&unit.active_state).or_default() += 1.0;
    }
    for (state, count) in counts {
        out.gauge("node_systemd_units", count, &[("state", state)]);
    }
}

/// All about one unit.
pub fn unit(unit: &Unit, kind: &str, properties: &Properties, out: &mut Sink<'_>) {
    let (name, present) = (unit.name.as_str(), unit.active_state.as_str());
    let rare = (!STATES.contains(&present)).then_some(present);
    for state in STATES.into_iter().chain(rare) {
        let labels = [("name", name), ("state", state), ("type", kind)];
        out.gauge("node_systemd_unit_state", number(state == present), &labels);
    }
    let labels = [("name", name)];
    for (metric, value) in gauges(unit, properties) {
        if let Some(value) = value {
            out.gauge(metric, value, &labels);
        }
    }
    for (metric, value) in counters(properties) {
        if let Some(value) = value {
            out.counter(metric, value, &labels);
        }
    }
}

fn gauges(unit: &Unit, properties: &Properties) -> [(&'static str, Option<f64>); 6] {
    let started = properties.active_enter_usec.filter(|_| unit.active_state == "active");
    [
        ("node_systemd_unit_start_time_seconds", started.and_then(seconds)),
        ("node_systemd_unit_tasks_current", figure(properties.tasks)),
        ("node_systemd_unit_tasks_max", figure(properties.tasks_max)),
        ("gz_systemd_unit_memory_current_bytes", figure(properties.memory_bytes)),
        ("node_systemd_timer_last_trigger_seconds", properties.last_trigger_usec.and_then(seconds)),
        ("node_systemd_socket_current_connections", properties.connections.map(f64::from)),
    ]
}

fn counters(properties: &Properties) -> [(&'static str, Option<f64>); 4] {
    let cpu = figure(properties.cpu_nsec).map(|nsec| nsec / 1e9);
    [
        ("gz_systemd_unit_cpu_seconds_total", cpu),
        ("node_systemd_service_restart_total", properties.restarts.map(f64::from)),
        ("node_systemd_socket_accepted_connections_total", properties.accepted.map(f64::from)),
        ("node_systemd_socket_refused_connections_total", properties.refused.map(f64::from)),
    ]
}

/// A figure that systemd may not have.
fn figure(value: Option<u64>) -> Option<f64> {
    value.filter(|value| *value != NOT_SET).map(|value| value as f64)
}

/// A time, if it has ever been.
fn seconds(usec: u64) -> Option<f64> {
    (usec != 0 && usec != NOT_SET).then_some(usec as f64 / 1e6)
}

fn number(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

/// 252.22 of `252.22-1~deb12u1`, 257 of `257~rc1`.
fn leading_number(text: &str) -> Option<f64> {
    let mut dots = 0;
    let end = text.find(|c: char| {
        dots += usize::from(c == '.');
        !(c.is_ascii_digit() || (c == '.' && dots == 1))
    });
    text[..end.unwrap_or(text.len())].trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let check = |text, expected| assert_eq!(leading_number(text), expected, "{text}");
        check("252.22-1~deb12u1", Some(252.22));
        check("257~rc1", Some(257.0));
        check("255.4.1", Some(255.4));
        check("258", Some(258.0));
        check("249.", Some(249.0));
        check("v250", None);
        check("", None);
    }

    #[test]
    fn figures_that_there_are_not() {
        assert_eq!(figure(Some(NOT_SET)), None);
        assert_eq!(figure(None), None);
        assert_eq!(figure(Some(0)), Some(0.0));
        assert_eq!(seconds(0), None);
        assert_eq!(seconds(1_500_000), Some(1.5));
    }
}
