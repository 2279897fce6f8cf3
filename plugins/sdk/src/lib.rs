//! Write a gz-monitor collector: a [`Collector`] is built from its configuration in a [`Host`] and
//! emits samples into a [`Sink`], once per interval.
//!
//! The daemon's own collectors are written against this crate and nothing else. A whole one:
//!
//! ```
//! use gz_monitor_sdk::{Collector, Error, Host, Result, Sink};
//!
//! #[derive(Default, serde::Deserialize)]
//! #[serde(default, deny_unknown_fields)]
//! struct Config {}
//!
//! struct Uptime { host: Host }
//!
//! impl Collector for Uptime {
//!     type Config = Config;
//!
//!     fn init(_: Config, host: Host) -> Result<Self> {
//!         Ok(Self { host })
//!     }
//!
//!     fn collect(&mut self, out: &mut Sink<'_>) -> Result {
//!         let text = std::fs::read_to_string(self.host.path("proc/uptime"))?;
//!         let first = text.split_whitespace().next();
//!         let seconds = first
//!             .and_then(|s| s.parse().ok())
//!             .ok_or_else(|| Error::Internal(format!("/proc/uptime: {text:?}")))?;
//!         out.gauge("uptime_seconds", seconds, &[]);
//!         Ok(())
//!     }
//! }
//! ```

#![deny(missing_docs)]

mod error;
mod host;
mod sink;

pub use error::{Error, Result};
pub use host::{Host, Level};
pub use sink::{Kind, SampleRef, Sink};

use serde::de::DeserializeOwned;

/// The version of the plugin interface that this SDK speaks, as (major, minor).
pub const ABI_VERSION: (u32, u32) = (1, 0);

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
    /// [`Error::Config`] is permanent until the configuration changes, everything else is retried.
    fn init(config: Self::Config, host: Host) -> Result<Self>;

    /// Takes one reading and emits it. May block, up to the collector's deadline.
    ///
    /// # Errors
    /// [`Error::NoData`] when there is nothing to report, which is not a failure. What was emitted
    /// before an error is kept.
    fn collect(&mut self, out: &mut Sink<'_>) -> Result;
}
