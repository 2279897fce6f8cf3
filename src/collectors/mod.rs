//! The built-in collectors, one file each, written against the SDK like any plugin.
//!
//! `system` is what `system_status` is made of. The others read /proc and /sys and use the names,
//! labels and units of Prometheus node_exporter, so that its dashboards and rules work unchanged.

pub mod cpu;
pub mod diskstats;
pub mod filesystem;
pub mod load;
pub mod memory;
pub mod network;
pub mod pressure;
pub mod processes;
pub mod system;
pub mod vmstat;

mod cpufreq;
mod device_pattern;
mod disks;
mod mount_table;
mod probes;
mod proc_file;
mod process_table;
mod sensors;
mod top;
