//! CPU frequencies from /sys/devices/system/cpu/cpuN/cpufreq.

use std::path::PathBuf;

use gz_monitor_sdk::{Host, Sink};

use super::proc_file::read_number;

/// The attributes that may change while the machine runs, in kHz.
const CHANGING: [(&str, &str); 4] = [
    ("cpuinfo_cur_freq", "node_cpu_frequency_hertz"),
    ("scaling_cur_freq", "node_cpu_scaling_frequency_hertz"),
    ("scaling_min_freq", "node_cpu_scaling_frequency_min_hertz"),
    ("scaling_max_freq", "node_cpu_scaling_frequency_max_hertz"),
];

/// The attributes that are properties of the hardware, in kHz: read once.
const FIXED: [(&str, &str); 2] = [
    ("cpuinfo_min_freq", "node_cpu_frequency_min_hertz"),
    ("cpuinfo_max_freq", "node_cpu_frequency_max_hertz"),
];

/// The frequencies that this machine tells, which is often none in a virtual one.
pub struct CpuFreq {
    host: Host,
    cpus: Vec<Attributes>,
}

struct Attributes {
    cpu: String,
    fixed: Vec<(&'static str, f64)>,
    changing: Vec<(&'static str, PathBuf)>,
}

impl CpuFreq {
    pub fn new(host: Host) -> Self {
        Self { host, cpus: Vec::new() }
    }

    /// Emits what is known of `cpus`. An attribute that could not be read when its CPU was first
    /// seen, for want of rights or of a driver, is not tried again.
    pub fn emit<'c>(&mut self, cpus: impl Iterator<Item = &'c str>, out: &mut Sink<'_>) {
        for (place, cpu) in cpus.enumerate() {
            if self.cpus.get(place).is_none_or(|known| known.cpu != cpu) {
                self.cpus.truncate(place);
                self.cpus.push(Attributes::find(&self.host, cpu));
            }
            self.cpus[place].emit(out);
        }
    }
}

impl Attributes {
    fn find(host: &Host, cpu: &str) -> Self {
        let path = |file| host.path(format!("sys/devices/system/cpu/cpu{cpu}/cpufreq/{file}"));
        let fixed = FIXED.iter().filter_map(|(file, name)| Some((*name, hertz(path(file))?)));
        let changing = CHANGING.iter().map(|(file, name)| (*name, path(file)));
        Self {
            cpu: cpu.to_owned(),
            fixed: fixed.collect(),
            changing: changing.filter(|(_, path)| read_number(path).is_some()).collect(),
        }
    }

    fn emit(&self, out: &mut Sink<'_>) {
        let labels = [("cpu", self.cpu.as_str())];
        for (name, hertz) in &self.fixed {
            out.gauge(name, *hertz, &labels);
        }
        for (name, path) in &self.changing {
            if let Some(kilohertz) = read_number(path) {
                out.gauge(name, kilohertz * 1000.0, &labels);
            }
        }
    }
}

fn hertz(path: PathBuf) -> Option<f64> {
    Some(read_number(&path)? * 1000.0)
}
