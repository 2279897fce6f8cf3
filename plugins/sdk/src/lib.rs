//! Write a gz-monitor collector: a [`Collector`] is built from its configuration in a [`Host`] and
//! emits samples into a [`Sink`], once per interval.
//!
//! The daemon's own collectors are written against this crate and nothing else. A library that
//! exports its collectors with [`export_plugin!`] is a plugin; it is a `cdylib`, and this is a whole
//! one:
//!
//! ```
//! use gz_monitor_sdk::{Collector, Host, Result, Sink, export_plugin};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {}
//!
//! struct LoadAvg(Host);
//!
//! impl Collector for LoadAvg {
//!     type Config = Config;
//!
//!     fn init(_: Config, host: Host) -> Result<Self> {
//!         Ok(Self(host))
//!     }
//!
//!     fn collect(&mut self, out: &mut Sink<'_>) -> Result {
//!         let text = std::fs::read_to_string(self.0.path("proc/loadavg"))?;
//!         for (window, value) in ["1m", "5m", "15m"].iter().zip(text.split_whitespace()) {
//!             out.gauge("load_average", value.parse()?, &[("window", window)]);
//!         }
//!         Ok(())
//!     }
//! }
//!
//! export_plugin! { LoadAvg { id: "loadavg", summary: "System load averages." } }
//! ```
//!
//! A plugin keeps to what `gz_plugin.h` says under "What a plugin must not do"; above all, it does
//! not print to standard output. A panic is caught and costs the instance, not the process.

#![allow(unsafe_code, reason = "speaks the C interface; every block says why it may")]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(missing_docs)]

mod error;
pub mod export;
mod host;
mod instance;
mod link;
mod outbox;
mod recorder;
mod sink;

pub use error::{Error, Result};
pub use host::{Host, Level};
pub use recorder::{Recorded, Recorder};
pub use sink::{Kind, SampleRef, Sink};

use serde::de::DeserializeOwned;

/// The version of the plugin interface that this SDK speaks, as (major, minor).
pub const ABI_VERSION: (u32, u32) = (gz_monitor_abi::ABI_MAJOR, gz_monitor_abi::ABI_MINOR);

/// A source of samples. One instance serves one configured collector and is only ever used by one
/// thread at a time.
pub trait Collector: Sized + Send + 'static {
    /// The collector's own configuration, `[collector.config]` in the file. Unknown keys should be
    /// refused with `#[serde(deny_unknown_fields)]`.
    type Config: DeserializeOwned;

    /// Builds the instance. Anything that cannot work on this machine is said here, so that it is
    /// reported once and not at every interval.
    ///
    /// # Errors
    /// [`Error::NoData`] if what it measures is not on this machine: no failure, and not tried again
    /// before a reload. [`Error::Config`] is permanent until the configuration changes. Everything
    /// else is retried.
    fn init(config: Self::Config, host: Host) -> Result<Self>;

    /// Takes one reading and emits it. May block, up to the collector's deadline.
    ///
    /// # Errors
    /// [`Error::NoData`] when there is nothing to report, which is not a failure. What was emitted
    /// before an error is kept.
    fn collect(&mut self, out: &mut Sink<'_>) -> Result;

    /// Takes a new configuration, or says that a new instance is to be made with it, which is the
    /// default. `config` has been read; if that fails, the instance is not asked.
    ///
    /// # Errors
    /// The old configuration stays in force.
    fn reload(&mut self, config: Self::Config) -> Result<Reload> {
        drop(config);
        Ok(Reload::Restart)
    }
}

/// What a collector makes of a new configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// It is in force.
    Done,
    /// Drop me and make another.
    Restart,
}
