//! A plugin that emits as many samples as it is told, as a collector of many devices would; the
//! daemon's `benches/plugin.rs` measures what they cost.

use gz_monitor_sdk::{Collector, Host, Result, Sink, export_plugin};

export_plugin! {
    Burst { id: "burst", summary: "Emits as many samples as it is told." },
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    samples: usize,
}

struct Burst {
    devices: Vec<String>,
    reading: f64,
}

impl Collector for Burst {
    type Config = Config;

    fn init(config: Config, _: Host) -> Result<Self> {
        let devices = (0..config.samples).map(|index| format!("disk{index}")).collect();
        Ok(Self { devices, reading: 0.5 })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        self.reading += 1.0;
        for device in &self.devices {
            let labels = [("device", device.as_str()), ("state", "busy")];
            out.counter("burst_seconds_total", self.reading, &labels);
        }
        Ok(())
    }
}
