//! CPU time, interrupts, context switches and forks from /proc/stat, and frequencies from /sys, as
//! node_exporter's `cpu`, `stat` and `cpufreq` name them.

use gz_monitor_sdk::{Collector, Host, Result, Sink};
use serde::Deserialize;

use super::cpufreq::CpuFreq;
use super::proc_file::{ProcFile, fields, lines, number};

/// What is reported of each CPU.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Time that guests (virtual machines) had, apart. It is part of `user` and `nice` too.
    pub guest: bool,
    /// Frequencies, where the kernel tells them.
    pub frequency: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { guest: true, frequency: true }
    }
}

/// The columns of a `cpuN` line (proc(5)); the two of guests come after.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
const GUEST_MODES: [&str; 2] = ["user", "nice"];
const IDLE: usize = 3;

/// The kernel's idle and iowait times now and then step back a little. A larger step means that the
/// CPU was taken out and came back, counting from zero.
const JUMP_BACK_SECONDS: f64 = 3.0;

/// `node_cpu_seconds_total{cpu,mode}` and its kin, and the machine's totals.
pub struct Cpu {
    stat: ProcFile,
    guest: bool,
    frequency: Option<CpuFreq>,
    ticks_per_second: f64,
    times: Vec<Times>,
}

/// The time of one CPU, never less than last time.
struct Times {
    id: u32,
    label: String,
    seconds: [f64; MODES.len() + GUEST_MODES.len()],
}

impl Collector for Cpu {
    type Config = Config;

    fn init(config: Config, host: Host) -> Result<Self> {
        Ok(Self {
            stat: ProcFile::open(&host, "proc/stat")?,
            guest: config.guest,
            frequency: config.frequency.then(|| CpuFreq::new(host)),
            ticks_per_second: procfs::ticks_per_second() as f64,
            times: Vec::new(),
        })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        let (mut cpus, mut understood) = (0, false);
        for line in lines(self.stat.read()?) {
            let mut fields = fields(line);
            let Some(name) = fields.next() else { continue };
            if name.starts_with(b"cpu") {
                if let Some((id, seconds)) = read_cpu(name, fields, self.ticks_per_second) {
                    advance(&mut self.times, cpus, id, seconds);
                    cpus += 1;
                }
            } else if let Some(value) = fields.next().and_then(number) {
                understood |= emit_total(name, value, out);
            }
        }
        self.times.truncate(cpus);
        if cpus == 0 && !understood {
            return Err(self.stat.not_understood());
        }
        for cpu in &self.times {
            cpu.emit(self.guest, out);
        }
        if let Some(frequency) = &mut self.frequency {
            frequency.emit(self.times.iter().map(|cpu| cpu.label.as_str()), out);
        }
        Ok(())
    }
}

/// Reads the columns of `cpu0 16437 0 2308 …`. Old kernels lack the last ones, which are then 0.
/// The line `cpu`, their sum, is left out as in node_exporter.
fn read_cpu<'l>(
    name: &[u8],
    columns: impl Iterator<Item = &'l [u8]>,
    ticks_per_second: f64,
) -> Option<(u32, [f64; 10])> {
    let id = std::str::from_utf8(name.strip_prefix(b"cpu")?).ok()?.parse().ok()?;
    let (mut seconds, mut count) = ([0.0; 10], 0);
    for (slot, column) in seconds.iter_mut().zip(columns) {
        *slot = number(column)? / ticks_per_second;
        count += 1;
    }
    (count > IDLE).then_some((id, seconds))
}

/// Puts the reading of CPU `id` at `position`. CPUs come in ascending order, so those before it
/// that are known and did not come are gone.
fn advance(times: &mut Vec<Times>, position: usize, id: u32, seconds: [f64; 10]) {
    while times.get(position).is_some_and(|cpu| cpu.id < id) {
        times.remove(position);
    }
    if times.get(position).is_none_or(|cpu| cpu.id != id) {
        times.insert(position, Times { id, label: id.to_string(), seconds: [0.0; 10] });
    }
    let known = &mut times[position].seconds;
    if known[IDLE] - seconds[IDLE] >= JUMP_BACK_SECONDS {
        *known = [0.0; 10];
    }
    for (known, new) in known.iter_mut().zip(seconds) {
        *known = known.max(new);
    }
}

impl Times {
    fn emit(&self, guest: bool, out: &mut Sink<'_>) {
        let (host, guests) = self.seconds.split_at(MODES.len());
        for (mode, seconds) in MODES.iter().zip(host) {
            let labels = [("cpu", self.label.as_str()), ("mode", mode)];
            out.counter("node_cpu_seconds_total", *seconds, &labels);
        }
        for (mode, seconds) in GUEST_MODES.iter().zip(guests).filter(|_| guest) {
            let labels = [("cpu", self.label.as_str()), ("mode", mode)];
            out.counter("node_cpu_guest_seconds_total", *seconds, &labels);
        }
    }
}

/// Emits a line that is not about one CPU; false if nobody asked for it.
fn emit_total(name: &[u8], value: f64, out: &mut Sink<'_>) -> bool {
    match name {
        b"intr" => out.counter("node_intr_total", value, &[]),
        b"ctxt" => out.counter("node_context_switches_total", value, &[]),
        b"processes" => out.counter("node_forks_total", value, &[]),
        b"btime" => out.gauge("node_boot_time_seconds", value, &[]),
        b"procs_running" => out.gauge("node_procs_running", value, &[]),
        b"procs_blocked" => out.gauge("node_procs_blocked", value, &[]),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line() {
        let check = |line: &str, expected: Option<(u32, f64, f64)>| {
            let mut fields = fields(line.as_bytes());
            let read = read_cpu(fields.next().unwrap(), fields, 100.0);
            assert_eq!(read.map(|(id, seconds)| (id, seconds[0], seconds[9])), expected, "{line}");
        };
        check("cpu12 100 2 3 4 5 6 7 8 9 1000", Some((12, 1.0, 10.0)));
        check("cpu0 100 2 3 4 5 6 7 8 9 1000 77", Some((0, 1.0, 10.0)));
        check("cpu0 100 2 3 4", Some((0, 1.0, 0.0)));
        check("cpu0 100 2 3", None);
        check("cpu0 100 2 3 x", None);
        check("cpu 100 2 3 4 5 6 7 8 9 1000", None);
        check("cpufoo 100 2 3 4", None);
    }

    /// The idle seconds of each CPU after the rounds, each a list of (CPU, idle seconds).
    fn idle_after(rounds: &[&[(u32, f64)]]) -> Vec<(u32, f64)> {
        let mut times = Vec::new();
        for round in rounds {
            for (position, (id, idle)) in round.iter().enumerate() {
                let mut seconds = [0.0; 10];
                seconds[IDLE] = *idle;
                advance(&mut times, position, *id, seconds);
            }
            times.truncate(round.len());
        }
        times.iter().map(|cpu| (cpu.id, cpu.seconds[IDLE])).collect()
    }

    #[test]
    fn time_does_not_run_backwards() {
        assert_eq!(idle_after(&[&[(0, 10.0)], &[(0, 9.9)]]), [(0, 10.0)]);
        assert_eq!(idle_after(&[&[(0, 10.0)], &[(0, 11.0)]]), [(0, 11.0)]);
        // Three seconds back: the CPU was away, and counts from zero.
        assert_eq!(idle_after(&[&[(0, 10.0)], &[(0, 7.0)]]), [(0, 7.0)]);
    }

    #[test]
    fn cpus_come_and_go() {
        let all: &[(u32, f64)] = &[(0, 10.0), (1, 20.0), (2, 30.0)];
        assert_eq!(idle_after(&[all, &[(0, 10.0), (2, 29.0)]]), [(0, 10.0), (2, 30.0)]);
        assert_eq!(idle_after(&[all, &[(2, 29.0)]]), [(2, 30.0)]);
        assert_eq!(idle_after(&[&[(0, 1.0), (2, 2.0)], all]), all);
        assert_eq!(idle_after(&[all, &[(0, 10.0)], &[(0, 10.0), (1, 1.0)]])[1], (1, 1.0));
    }
}
