//! Pressure stall information from /proc/pressure, as node_exporter's `pressure` names it.

use std::io;

use gz_monitor_sdk::{Collector, Error, Host, Result, Sink};
use rustix::io::Errno;
use serde::Deserialize;

use super::proc_file::{ProcFile, fields, lines, number};

/// There is nothing to configure.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

/// The file, the metric of its `some` line and that of its `full` line. A whole machine is never
/// `full` of CPU pressure, and IRQ pressure has no `some`.
const RESOURCES: [(&str, Option<&str>, Option<&str>); 4] = [
    ("proc/pressure/cpu", Some("node_pressure_cpu_waiting_seconds_total"), None),
    (
        "proc/pressure/io",
        Some("node_pressure_io_waiting_seconds_total"),
        Some("node_pressure_io_stalled_seconds_total"),
    ),
    (
        "proc/pressure/memory",
        Some("node_pressure_memory_waiting_seconds_total"),
        Some("node_pressure_memory_stalled_seconds_total"),
    ),
    ("proc/pressure/irq", None, Some("node_pressure_irq_stalled_seconds_total")),
];

/// `node_pressure_*_seconds_total`: how long some tasks waited, or all were stalled. See the
/// kernel's `Documentation/accounting/psi.rst`.
pub struct Pressure {
    files: [ProcFile; 4],
}

impl Collector for Pressure {
    type Config = Config;

    fn init(_: Config, host: Host) -> Result<Self> {
        let mut files = RESOURCES.map(|(path, ..)| ProcFile::new(&host, path));
        // Before 4.20, built without it, or switched off (no `psi=1`): a kernel stays as it is.
        if files.iter_mut().all(|file| file.try_read().is_err_and(|error| is_absent(&error))) {
            return Err(no_psi());
        }
        Ok(Self { files })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        let mut present = false;
        for (file, (path, some, full)) in self.files.iter_mut().zip(RESOURCES) {
            let text = match file.try_read() {
                Ok(text) => text,
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(Error::Unavailable(format!("/{path}: {error}"))),
            };
            present = true;
            for (name, seconds) in lines(text).filter_map(|line| read_line(line, some, full)) {
                out.counter(name, seconds, &[]);
            }
        }
        if present { Ok(()) } else { Err(no_psi()) }
    }
}

fn no_psi() -> Error {
    Error::NoData("the kernel has no PSI".to_owned())
}

/// A kernel with PSI switched off still has the files, but refuses to read them.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || Errno::from_io_error(error).is_some_and(|errno| errno == Errno::OPNOTSUPP)
}

/// Reads `some avg10=0.05 avg60=0.15 avg300=1.26 total=49780396`, whose total is in microseconds.
fn read_line<'n>(
    line: &[u8],
    some: Option<&'n str>,
    full: Option<&'n str>,
) -> Option<(&'n str, f64)> {
    let mut fields = fields(line);
    let name = match fields.next()? {
        b"some" => some,
        b"full" => full,
        _ => None,
    }?;
    let total = fields.find_map(|field| field.strip_prefix(b"total="))?;
    Some((name, number(total)? / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line() {
        let check = |line: &str, expected| {
            assert_eq!(read_line(line.as_bytes(), Some("s"), Some("f")), expected, "{line}");
        };
        check("some avg10=0.05 avg60=0.15 avg300=1.26 total=49780396", Some(("s", 49.780396)));
        check("full total=1000000 later=1", Some(("f", 1.0)));
        check("full avg10=0.05", None);
        check("full avg10=0.05 total=x", None);
        check("none total=1", None);
        assert_eq!(read_line(b"full total=0", Some("s"), None), None);
    }
}
