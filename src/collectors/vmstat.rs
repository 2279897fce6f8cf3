//! Paging, swapping, faults and out-of-memory kills from /proc/vmstat: the fields that
//! node_exporter takes by default.

use std::str;

use gz_monitor_sdk::{Collector, Host, Result, Sink};
use serde::Deserialize;

use super::proc_file::{ProcFile, fields, lines, number};

/// There is nothing to configure.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

/// `node_vmstat_*`, totals since boot in the kernel's units (events; KiB for `pgpgin`, `pgpgout`).
///
/// They only grow, but are gauges here: node_exporter gives them no type, and their names lack the
/// `_total` that every counter ends in.
pub struct VmStat {
    file: ProcFile,
    name: String,
}

impl Collector for VmStat {
    type Config = Config;

    fn init(_: Config, host: Host) -> Result<Self> {
        Ok(Self { file: ProcFile::open(&host, "proc/vmstat")?, name: String::new() })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        let mut understood = false;
        for line in lines(self.file.read()?) {
            let mut fields = fields(line);
            let Some(field) = fields.next().and_then(|field| str::from_utf8(field).ok()) else {
                continue;
            };
            let Some(value) = fields.next().and_then(number) else { continue };
            understood = true;
            if is_wanted(field) {
                self.name.clear();
                self.name.push_str("node_vmstat_");
                self.name.push_str(field);
                out.gauge(&self.name, value, &[]);
            }
        }
        if understood { Ok(()) } else { Err(self.file.not_understood()) }
    }
}

/// node_exporter's default, `^(oom_kill|pgpg|pswp|pg.*fault).*`.
fn is_wanted(field: &str) -> bool {
    ["oom_kill", "pgpg", "pswp"].iter().any(|prefix| field.starts_with(prefix))
        || (field.starts_with("pg") && field[2..].contains("fault"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_node_exporter() {
        for field in ["oom_kill", "pgpgin", "pgpgout", "pswpin", "pgfault", "pgmajfault"] {
            assert!(is_wanted(field), "{field}");
        }
        for field in ["nr_free_pages", "pgalloc_dma", "thp_fault_alloc", "pg", ""] {
            assert!(!is_wanted(field), "{field}");
        }
    }
}
