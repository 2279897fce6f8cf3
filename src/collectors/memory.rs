//! Everything in /proc/meminfo, as node_exporter's `meminfo` names it.

use std::str;

use gz_monitor_sdk::{Collector, Host, Result, Sink};
use serde::Deserialize;

use super::proc_file::{ProcFile, fields, lines, number};

/// There is nothing to configure.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

/// `node_memory_*_bytes`, and `node_memory_HugePages_*` in pages.
pub struct Memory {
    file: ProcFile,
    name: String,
}

impl Collector for Memory {
    type Config = Config;

    fn init(_: Config, host: Host) -> Result<Self> {
        Ok(Self { file: ProcFile::open(&host, "proc/meminfo")?, name: String::new() })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        let mut understood = false;
        for line in lines(self.file.read()?) {
            if let Some(value) = read_line(line, &mut self.name) {
                out.gauge(&self.name, value, &[]);
                understood = true;
            }
        }
        if understood { Ok(()) } else { Err(self.file.not_understood()) }
    }
}

/// Reads `Active(anon):  7132 kB`: puts the metric's name into `name`, returns its value. What the
/// file calls kB are units of 1,024 bytes; a line without a unit counts pages.
fn read_line(line: &[u8], name: &mut String) -> Option<f64> {
    let mut fields = fields(line);
    let key = str::from_utf8(fields.next()?.strip_suffix(b":")?).ok()?;
    let value = number(fields.next()?)?;
    name.clear();
    name.push_str("node_memory_");
    name.extend(key.chars().filter(|c| *c != ')').map(|c| if c == '(' { '_' } else { c }));
    match fields.next() {
        None => Some(value),
        Some(b"kB") => {
            name.push_str("_bytes");
            Some(value * 1024.0)
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line() {
        let check = |line: &str, expected: Option<(&str, f64)>| {
            let mut name = String::from("node_memory_of_the_line_before");
            let value = read_line(line.as_bytes(), &mut name);
            assert_eq!(value.map(|value| (name.as_str(), value)), expected, "{line}");
        };
        check("MemTotal:       16 kB", Some(("node_memory_MemTotal_bytes", 16_384.0)));
        check("Active(anon):    1 kB", Some(("node_memory_Active_anon_bytes", 1_024.0)));
        check("HugePages_Total: 3", Some(("node_memory_HugePages_Total", 3.0)));
        check("Cached:", None);
        check("Cached 5 kB", None);
        check("Cached: 5 furlongs", None);
        check("Cached: -5 kB", None);
        check("", None);
    }
}
