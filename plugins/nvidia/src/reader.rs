//! One collection of one GPU: takes what NVML answers, and tells a reading that the card does not
//! have from a card that is gone.

use std::collections::BTreeSet;

use gz_monitor_sdk::{Host, Kind, Level, Sink};
use nvml_wrapper::error::NvmlError;

/// What names a GPU.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    pub index: String,
    pub uuid: String,
    /// The product: `Tesla T4`.
    pub name: String,
}

/// Whether an error says that the GPU answers nothing at all, not merely that it has no such reading.
pub fn is_lost(error: &NvmlError) -> bool {
    use NvmlError::{DriverNotLoaded, GpuLost, ResetRequired, Uninitialized};
    matches!(error, GpuLost | ResetRequired | Uninitialized | DriverNotLoaded)
}

/// Where the readings of a GPU go.
pub struct Reader<'a, 'sink> {
    pub identity: &'a Identity,
    /// The readings that were logged as missing.
    pub noted: &'a mut BTreeSet<&'static str>,
    pub host: &'a Host,
    pub out: &'a mut Sink<'sink>,
}

impl Reader<'_, '_> {
    /// A reading, unless there is none; the reason is logged the first time.
    ///
    /// # Errors
    /// The GPU is lost.
    pub fn take<T>(
        &mut self,
        what: &'static str,
        answer: Result<T, NvmlError>,
    ) -> Result<Option<T>, NvmlError> {
        use NvmlError::{FailedToLoadSymbol, FunctionNotFound, NoData, NotFound, NotSupported};
        let error = match answer {
            Ok(value) => return Ok(Some(value)),
            Err(error) if is_lost(&error) => return Err(error),
            Err(error) => error,
        };
        let level = match error {
            NotSupported | NotFound | NoData | FunctionNotFound | FailedToLoadSymbol(_) => {
                Level::Debug
            }
            _ => Level::Warn,
        };
        if self.noted.insert(what) {
            self.host.log(level, &format!("GPU {}: no {what}: {error}", self.identity.index));
        }
        Ok(None)
    }

    /// Takes a reading and emits it as a gauge, `scale` times what NVML says.
    pub fn gauge(
        &mut self,
        metric: &'static str,
        labels: &[(&str, &str)],
        scale: f64,
        answer: Result<impl Into<f64>, NvmlError>,
    ) -> Result<(), NvmlError> {
        if let Some(value) = self.take(metric, answer)? {
            self.emit(Kind::Gauge, metric, labels, value.into() * scale);
        }
        Ok(())
    }

    /// Emits a sample with the labels of the GPU and these.
    pub fn emit(&mut self, kind: Kind, metric: &str, labels: &[(&str, &str)], value: f64) {
        let Identity { index, uuid, name } = self.identity;
        let own = [("uuid", uuid.as_str()), ("index", index), ("name", name)];
        let labels: Vec<_> = own.into_iter().chain(labels.iter().copied()).collect();
        match kind {
            Kind::Gauge => self.out.gauge(metric, value, &labels),
            Kind::Counter => self.out.counter(metric, value, &labels),
        }
    }
}
