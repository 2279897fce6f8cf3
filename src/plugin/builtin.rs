//! The collectors that are part of the program, as plugins like any other.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use gz_monitor_sdk::{Collector, Error, Reload, Sink};
use serde_json::{Map, Value as Json};

use super::{Context, Factory, Failure, Source, value};
use crate::collectors::{
    cpu::Cpu, diskstats::DiskStats, filesystem::FileSystem, load::Load, memory::Memory,
    network::Network, pressure::Pressure, processes::Processes, system::System, vmstat::VmStat,
};
use crate::sample::BatchBuilder;

/// Every built-in plugin, by name.
pub fn builtins() -> Vec<(&'static str, Box<dyn Factory>)> {
    vec![
        ("cpu", plugin::<Cpu>("Time per processor and mode, context switches, interrupts")),
        ("diskstats", plugin::<DiskStats>("Operations, bytes and times per block device")),
        ("filesystem", plugin::<FileSystem>("Size, space and inodes per mount point")),
        ("load", plugin::<Load>("Load averages")),
        ("memory", plugin::<Memory>("All of /proc/meminfo")),
        ("network", plugin::<Network>("Bytes, packets and errors per interface")),
        ("pressure", plugin::<Pressure>("Time lost waiting for processor, memory and I/O (PSI)")),
        ("processes", every::<Processes>(30, "Processes by state, and the largest")),
        ("system", plugin::<System>("The host at a glance, on any system")),
        ("vmstat", plugin::<VmStat>("Paging, swapping and out-of-memory kills")),
    ]
}

/// The plugin that looks at the daemon itself.
pub const INTERNAL: &str = "gz-monitor";
/// The plugin that evaluates recording rules.
pub const RECORDING_RULES: &str = "recording-rules";

/// Whether a plugin looks at a running daemon, which brings it, and has nothing to look at without.
pub fn needs_daemon(name: &str) -> bool {
    [INTERNAL, RECORDING_RULES].contains(&name)
}

/// Whether the plugin of this name is part of the program, and runs in the daemon.
pub fn is_builtin(name: &str) -> bool {
    needs_daemon(name) || builtins().iter().any(|(builtin, _)| *builtin == name)
}

fn plugin<C: Collector>(summary: &'static str) -> Box<dyn Factory> {
    Box::new(Builtin::<C> { summary, interval: None, collector: PhantomData })
}

fn every<C: Collector>(seconds: u64, summary: &'static str) -> Box<dyn Factory> {
    let interval = Some(Duration::from_secs(seconds));
    Box::new(Builtin::<C> { summary, interval, collector: PhantomData })
}

struct Builtin<C> {
    summary: &'static str,
    interval: Option<Duration>,
    collector: PhantomData<fn() -> C>,
}

impl<C: Collector> Factory for Builtin<C> {
    fn summary(&self) -> &str {
        self.summary
    }

    fn interval(&self) -> Option<Duration> {
        self.interval
    }

    fn check(&self, config: &Map<String, Json>) -> Result<(), String> {
        parse::<C>(config).map(drop)
    }

    fn make(
        &self,
        config: &Map<String, Json>,
        context: Context,
    ) -> Result<Box<dyn Source>, Failure> {
        let config = parse::<C>(config).map_err(Failure::Permanent)?;
        let init = || C::init(config, context.host);
        match guard(init)? {
            Ok(collector) => Ok(Box::new(Running(collector))),
            // What is not on this machine now will not be there at the next interval either.
            Err(Error::NoData(reason)) => Err(Failure::Absent(reason)),
            Err(error @ Error::Config(_)) => Err(Failure::Permanent(error.to_string())),
            Err(error) => Err(Failure::Transient(error.to_string())),
        }
    }
}

fn parse<C: Collector>(config: &Map<String, Json>) -> Result<C::Config, String> {
    let config = Json::Object(config.clone());
    serde_path_to_error::deserialize(config).map_err(|error| error.to_string())
}

struct Running<C>(C);

impl<C: Collector> Source for Running<C> {
    fn collect(&mut self, out: &mut BatchBuilder) -> Result<(), Failure> {
        let mut emit = |sample: gz_monitor_sdk::SampleRef<'_>| {
            out.push(sample.name, sample.labels, value(sample.kind, sample.value));
        };
        let collect = || self.0.collect(&mut Sink::new(&mut emit));
        match guard(collect)? {
            Ok(()) | Err(Error::NoData(_)) => Ok(()),
            Err(error @ Error::Config(_)) => Err(Failure::Permanent(error.to_string())),
            Err(error) => Err(Failure::Transient(error.to_string())),
        }
    }

    fn reload(&mut self, config: &Map<String, Json>) -> Result<Reload, Failure> {
        let config = parse::<C>(config).map_err(Failure::Permanent)?;
        let reload = || self.0.reload(config);
        guard(reload)?.map_err(|error| Failure::Permanent(error.to_string()))
    }
}

/// A panic in a collector is that collector's failure and nobody else's.
fn guard<T>(call: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Failure::Poisoned(format!("panicked: {}", text.unwrap_or("no message")))
    })
}
