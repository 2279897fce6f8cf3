//! Processes by state as node_exporter's `processes` names them, and those that use the most CPU
//! and memory.

use gz_monitor_sdk::{Collector, Host, Result, Sink};
use serde::Deserialize;

use super::proc_file::{ProcFile, fields, number, read_number};
use super::process_table::ProcessTable;
use super::top::Top;

/// How many processes are reported one by one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many of those that use the most CPU, and how many of those that use the most memory; 0
    /// for none.
    pub top: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { top: 5 }
    }
}

/// `node_processes_*`, and two series for the largest:
///
/// - `gz_process_top_cpu_percent{comm,pid}`: of one CPU, since the last collection, so not in the
///   first one;
/// - `gz_process_top_resident_memory_bytes{comm,pid}`.
///
/// They bear no rank, which would make new series whenever two of them change places. A process
/// that started since the last collection counts as if it had existed then.
pub struct Processes {
    host: Host,
    uptime: ProcFile,
    table: ProcessTable,
    page_bytes: f64,
    ticks_per_second: f64,
    /// How many are in each state, by its letter. One that was met once stays, with 0.
    states: [Option<u32>; 128],
    /// CPU time by process, ascending, and when it was read in seconds of uptime.
    last: (Option<f64>, Vec<CpuTime>),
    now: Vec<CpuTime>,
    cpu: Top,
    memory: Top,
}

/// A process and the CPU time it has used. Its start tells it from an earlier one of its number.
#[derive(Clone, Copy)]
struct CpuTime {
    pid: u32,
    start_ticks: f64,
    ticks: f64,
}

/// What is read of a process.
struct Stat<'l> {
    name: &'l [u8],
    state: u8,
    ticks: f64,
    threads: f64,
    start_ticks: f64,
    resident_pages: f64,
}

impl Collector for Processes {
    type Config = Config;

    fn init(config: Config, host: Host) -> Result<Self> {
        Ok(Self {
            uptime: ProcFile::open(&host, "proc/uptime")?,
            table: ProcessTable::open(&host)?,
            host,
            page_bytes: procfs::page_size() as f64,
            ticks_per_second: procfs::ticks_per_second() as f64,
            states: [None; 128],
            last: (None, Vec::new()),
            now: Vec::new(),
            cpu: Top::new(config.top),
            memory: Top::new(config.top),
        })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        let uptime = fields(self.uptime.read()?).next().and_then(number);
        let uptime = uptime.ok_or_else(|| self.uptime.not_understood())?;
        let (pids, threads) = self.walk(uptime)?;
        out.gauge("node_processes_pids", f64::from(pids), &[]);
        out.gauge("node_processes_threads", threads, &[]);
        for (state, count) in (0u8..).zip(self.states) {
            if let Some(count) = count {
                let state = char::from(state).to_string();
                out.gauge("node_processes_state", f64::from(count), &[("state", &state)]);
            }
        }
        let limits = [
            ("max_processes", "proc/sys/kernel/pid_max"),
            ("max_threads", "proc/sys/kernel/threads-max"),
        ];
        for (limit, path) in limits {
            if let Some(value) = read_number(&self.host.path(path)) {
                out.gauge(&format!("node_processes_{limit}"), value, &[]);
            }
        }
        emit_top("gz_process_top_cpu_percent", &self.cpu, out);
        emit_top("gz_process_top_resident_memory_bytes", &self.memory, out);
        Ok(())
    }
}

impl Processes {
    /// Reads all processes; returns how many they are and how many threads they have.
    fn walk(&mut self, uptime: f64) -> Result<(u32, f64)> {
        let Self { table, states, last, now, cpu, memory, page_bytes, ticks_per_second, .. } = self;
        let (mut pids, mut threads) = (0, 0.0);
        let elapsed = last.0.map(|last| uptime - last).filter(|seconds| *seconds > 0.0);
        states.iter_mut().flatten().for_each(|count| *count = 0);
        cpu.clear();
        memory.clear();
        now.clear();
        table.walk(|pid, line| {
            let Some(stat) = read_stat(line) else { return };
            pids += 1;
            threads += stat.threads;
            if let Some(count) = states.get_mut(usize::from(stat.state)) {
                *count = Some(count.unwrap_or(0) + 1);
            }
            memory.offer(stat.resident_pages * *page_bytes, pid, stat.name);
            if let Some(elapsed) = elapsed {
                let used = stat.ticks - ticks_before(&last.1, pid, stat.start_ticks);
                cpu.offer(100.0 * used / *ticks_per_second / elapsed, pid, stat.name);
            }
            now.push(CpuTime { pid, start_ticks: stat.start_ticks, ticks: stat.ticks });
        })?;
        // The kernel lists them in this order already; a fixture need not.
        now.sort_unstable_by_key(|process| process.pid);
        std::mem::swap(&mut last.1, now);
        last.0 = Some(uptime);
        Ok((pids, threads))
    }
}

fn ticks_before(last: &[CpuTime], pid: u32, start_ticks: f64) -> f64 {
    let place = last.binary_search_by_key(&pid, |process| process.pid);
    let known = place.ok().map(|place| last[place]).filter(|p| p.start_ticks == start_ticks);
    known.map_or(0.0, |process| process.ticks)
}

/// Reads `12594 (cat) R 12582 …` (proc(5)). The name is any bytes, parentheses among them.
fn read_stat(line: &[u8]) -> Option<Stat<'_>> {
    let open = line.iter().position(|byte| *byte == b'(')?;
    let close = line.iter().rposition(|byte| *byte == b')').filter(|close| *close > open)?;
    let mut fields = fields(&line[close + 1..]);
    let state = fields.next()?.first().copied().filter(u8::is_ascii_alphabetic)?;
    // Counted from the state, the 3rd field: utime is the 14th, stime the 15th, num_threads the
    // 20th, starttime the 22nd, rss the 24th.
    let mut number_after = |skipped| fields.nth(skipped).and_then(number);
    let ticks = number_after(10)? + number_after(0)?;
    let (threads, start_ticks) = (number_after(4)?, number_after(1)?);
    let resident_pages = number_after(1)?;
    let name = &line[open + 1..close];
    Some(Stat { name, state, ticks, threads, start_ticks, resident_pages })
}

fn emit_top(metric: &str, top: &Top, out: &mut Sink<'_>) {
    for entry in top.entries() {
        let (name, pid) = (String::from_utf8_lossy(&entry.name), entry.pid.to_string());
        out.gauge(metric, entry.value, &[("comm", &name), ("pid", &pid)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REST: &str =
        "12582 12582 10387 0 -1 4194304 102 0 0 0 7 3 0 0 20 0 2 0 124184 3133440 416";

    #[test]
    fn one_line() {
        let check = |name: &[u8]| {
            let line =
                [b"12594 (", name, b") R ", REST.as_bytes(), b" 18446744073709551615\n"].concat();
            let stat = read_stat(&line).unwrap();
            assert_eq!((stat.name, stat.state, stat.ticks, stat.threads), (name, b'R', 10.0, 2.0));
            assert_eq!((stat.start_ticks, stat.resident_pages), (124_184.0, 416.0));
        };
        check(b"cat");
        check(b"a) S (b");
        check(b"\xff\xfe\n");
        check(b"");
    }

    #[test]
    fn a_broken_line_is_refused() {
        let cut = &REST[..REST.len() - 4];
        for line in ["", "1", "1 (a)", "1 (a) R", "1 )a( R 1", &format!("1 (a) R {cut}")] {
            assert!(read_stat(line.as_bytes()).is_none(), "{line}");
        }
        assert!(read_stat(format!("1 (a) 5 {REST}").as_bytes()).is_none());
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let last = [(3, 10.0, 7.0), (5, 20.0, 9.0)];
        let last = last.map(|(pid, start_ticks, ticks)| CpuTime { pid, start_ticks, ticks });
        assert_eq!(ticks_before(&last, 5, 20.0), 9.0);
        assert_eq!(ticks_before(&last, 5, 21.0), 0.0);
        assert_eq!(ticks_before(&last, 4, 20.0), 0.0);
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line: Vec<u8>) {
            let _ = read_stat(&line);
        }
    }
}
