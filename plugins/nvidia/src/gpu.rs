//! One GPU: what it is asked in a collection.

use std::collections::BTreeSet;

use gz_monitor_sdk::{Host, Kind, Level, Sink};
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{
    Clock, EccCounter, MemoryError, PcieUtilCounter, TemperatureSensor,
};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use crate::reader::{Identity, Reader};
use crate::{Config, processes};

const PERCENT: f64 = 0.01;
const MILLI: f64 = 1e-3;
const MEGA: f64 = 1e6;
/// NVML gives PCIe throughput in KB/s.
const KILO: f64 = 1e3;

const CLOCKS: [(Clock, &str); 4] = [
    (Clock::Graphics, "graphics"),
    (Clock::SM, "sm"),
    (Clock::Memory, "memory"),
    (Clock::Video, "video"),
];

/// The bits of `nvmlClocksEventReasons`, by their names.
const THROTTLE_REASONS: [(ThrottleReasons, &str); 9] = [
    (ThrottleReasons::GPU_IDLE, "gpu_idle"),
    (ThrottleReasons::APPLICATIONS_CLOCKS_SETTING, "applications_clocks_setting"),
    (ThrottleReasons::SW_POWER_CAP, "sw_power_cap"),
    (ThrottleReasons::HW_SLOWDOWN, "hw_slowdown"),
    (ThrottleReasons::SYNC_BOOST, "sync_boost"),
    (ThrottleReasons::SW_THERMAL_SLOWDOWN, "sw_thermal_slowdown"),
    (ThrottleReasons::HW_THERMAL_SLOWDOWN, "hw_thermal_slowdown"),
    (ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN, "hw_power_brake_slowdown"),
    (ThrottleReasons::DISPLAY_CLOCK_SETTING, "display_clock_setting"),
];

type Outcome = Result<(), NvmlError>;

/// A GPU, by its place among those of this machine.
pub struct Gpu {
    index: u32,
    /// As it was when the GPU last answered, so that a lost one can still be named.
    identity: Identity,
    /// The readings that were logged as missing.
    noted: BTreeSet<&'static str>,
    lost: bool,
}

impl Gpu {
    pub fn new(index: u32) -> Self {
        let identity = Identity { index: index.to_string(), ..Identity::default() };
        Self { index, identity, noted: BTreeSet::new(), lost: false }
    }

    /// Emits all that there is; what was read before the GPU was lost stays.
    ///
    /// # Errors
    /// It is lost.
    pub fn collect(
        &mut self,
        nvml: &Nvml,
        config: &Config,
        host: &Host,
        out: &mut Sink<'_>,
    ) -> Outcome {
        let outcome = self.read(nvml, config, host, out);
        let Self { identity, noted, lost, index } = self;
        let mut reader = Reader { identity, noted, host, out };
        reader.emit(Kind::Gauge, "nvidia_gpu_up", &[], f64::from(u8::from(outcome.is_ok())));
        match &outcome {
            Err(error) if !*lost => {
                host.log(Level::Error, &format!("GPU {index} does not answer: {error}"))
            }
            Ok(()) if *lost => host.log(Level::Info, &format!("GPU {index} answers again")),
            _ => {}
        }
        *lost = outcome.is_err();
        outcome
    }

    fn read(&mut self, nvml: &Nvml, config: &Config, host: &Host, out: &mut Sink<'_>) -> Outcome {
        let device = nvml.device_by_index(self.index)?;
        self.identity.uuid = device.uuid()?;
        self.identity.name = device.name()?;
        let mut reader = Reader { identity: &self.identity, noted: &mut self.noted, host, out };
        load(&device, &mut reader)?;
        memory(&device, &mut reader)?;
        heat(&device, &mut reader)?;
        clocks(&device, &mut reader)?;
        errors(&device, &mut reader)?;
        if config.pcie_throughput {
            throughput(&device, &mut reader)?;
        }
        if config.processes > 0 {
            processes::read(&device, config.processes, &mut reader)?;
        }
        Ok(())
    }
}

/// How busy it is.
fn load(device: &Device<'_>, reader: &mut Reader<'_, '_>) -> Outcome {
    if let Some(rates) = reader.take("utilization", device.utilization_rates())? {
        let ratio = |percent| f64::from(percent) * PERCENT;
        reader.emit(Kind::Gauge, "nvidia_gpu_utilization_ratio", &[], ratio(rates.gpu));
        let metric = "nvidia_gpu_memory_utilization_ratio";
        reader.emit(Kind::Gauge, metric, &[], ratio(rates.memory));
    }
    let encoder = device.encoder_utilization().map(|info| info.utilization);
    reader.gauge("nvidia_gpu_encoder_utilization_ratio", &[], PERCENT, encoder)?;
    let decoder = device.decoder_utilization().map(|info| info.utilization);
    reader.gauge("nvidia_gpu_decoder_utilization_ratio", &[], PERCENT, decoder)
}

fn memory(device: &Device<'_>, reader: &mut Reader<'_, '_>) -> Outcome {
    if let Some(memory) = reader.take("memory", device.memory_info())? {
        let all = [
            ("nvidia_gpu_memory_total_bytes", memory.total),
            ("nvidia_gpu_memory_used_bytes", memory.used),
            ("nvidia_gpu_memory_free_bytes", memory.free),
            ("nvidia_gpu_memory_reserved_bytes", memory.reserved),
        ];
        for (metric, bytes) in all {
            reader.emit(Kind::Gauge, metric, &[], bytes as f64);
        }
    }
    Ok(())
}

/// Temperature, power and fans.
fn heat(device: &Device<'_>, reader: &mut Reader<'_, '_>) -> Outcome {
    let temperature = device.temperature(TemperatureSensor::Gpu);
    reader.gauge("nvidia_gpu_temperature_celsius", &[], 1.0, temperature)?;
    reader.gauge("nvidia_gpu_power_watts", &[], MILLI, device.power_usage())?;
    reader.gauge("nvidia_gpu_power_limit_watts", &[], MILLI, device.enforced_power_limit())?;
    if let Some(millijoules) = reader.take("energy", device.total_energy_consumption())? {
        let joules = millijoules as f64 * MILLI;
        reader.emit(Kind::Counter, "nvidia_gpu_energy_joules_total", &[], joules);
    }
    let fans = reader.take("fans", device.num_fans())?.unwrap_or(0);
    for fan in 0..fans {
        let (label, speed) = (fan.to_string(), device.fan_speed(fan));
        reader.gauge("nvidia_gpu_fan_speed_ratio", &[("fan", &label)], PERCENT, speed)?;
    }
    Ok(())
}

/// Clocks, and what keeps them down.
fn clocks(device: &Device<'_>, reader: &mut Reader<'_, '_>) -> Outcome {
    for (clock, name) in CLOCKS {
        let megahertz = device.clock_info(clock);
        reader.gauge("nvidia_gpu_clock_hertz", &[("clock", name)], MEGA, megahertz)?;
    }
    let present = reader.take("throttle reasons", device.current_throttle_reasons())?;
    let Some(present) = present else { return Ok(()) };
    let supported = reader.take("supported reasons", device.supported_throttle_reasons())?;
    let supported = supported.unwrap_or(ThrottleReasons::all());
    for (reason, name) in THROTTLE_REASONS.iter().filter(|(bit, _)| supported.contains(*bit)) {
        let is_so = f64::from(u8::from(present.contains(*reason)));
        reader.emit(Kind::Gauge, "nvidia_gpu_throttle_reason", &[("reason", name)], is_so);
    }
    Ok(())
}

/// What goes wrong in memory and on the bus.
fn errors(device: &Device<'_>, reader: &mut Reader<'_, '_>) -> Outcome {
    let all = [
        ("nvidia_gpu_ecc_volatile_errors_total", EccCounter::Volatile),
        ("nvidia_gpu_ecc_aggregate_errors_total", EccCounter::Aggregate),
    ];
    let kinds = [(MemoryError::Corrected, "corrected"), (MemoryError::Uncorrected, "uncorrected")];
    for (metric, counter) in all {
        for (kind, name) in &kinds {
            let count = device.total_ecc_errors(*kind, counter);
            if let Some(count) = reader.take(metric, count)? {
                reader.emit(Kind::Counter, metric, &[("type", name)], count as f64);
            }
        }
    }
    let metric = "nvidia_gpu_pcie_replays_total";
    if let Some(count) = reader.take(metric, device.pcie_replay_counter())? {
        reader.emit(Kind::Counter, metric, &[], count.into());
    }
    Ok(())
}

/// NVML counts for 20 ms each.
fn throughput(device: &Device<'_>, reader: &mut Reader<'_, '_>) -> Outcome {
    let metric = "nvidia_gpu_pcie_throughput_bytes_per_second";
    let directions = [(PcieUtilCounter::Send, "transmit"), (PcieUtilCounter::Receive, "receive")];
    for (counter, name) in directions {
        let kilobytes = device.pcie_throughput(counter);
        reader.gauge(metric, &[("direction", name)], KILO, kilobytes)?;
    }
    Ok(())
}
