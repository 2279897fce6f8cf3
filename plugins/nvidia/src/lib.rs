//! A plugin that reports NVIDIA GPUs as NVML sees them (the library libnvidia-ml.so.1, which comes
//! with the driver and is what nvidia-smi(1) asks).
//!
//! Series are named `nvidia_gpu_*`, in base units, with the labels `uuid`, `index` and `name`. What a
//! card does not support is no sample. A GPU that is lost has `nvidia_gpu_up` 0 and nothing else, and
//! the others go on. docs/plugins-shipped.md lists the metrics.
//!
//! Where there is no driver, or no GPU, there is nothing to report.

mod gpu;
mod processes;
mod reader;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use gz_monitor_sdk::{Collector, Error, Host, Result, Sink, export_plugin};
use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use serde::Deserialize;

use gpu::Gpu;

export_plugin! {
    Nvidia {
        id: "nvidia",
        summary: "NVIDIA GPUs: use, memory, temperature, power, clocks, errors and processes.",
        interval: "15s",
    },
}

/// The name under which the driver installs it.
const LIBRARY: &str = "libnvidia-ml.so.1";

/// `[collector.config]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// The library, by default the one that the system finds by its name.
    library: Option<PathBuf>,
    /// How many processes of each GPU are reported, those with the most memory.
    processes: usize,
    /// Whether the PCIe throughput is measured, which takes 40 ms for each GPU.
    pcie_throughput: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { library: None, processes: 10, pcie_throughput: true }
    }
}

struct Nvidia {
    host: Host,
    nvml: Nvml,
    gpus: Vec<Gpu>,
    driver_version: Option<String>,
    config: Config,
}

impl Collector for Nvidia {
    type Config = Config;

    fn init(config: Config, host: Host) -> Result<Self> {
        if config.processes > 100 {
            let text = format!("processes: {}; 100 at the most", config.processes);
            return Err(Error::Config(text));
        }
        let nvml = load(config.library.as_deref())?;
        let count = nvml.device_count().map_err(|error| Error::Unavailable(error.to_string()))?;
        if count == 0 {
            return Err(Error::NoData("there is no NVIDIA GPU".to_owned()));
        }
        let gpus = (0..count).map(Gpu::new).collect();
        let driver_version = nvml.sys_driver_version().ok();
        Ok(Self { host, nvml, gpus, driver_version, config })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        if let Some(version) = &self.driver_version {
            out.gauge("nvidia_driver_info", 1.0, &[("version", version)]);
        }
        let (mut working, mut failure) = (0, None);
        for gpu in &mut self.gpus {
            if self.host.cancelled() {
                return Err(Error::Unavailable("there was no time for all GPUs".to_owned()));
            }
            match gpu.collect(&self.nvml, &self.config, &self.host, out) {
                Ok(()) => working += 1,
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(why) if working == 0 => Err(Error::Unavailable(format!("no GPU answers: {why}"))),
            _ => Ok(()),
        }
    }
}

/// Loads NVML and has it look for the driver. A library that somebody has named is expected to be
/// there; otherwise most machines have none.
fn load(library: Option<&std::path::Path>) -> Result<Nvml> {
    let path = library.map_or(LIBRARY.as_ref(), |path| path.as_os_str());
    Nvml::builder().lib_path(path).init().map_err(|error| match error {
        NvmlError::LibloadingError(error) if library.is_none() => Error::NoData(error.to_string()),
        NvmlError::LibraryNotFound | NvmlError::DriverNotLoaded | NvmlError::NotFound => {
            Error::NoData(error.to_string())
        }
        NvmlError::LibloadingError(error) => Error::Unavailable(format!("library: {error}")),
        error => Error::Unavailable(format!("NVML does not start: {error}")),
    })
}
