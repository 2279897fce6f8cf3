//! Input and output of block devices from /proc/diskstats, as node_exporter's `diskstats` names it.

use std::str;

use gz_monitor_sdk::{Collector, Host, Result, Sink};
use procfs::DiskStat;
use serde::Deserialize;

use super::device_pattern::DevicePattern;
use super::proc_file::{ProcFile, lines};

/// Which block devices are reported.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Devices that are left out: `*` is any text, `?` one character, `#` a number. The default,
    /// which is node_exporter's, leaves out RAM and loop devices, and partitions of common disks.
    pub exclude: Vec<DevicePattern>,
}

const EXCLUDED: [&str; 9] =
    ["ram#", "zram#", "loop#", "fd#", "hd?#", "sd?#", "vd?#", "xvd?#", "nvme#n#p#"];

impl Default for Config {
    fn default() -> Self {
        Self { exclude: EXCLUDED.map(DevicePattern::new).into() }
    }
}

/// The kernel counts in sectors of this size whatever the device's own is.
const SECTOR_BYTES: f64 = 512.0;

/// `node_disk_*{device}`, from the columns of the kernel's `Documentation/admin-guide/iostats.rst`.
pub struct DiskStats {
    file: ProcFile,
    exclude: Vec<DevicePattern>,
}

impl Collector for DiskStats {
    type Config = Config;

    fn init(config: Config, host: Host) -> Result<Self> {
        let file = ProcFile::open(&host, "proc/diskstats")?;
        Ok(Self { file, exclude: config.exclude })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        let text = self.file.read()?;
        let (mut any, mut understood) = (false, false);
        for line in lines(text) {
            any = true;
            let disk = str::from_utf8(line).ok().and_then(|line| DiskStat::from_line(line).ok());
            let Some(disk) = disk else { continue };
            understood = true;
            if !self.exclude.iter().any(|pattern| pattern.matches(&disk.name)) {
                emit(&disk, out);
            }
        }
        // A machine without any block device has an empty file.
        if understood || !any { Ok(()) } else { Err(self.file.not_understood()) }
    }
}

fn emit(disk: &DiskStat, out: &mut Sink<'_>) {
    let labels = [("device", disk.name.as_str())];
    let count = |value: u64| value as f64;
    let bytes = |sectors: u64| sectors as f64 * SECTOR_BYTES;
    let seconds = |milliseconds: u64| milliseconds as f64 / 1000.0;
    let reading = [
        ("node_disk_reads_completed_total", count(disk.reads)),
        ("node_disk_reads_merged_total", count(disk.merged)),
        ("node_disk_read_bytes_total", bytes(disk.sectors_read)),
        ("node_disk_read_time_seconds_total", seconds(disk.time_reading)),
        ("node_disk_writes_completed_total", count(disk.writes)),
        ("node_disk_writes_merged_total", count(disk.writes_merged)),
        ("node_disk_written_bytes_total", bytes(disk.sectors_written)),
        ("node_disk_write_time_seconds_total", seconds(disk.time_writing)),
        ("node_disk_io_time_seconds_total", seconds(disk.time_in_progress)),
        ("node_disk_io_time_weighted_seconds_total", seconds(disk.weighted_time_in_progress)),
    ];
    // Discards came with Linux 4.18, flushes with 5.5.
    let since = [
        ("node_disk_discards_completed_total", disk.discards.map(count)),
        ("node_disk_discards_merged_total", disk.discards_merged.map(count)),
        ("node_disk_discarded_sectors_total", disk.sectors_discarded.map(count)),
        ("node_disk_discard_time_seconds_total", disk.time_discarding.map(seconds)),
        ("node_disk_flush_requests_total", disk.flushes.map(count)),
        ("node_disk_flush_requests_time_seconds_total", disk.time_flushing.map(seconds)),
    ];
    out.gauge("node_disk_io_now", count(disk.in_progress), &labels);
    for (name, value) in reading {
        out.counter(name, value, &labels);
    }
    for (name, value) in since.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        out.counter(name, value, &labels);
    }
}
