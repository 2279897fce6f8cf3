//! Pure values: what a collector has read.

mod batch;
mod brief;
mod key;
mod moment;
mod rejected;

pub use batch::{Batch, BatchBuilder, Limits, Outcome};
pub use brief::brief;
pub use key::{SeriesKey, is_label_name, is_metric_name};
pub use moment::{Moment, Stamp, rfc3339};
pub use rejected::{Reason, Rejected};

use std::sync::Arc;

/// One reading of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub key: Arc<SeriesKey>,
    pub value: Value,
    /// When it was read, if its source has said so; else at the end of its collection.
    pub stamp: Option<Stamp>,
}

/// A number and what it means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Goes up and down.
    Gauge(f64),
    /// Only grows, until its source restarts at zero.
    Counter(f64),
}

/// How much a total has grown between two readings. One that went down has begun anew at zero, as
/// Prometheus has it: what it says now is what it has grown by.
pub fn increase(before: f64, now: f64) -> f64 {
    if now < before { now } else { now - before }
}

impl Value {
    /// The number alone.
    pub fn get(self) -> f64 {
        let (Value::Gauge(number) | Value::Counter(number)) = self;
        number
    }

    /// Prometheus' name of the kind.
    pub fn kind(self) -> &'static str {
        match self {
            Value::Gauge(_) => "gauge",
            Value::Counter(_) => "counter",
        }
    }
}
