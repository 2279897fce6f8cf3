//! What a process has spent and what it holds, from /proc.

use std::fs;

use anyhow::Context as _;

/// Nanoseconds of processor time that the threads of a process have had (proc(5), schedstat).
pub fn cpu_nanos(pid: u32) -> anyhow::Result<u64> {
    let mut total = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        total += text.split(' ').next().context("a number")?.parse::<u64>()?;
    }
    Ok(total)
}

/// Bytes of memory that a process has resident.
pub fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    field(&format!("/proc/{pid}/smaps_rollup"), "Rss:")
}

/// Bytes of the kernel's objects, of the whole machine.
pub fn kernel_bytes() -> anyhow::Result<u64> {
    field("/proc/meminfo", "Slab:")
}

/// A line of `path` that is a number of kilobytes.
fn field(path: &str, name: &str) -> anyhow::Result<u64> {
    let text = fs::read_to_string(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let line = line.with_context(|| format!("no {name} in {path}"))?;
    let number = line.trim().trim_end_matches(" kB").parse::<u64>()?;
    Ok(number * 1024)
}
