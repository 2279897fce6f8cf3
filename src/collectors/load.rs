//! The load averages from /proc/loadavg, as node_exporter's `loadavg` names them.

use gz_monitor_sdk::{Collector, Host, Result, Sink};
use serde::Deserialize;

use super::proc_file::{ProcFile, fields, number};

/// There is nothing to configure.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

/// `node_load1`, `node_load5` and `node_load15`: tasks that run or wait, over so many minutes.
pub struct Load {
    file: ProcFile,
}

impl Collector for Load {
    type Config = Config;

    fn init(_: Config, host: Host) -> Result<Self> {
        Ok(Self { file: ProcFile::open(&host, "proc/loadavg")? })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        let averages: Vec<f64> = fields(self.file.read()?).take(3).filter_map(number).collect();
        let [one, five, fifteen] = averages[..] else {
            return Err(self.file.not_understood());
        };
        out.gauge("node_load1", one, &[]);
        out.gauge("node_load5", five, &[]);
        out.gauge("node_load15", fifteen, &[]);
        Ok(())
    }
}
