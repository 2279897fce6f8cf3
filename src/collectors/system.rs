//! What the daemon's `system_status` is made of, by sysinfo: CPU, memory, load, disks, network,
//! temperatures.

use std::time::Instant;

use gz_monitor_sdk::{Collector, Error, Host, Result, Sink};
use serde::Deserialize;
use sysinfo::{MINIMUM_CPU_UPDATE_INTERVAL, MemoryRefreshKind, Networks};

use super::disks::Disks;
use super::process_table::ProcessTable;
use super::sensors::Sensors;

/// There is nothing to configure.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

/// `system_*`. Disks and processes are those below the host's root; the rest is always that of the
/// machine, for sysinfo knows no other place.
pub struct System {
    system: sysinfo::System,
    /// When the CPUs were first read; `None` once they have been read twice.
    first_reading: Option<Instant>,
    /// The CPUs' labels, by place.
    cpus: Vec<String>,
    networks: Networks,
    sensors: Sensors,
    disks: Disks,
    processes: ProcessTable,
}

impl Collector for System {
    type Config = Config;

    fn init(_: Config, host: Host) -> Result<Self> {
        let mut system = sysinfo::System::new().map_err(unavailable)?;
        system.refresh_cpu_usage();
        Ok(Self {
            cpus: system.cpus().iter().map(|cpu| cpu_label(cpu.name())).collect(),
            system,
            first_reading: Some(Instant::now()),
            networks: Networks::new().map_err(unavailable)?,
            sensors: Sensors::new()?,
            disks: Disks::open(&host)?,
            processes: ProcessTable::open(&host)?,
        })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        self.emit_cpu(out);
        self.emit_memory(out);
        let load = sysinfo::System::load_average().map_err(unavailable)?;
        out.gauge("system_load1", load.one, &[]);
        out.gauge("system_load5", load.five, &[]);
        out.gauge("system_load15", load.fifteen, &[]);
        let uptime = sysinfo::System::uptime().map_err(unavailable)?;
        out.gauge("system_uptime_seconds", uptime as f64, &[]);
        self.emit_network(out);
        self.sensors.emit(out);
        out.gauge("system_processes", self.processes.count()? as f64, &[]);
        self.emit_disks(out)
    }
}

impl System {
    /// Percent of all CPUs together, and of each. A use is a difference of two readings, which must
    /// lie some time apart: until then there is none.
    fn emit_cpu(&mut self, out: &mut Sink<'_>) {
        if self.first_reading.is_some_and(|first| first.elapsed() < MINIMUM_CPU_UPDATE_INTERVAL) {
            return;
        }
        self.first_reading = None;
        self.system.refresh_cpu_usage();
        let percent = |usage: f32| f64::from(usage).clamp(0.0, 100.0);
        out.gauge("system_cpu_usage_percent", percent(self.system.global_cpu_usage()), &[]);
        for (cpu, core) in self.system.cpus().iter().zip(&self.cpus) {
            let usage = percent(cpu.usage());
            out.gauge("system_cpu_core_usage_percent", usage, &[("core", core)]);
        }
    }

    fn emit_memory(&mut self, out: &mut Sink<'_>) {
        let kind = MemoryRefreshKind::nothing().with_ram().with_swap();
        self.system.refresh_memory_specifics(kind);
        let (total, available) = (self.system.total_memory(), self.system.available_memory());
        out.gauge("system_memory_total_bytes", total as f64, &[]);
        out.gauge("system_memory_available_bytes", available as f64, &[]);
        out.gauge("system_memory_used_bytes", total.saturating_sub(available) as f64, &[]);
        out.gauge("system_swap_total_bytes", self.system.total_swap() as f64, &[]);
        out.gauge("system_swap_used_bytes", self.system.used_swap() as f64, &[]);
    }

    /// Bytes since boot, of all interfaces but loopback.
    fn emit_network(&mut self, out: &mut Sink<'_>) {
        self.networks.refresh(true);
        for (name, data) in self.networks.iter() {
            let name = name.to_string_lossy();
            if name == "lo" {
                continue;
            }
            let labels = [("interface", &*name)];
            let (received, sent) = (data.total_received(), data.total_transmitted());
            out.counter("system_network_receive_bytes_total", received as f64, &labels);
            out.counter("system_network_transmit_bytes_total", sent as f64, &labels);
        }
    }

    /// Bytes of each real filesystem, and the percentage of all together that is used.
    fn emit_disks(&mut self, out: &mut Sink<'_>) -> Result {
        let (mut total, mut used) = (0.0, 0.0);
        for disk in self.disks.read()? {
            let labels = [
                ("device", disk.mount.device.as_str()),
                ("fstype", disk.mount.fs_type.as_str()),
                ("mountpoint", disk.mount.mount_point.as_str()),
            ];
            out.gauge("system_disk_total_bytes", disk.total, &labels);
            out.gauge("system_disk_used_bytes", disk.used, &labels);
            total += disk.total;
            used += disk.used;
        }
        if total > 0.0 {
            out.gauge("system_disk_usage_percent", 100.0 * used / total, &[]);
        }
        Ok(())
    }
}

/// `0` for `cpu0`.
fn cpu_label(name: &str) -> String {
    name.strip_prefix("cpu").unwrap_or(name).to_owned()
}

fn unavailable(error: sysinfo::Error) -> Error {
    Error::Unavailable(error.to_string())
}
