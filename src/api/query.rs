//! Answers in the form of Prometheus' own HTTP API (v1), so that its clients understand them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::query::{self, Labels, Outcome};

/// What was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QueryAnswer<T> {
    /// "success".
    pub status: &'static str,
    pub data: T,
}

impl<T> QueryAnswer<T> {
    /// An answer with these data.
    pub fn new(data: T) -> Self {
        Self { status: "success", data }
    }
}

/// Why there is no answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueryError {
    /// "error".
    pub status: &'static str,
    /// "bad_data" (400), "execution" (422), "timeout", "unavailable" (503) or "internal" (500).
    pub error_type: &'static str,
    /// In words.
    pub error: String,
}

/// `data` of `/api/v1/query` and `/api/v1/query_range`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub enum QueryData {
    /// One value per series.
    Vector(Vec<VectorSample>),
    /// Many values per series.
    Matrix(Vec<MatrixSeries>),
    /// One value.
    Scalar(TimedValue),
    /// One text.
    String(TimedText),
}

/// A series and its value.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VectorSample {
    pub metric: Metric,
    pub value: TimedValue,
}

/// A series and its values.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MatrixSeries {
    pub metric: Metric,
    pub values: Vec<TimedValue>,
}

/// The labels of a series; `__name__` is the metric's name.
#[derive(Debug, JsonSchema)]
#[schemars(transparent)]
pub struct Metric(#[schemars(with = "BTreeMap<String, String>")] Arc<Labels>);

/// A time, in seconds since 1970, and a number as text: "NaN", "+Inf" and "-Inf" are no JSON.
#[derive(Debug, JsonSchema)]
#[schemars(transparent)]
pub struct TimedValue(#[schemars(with = "Vec<serde_json::Value>")] (i64, f64));

/// A time, in seconds since 1970, and a text.
#[derive(Debug, JsonSchema)]
#[schemars(transparent)]
pub struct TimedText(#[schemars(with = "Vec<serde_json::Value>")] (i64, String));

/// What is known of a metric.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MetricMetadata {
    /// "gauge" or "counter".
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it means; empty if it is not one of those that come with gz-monitor.
    pub help: Cow<'static, str>,
    /// The base unit that the name ends in, such as "bytes"; empty if it names none.
    pub unit: &'static str,
}

/// `data` of `/api/v1/status/buildinfo`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BuildInfo {
    /// "gz-monitor".
    pub application: &'static str,
    /// That of gz-monitor.
    pub version: &'static str,
    /// The commit that it was built from.
    pub revision: &'static str,
}

impl QueryData {
    /// The outcome of a query at one time, in milliseconds since 1970.
    pub fn at(at: i64, outcome: Outcome) -> Self {
        match outcome {
            Outcome::Scalar(value) => Self::Scalar(TimedValue((at, value))),
            Outcome::Text(text) => Self::String(TimedText((at, text))),
            Outcome::Matrix(series) => Self::over_time(series),
            Outcome::Vector(samples) => {
                let sample = |sample: query::Sample| VectorSample {
                    metric: Metric(sample.labels),
                    value: TimedValue((at, sample.value)),
                };
                Self::Vector(samples.into_iter().map(sample).collect())
            }
        }
    }

    /// Series with all their points.
    pub fn over_time(series: Vec<query::Series>) -> Self {
        let series = series.into_iter().map(|series| MatrixSeries {
            metric: Metric(series.labels),
            values: series.points.into_iter().map(TimedValue).collect(),
        });
        Self::Matrix(series.collect())
    }
}

impl From<Labels> for Metric {
    fn from(labels: Labels) -> Self {
        Self(Arc::new(labels))
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for TimedValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (at, value) = self.0;
        (Seconds(at), query::text(value)).serialize(serializer)
    }
}

impl Serialize for TimedText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Seconds(self.0.0), &self.0.1).serialize(serializer)
    }
}

/// Milliseconds that are sent as seconds, without a fraction if there is none.
struct Seconds(i64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 1000 {
            0 => serializer.serialize_i64(self.0 / 1000),
            _ => serializer.serialize_f64(self.0 as f64 / 1000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::encode;
    use crate::query::{Sample, Series};
    use crate::sample::SeriesKey;

    #[test]
    fn results_are_as_prometheus_writes_them() {
        let check = |data: QueryData, expected: &str| assert_eq!(encode(&data), expected);
        let labels = Arc::new(Labels::of(&SeriesKey::new("up", [("job", "a\"b")])));
        let vector = Outcome::Vector(vec![Sample { labels: labels.clone(), value: f64::NAN }]);
        check(
            QueryData::at(1_500_000_000_781, vector),
            r#"{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a\"b"},"value":[1500000000.781,"NaN"]}]}"#,
        );
        check(
            QueryData::at(60_000, Outcome::Scalar(f64::NEG_INFINITY)),
            r#"{"resultType":"scalar","result":[60,"-Inf"]}"#,
        );
        check(
            QueryData::at(0, Outcome::Text("x".to_owned())),
            r#"{"resultType":"string","result":[0,"x"]}"#,
        );
        let series = Series { labels: Arc::default(), points: vec![(0, 1.0), (15_000, 0.5)] };
        check(
            QueryData::over_time(vec![series]),
            r#"{"resultType":"matrix","result":[{"metric":{},"values":[[0,"1"],[15,"0.5"]]}]}"#,
        );
    }
}
