//! Network interfaces from /proc/net/dev and /sys/class/net, as node_exporter's `netdev` and
//! `netclass` name them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use gz_monitor_sdk::{Collector, Host, Result, Sink};
use serde::Deserialize;

use super::device_pattern::DevicePattern;
use super::proc_file::{ProcFile, fields, lines, number, read_number, read_word};

/// Which interfaces are reported.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Interfaces that are left out, such as `veth*`: `*` is any text, `?` one character, `#` a
    /// number. By default none is.
    pub exclude: Vec<DevicePattern>,
}

/// The columns of /proc/net/dev.
const COUNTERS: [&str; 16] = [
    "node_network_receive_bytes_total",
    "node_network_receive_packets_total",
    "node_network_receive_errs_total",
    "node_network_receive_drop_total",
    "node_network_receive_fifo_total",
    "node_network_receive_frame_total",
    "node_network_receive_compressed_total",
    "node_network_receive_multicast_total",
    "node_network_transmit_bytes_total",
    "node_network_transmit_packets_total",
    "node_network_transmit_errs_total",
    "node_network_transmit_drop_total",
    "node_network_transmit_fifo_total",
    "node_network_transmit_colls_total",
    "node_network_transmit_carrier_total",
    "node_network_transmit_compressed_total",
];

/// `node_network_*{device}`.
pub struct Network {
    file: ProcFile,
    class: PathBuf,
    exclude: Vec<DevicePattern>,
}

impl Collector for Network {
    type Config = Config;

    fn init(config: Config, host: Host) -> Result<Self> {
        let file = ProcFile::open(&host, "proc/net/dev")?;
        Ok(Self { file, class: host.path("sys/class/net"), exclude: config.exclude })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        let mut understood = false;
        for line in lines(self.file.read()?) {
            // The two lines of headings have bars between the columns.
            if line.contains(&b'|') {
                understood = true;
                continue;
            }
            let Some((name, counters)) = read_line(line) else { continue };
            understood = true;
            let device = String::from_utf8_lossy(name);
            if self.exclude.iter().any(|pattern| pattern.matches(&device)) {
                continue;
            }
            let labels = [("device", &*device)];
            for (counter, value) in COUNTERS.iter().zip(counters) {
                out.counter(counter, value, &labels);
            }
            emit_class(self.class.join(OsStr::from_bytes(name)), &labels, out);
        }
        if understood { Ok(()) } else { Err(self.file.not_understood()) }
    }
}

/// Reads `eth0: 284408056 10555 0 …`; the colon may touch the first number.
fn read_line(line: &[u8]) -> Option<(&[u8], [f64; 16])> {
    let colon = line.iter().rposition(|byte| *byte == b':')?;
    let (name, columns) = (line[..colon].trim_ascii(), fields(&line[colon + 1..]));
    let (mut counters, mut count) = ([0.0; 16], 0);
    for (slot, column) in counters.iter_mut().zip(columns) {
        *slot = number(column)?;
        count += 1;
    }
    (count == counters.len() && !name.is_empty()).then_some((name, counters))
}

/// Emits what /sys says, as far as it can be read. An interface that is down has no speed, and a
/// virtual one an unknown speed of −1.
fn emit_class(mut attribute: PathBuf, labels: &[(&str, &str)], out: &mut Sink<'_>) {
    attribute.push("operstate");
    if let Some(state) = read_word(&attribute, &mut [0; 64]) {
        out.gauge("node_network_up", f64::from(u8::from(state == b"up")), labels);
    }
    attribute.set_file_name("mtu");
    if let Some(bytes) = read_number(&attribute) {
        out.gauge("node_network_mtu_bytes", bytes, labels);
    }
    attribute.set_file_name("speed");
    if let Some(megabits) = read_number(&attribute) {
        out.gauge("node_network_speed_bytes", megabits * 1e6 / 8.0, labels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line() {
        let check = |line: &str, expected: Option<(&str, f64, f64)>| {
            let read = read_line(line.as_bytes());
            let read = read.map(|(name, c)| (str::from_utf8(name).unwrap(), c[0], c[15]));
            assert_eq!(read, expected, "{line}");
        };
        check(" eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", Some(("eth0", 1.0, 16.0)));
        check("eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", Some(("eth0", 1.0, 16.0)));
        check("a:b: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", Some(("a:b", 1.0, 16.0)));
        check("eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", None);
        check("eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x", None);
        check(": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", None);
        check("eth0 1 2", None);
    }
}
