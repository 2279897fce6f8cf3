//! A plugin that reports systemd's units: their states, restarts, start times, processor time, memory
//! and tasks, asked of org.freedesktop.systemd1 (the D-Bus interface of systemd(1),
//! org.freedesktop.systemd1(5)) over the system bus.
//!
//! Names and labels are those of Prometheus node_exporter's `systemd` collector, where it has them;
//! `gz_systemd_*` is ours. One connection is kept and made again after it breaks. A collection is one
//! `ListUnits`, three properties of the manager, and one `GetAll` for each service, socket and timer
//! that is reported and not idle. docs/plugins-shipped.md lists the metrics.
//!
//! Where systemd does not run, or has no system bus, there is nothing to report.

mod bus;
mod filter;
mod report;
#[cfg(test)]
mod tests;
mod units;

use std::time::Duration;

use gz_monitor_sdk::{Collector, Error, Host, Level, Result, Sink, export_plugin};
use serde::Deserialize;

use bus::{Bus, Fault};
use filter::{Filter, Glob};
use units::{Properties, Types, Unit};

export_plugin! {
    SystemdUnits {
        id: "systemd-units",
        summary: "States, restarts, CPU, memory and tasks of systemd's units.",
        interval: "30s",
    },
}

/// `[collector.config]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// The bus as a D-Bus address; by default `run/dbus/system_bus_socket` of the host.
    address: Option<String>,
    /// Units that are reported: `*` is any text, `?` any character, `[ab]` one of these.
    include: Vec<Glob>,
    /// Units that are not reported although they are included.
    exclude: Vec<Glob>,
    /// How many units are reported at the most, the failed ones first.
    max_units: usize,
    /// How long systemd may take for one answer.
    timeout_seconds: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: None,
            include: ["*.service", "*.socket", "*.timer"].map(Glob::fixed).into(),
            exclude: Vec::new(),
            max_units: 250,
            timeout_seconds: 3.0,
        }
    }
}

struct SystemdUnits {
    host: Host,
    address: String,
    timeout: Duration,
    filter: Filter,
    bus: Option<Bus>,
    types: Types,
    /// That there are more units than are reported has been logged.
    noted_excess: bool,
}

impl Collector for SystemdUnits {
    type Config = Config;

    fn init(config: Config, host: Host) -> Result<Self> {
        let address = match config.address {
            Some(address) => bus::check(address)?,
            None => system_bus(&host)?,
        };
        if !(0.01..=60.0).contains(&config.timeout_seconds) {
            let text = format!("timeout_seconds: {}; 0.01 to 60", config.timeout_seconds);
            return Err(Error::Config(text));
        }
        let timeout = Duration::from_secs_f64(config.timeout_seconds);
        let filter = Filter::new(config.include, config.exclude, config.max_units)?;
        let bus = Some(Bus::connect(&address, timeout)?);
        let types = Types::default();
        Ok(Self { host, address, timeout, filter, bus, types, noted_excess: false })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        let bus = match self.bus.take().filter(Bus::is_open) {
            Some(bus) => bus,
            None => Bus::connect(&self.address, self.timeout)?,
        };
        self.collect_from(&bus, out)?;
        // One that has failed is not used again: it may be broken in ways that it cannot tell.
        self.bus = Some(bus);
        Ok(())
    }
}

impl SystemdUnits {
    fn collect_from(&mut self, bus: &Bus, out: &mut Sink<'_>) -> Result {
        report::manager(&bus.manager()?, out);
        let units = bus.list_units()?;
        report::summary(&units, out);
        let (reported, left_out) = self.filter.apply(units);
        self.note(left_out);
        out.gauge("gz_systemd_units_left_out", left_out as f64, &[]);
        self.types.keep_only(&reported);
        for unit in &reported {
            if self.host.cancelled() {
                return Err(Error::Unavailable("there was no time for all units".to_owned()));
            }
            let properties = self.properties(bus, unit)?;
            report::unit(unit, self.types.of(unit), &properties, out);
        }
        Ok(())
    }

    /// What else there is to say of a unit; nothing if it has gone meanwhile.
    fn properties(&mut self, bus: &Bus, unit: &Unit) -> Result<Properties> {
        if !unit.has_properties() || (unit.is_idle() && self.types.knows(unit)) {
            return Ok(Properties::default());
        }
        match bus.properties(unit) {
            Ok(properties) => {
                self.types.learn(unit, &properties);
                Ok(properties)
            }
            Err(Fault::Refused(why)) => {
                self.host.log(Level::Debug, &format!("{}: {why}", unit.name));
                Ok(Properties::default())
            }
            Err(Fault::Broken(error)) => Err(error),
        }
    }

    fn note(&mut self, left_out: usize) {
        if left_out > 0 && !self.noted_excess {
            let text = format!("{left_out} units are more than max_units and are not reported");
            self.host.log(Level::Warn, &text);
        }
        self.noted_excess = left_out > 0;
    }
}

/// The address of the host's system bus, if systemd runs there (sd_booted(3)).
fn system_bus(host: &Host) -> Result<String> {
    if !host.path("run/systemd/system").is_dir() {
        return Err(Error::NoData("systemd does not run here".to_owned()));
    }
    let socket = host.path("run/dbus/system_bus_socket");
    if !socket.exists() {
        return Err(Error::NoData(format!("there is no system bus at {}", socket.display())));
    }
    bus::address_of(&socket)
}
