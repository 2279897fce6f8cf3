//! Samples as clients see them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::number;
use crate::sample::{self, Batch, SeriesKey, Value, rfc3339};
use crate::store::Series;

/// One reading of one series.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Sample<'a> {
    pub name: &'a str,
    pub labels: BTreeMap<&'a str, &'a str>,
    /// Null where it is not a finite number.
    #[serde(serialize_with = "number")]
    #[schemars(with = "Option<f64>")]
    pub value: f64,
    /// "gauge" or "counter".
    pub kind: &'static str,
    /// The base unit that the name ends in, such as "bytes"; empty if it names none.
    pub unit: &'static str,
}

impl<'a> Sample<'a> {
    fn new(key: &'a SeriesKey, value: Value) -> Self {
        Self {
            name: key.name(),
            labels: key.labels().collect(),
            value: value.get(),
            kind: value.kind(),
            unit: key.unit(),
        }
    }
}

/// A reading of a collection, and when it was made, if its source has said so.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UpdatedSample<'a> {
    #[serde(flatten)]
    pub sample: Sample<'a>,
    /// RFC 3339, UTC. Absent if it is that of the collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

/// `collector_update.data`: all that one collection read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CollectorUpdate<'a> {
    pub collector: &'a str,
    pub samples: Vec<UpdatedSample<'a>>,
}

impl<'a> From<&'a Batch> for CollectorUpdate<'a> {
    fn from(batch: &'a Batch) -> Self {
        let sample = |sample: &'a sample::Sample| UpdatedSample {
            sample: Sample::new(&sample.key, sample.value),
            timestamp: sample.stamp.map(|stamp| rfc3339(stamp.wall())),
        };
        Self { collector: &batch.collector, samples: batch.samples.iter().map(sample).collect() }
    }
}

/// A reading, and who made it when.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TimedSample<'a> {
    #[serde(flatten)]
    pub sample: Sample<'a>,
    pub collector: &'a str,
    /// When it was read: as it says itself, else the end of its collection. RFC 3339, UTC.
    pub timestamp: String,
}

impl<'a> From<(&'a SeriesKey, &'a Series)> for TimedSample<'a> {
    fn from((key, series): (&'a SeriesKey, &'a Series)) -> Self {
        Self {
            sample: Sample::new(key, series.value),
            collector: &series.collector,
            timestamp: rfc3339(series.read_at()),
        }
    }
}

/// `GET /api/v1/samples`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Samples<'a> {
    /// By name and labels.
    pub samples: Vec<TimedSample<'a>>,
}
