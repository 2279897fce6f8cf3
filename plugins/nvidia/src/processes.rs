//! The processes that have memory on a GPU.

use std::collections::BTreeMap;
use std::fs;

use gz_monitor_sdk::{Host, Kind};
use nvml_wrapper::Device;
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;

use crate::reader::Reader;

/// Emits the memory of the `limit` processes that have the most, and how many there are.
pub fn read(
    device: &Device<'_>,
    limit: usize,
    reader: &mut Reader<'_, '_>,
) -> Result<(), NvmlError> {
    let compute = reader.take("compute processes", device.running_compute_processes())?;
    let graphics = reader.take("graphics processes", device.running_graphics_processes())?;
    if compute.is_none() && graphics.is_none() {
        return Ok(());
    }
    let largest = largest(compute.into_iter().chain(graphics).flatten());
    reader.emit(Kind::Gauge, "nvidia_gpu_processes", &[], largest.len() as f64);
    for (pid, bytes) in largest.into_iter().take(limit) {
        if let Some(bytes) = bytes {
            let (comm, pid) = (name(reader.host, pid), pid.to_string());
            let (metric, labels) =
                ("nvidia_gpu_process_memory_bytes", [("pid", pid.as_str()), ("comm", &comm)]);
            reader.emit(Kind::Gauge, metric, &labels, bytes as f64);
        }
    }
    Ok(())
}

/// The processes and their bytes, if known, the largest first. One that both computes and draws is in
/// both lists of NVML, with the same memory.
fn largest(processes: impl Iterator<Item = ProcessInfo>) -> Vec<(u32, Option<u64>)> {
    let mut bytes_by_pid = BTreeMap::new();
    for process in processes {
        let bytes = match process.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => Some(bytes),
            UsedGpuMemory::Unavailable => None,
        };
        let known: &mut Option<u64> = bytes_by_pid.entry(process.pid).or_default();
        *known = bytes.max(*known);
    }
    let mut all: Vec<_> = bytes_by_pid.into_iter().collect();
    all.sort_by_key(|(pid, bytes)| (std::cmp::Reverse(*bytes), *pid));
    all
}

/// The name of a process in /proc/PID/comm; empty if it has ended or is in another PID namespace.
fn name(host: &Host, pid: u32) -> String {
    let comm = fs::read(host.path(format!("proc/{pid}/comm"))).unwrap_or_default();
    String::from_utf8_lossy(&comm).trim_end().to_owned()
}
