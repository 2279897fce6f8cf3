//! Where a collector puts its samples.

pub use gz_monitor_abi::Kind;

/// One sample as it crosses from the collector to the host, which copies it.
#[derive(Debug, Clone, Copy)]
pub struct SampleRef<'a> {
    /// `snake_case`, in base units that the name ends in: `node_load1`, `node_boot_time_seconds`.
    pub name: &'a str,
    /// Names and values, in any order; each name once.
    pub labels: &'a [(&'a str, &'a str)],
    /// Whether `value` is a level or a running total.
    pub kind: Kind,
    /// The reading.
    pub value: f64,
}

/// Takes the samples of one `collect` call.
pub struct Sink<'a> {
    emit: &'a mut dyn FnMut(SampleRef<'_>),
}

impl<'a> Sink<'a> {
    /// A sink that hands every sample to `emit`.
    pub fn new(emit: &'a mut dyn FnMut(SampleRef<'_>)) -> Self {
        Self { emit }
    }

    /// Emits a value that goes up and down.
    pub fn gauge(&mut self, name: &str, value: f64, labels: &[(&str, &str)]) {
        (self.emit)(SampleRef { name, labels, kind: Kind::Gauge, value });
    }

    /// Emits a total that only grows; `name` ends in `_total`.
    pub fn counter(&mut self, name: &str, value: f64, labels: &[(&str, &str)]) {
        (self.emit)(SampleRef { name, labels, kind: Kind::Counter, value });
    }
}
