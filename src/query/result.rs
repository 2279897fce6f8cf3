//! A query from its times to its result.

use std::collections::HashMap;
use std::sync::Arc;

use promql_parser::parser::value::ValueType;
use promql_parser::parser::{Expr, token};

use super::evaluate::{Evaluation, Instant, Span, Value};
use super::labels::Interned;
use super::select::{KEYS_IN_A_LOOK, Matching, Source};
use super::{Config, Error, Labels, Query, Reader};
use crate::sample::SeriesKey;

/// What a query at one time comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Scalar(f64),
    Text(String),
    Vector(Vec<Sample>),
    Matrix(Vec<Series>),
}

/// One element of a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub labels: Arc<Labels>,
    pub value: f64,
}

/// The points of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub labels: Arc<Labels>,
    /// Times in milliseconds since 1970, and values.
    pub points: Vec<(i64, f64)>,
}

/// The times at which a range query is evaluated, in milliseconds; the end is one of them if a whole
/// number of steps leads there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    start: i64,
    end: i64,
    step: i64,
}

impl Steps {
    /// Checks them.
    ///
    /// # Errors
    /// [`Error::BadData`] in Prometheus' words.
    pub fn new(start: i64, end: i64, step: i64, config: &Config) -> Result<Self, Error> {
        let refuse = |text: &str| Err(Error::BadData(text.to_owned()));
        if end < start {
            return refuse(
                "invalid parameter \"end\": end timestamp must not be before start time",
            );
        }
        if step <= 0 {
            return refuse(
                "invalid parameter \"step\": zero or negative query resolution step widths are not \
                 accepted. Try a positive integer",
            );
        }
        if (end.abs_diff(start) / step.unsigned_abs()) as usize > config.max_points {
            return Err(Error::BadData(format!(
                "exceeded maximum resolution of {} points per timeseries. Try decreasing the query \
                 resolution (?step=XX)",
                config.max_points
            )));
        }
        Ok(Self { start, end, step })
    }
}

impl Query {
    /// Evaluates it at one time, in milliseconds since 1970. It is given up when `expired` says so.
    ///
    /// # Errors
    /// [`Error::Execution`] and [`Error::Timeout`].
    pub fn instant(
        &self,
        at: i64,
        reader: &Reader<'_>,
        config: &Config,
        expired: &dyn Fn() -> bool,
    ) -> Result<Outcome, Error> {
        let mut evaluation = Evaluation::new(config, Span { start: at, end: at }, expired);
        evaluation.prepare(&self.expr, (at, at), 0, self.source(reader))?;
        if self.expr.value_type() == ValueType::Matrix {
            let ranged = evaluation.ranged(&self.expr, at)?.into_iter();
            let mut series: Vec<Series> = ranged
                .map(|(labels, times, values)| Series {
                    labels: labels.0,
                    points: times.into_iter().zip(values).collect(),
                })
                .collect();
            series.sort_by(|a, b| a.labels.cmp(&b.labels));
            return Ok(Outcome::Matrix(series));
        }
        Ok(match evaluation.value(&self.expr, at)? {
            Value::Scalar(value) => Outcome::Scalar(value),
            Value::Text(text) => Outcome::Text(text),
            Value::Vector(vector) => {
                let mut samples: Vec<Sample> = vector
                    .into_iter()
                    .map(|Instant { labels, value }| Sample { labels: labels.0, value })
                    .collect();
                if !is_ordered(&self.expr) {
                    samples.sort_by(|a, b| a.labels.cmp(&b.labels));
                }
                Outcome::Vector(samples)
            }
        })
    }

    /// Evaluates it at every step.
    ///
    /// # Errors
    /// As [`Self::instant`], and if it is neither a scalar nor an instant vector.
    pub fn range(
        &self,
        Steps { start, end, step }: Steps,
        reader: &Reader<'_>,
        config: &Config,
        expired: &dyn Fn() -> bool,
    ) -> Result<Vec<Series>, Error> {
        let kind = match self.expr.value_type() {
            ValueType::Scalar | ValueType::Vector => None,
            ValueType::Matrix => Some("range vector"),
            ValueType::String => Some("string"),
        };
        if let Some(kind) = kind {
            return Err(Error::BadData(format!(
                "invalid parameter \"query\": invalid expression type {kind:?} for range query, must \
                 be Scalar or instant Vector"
            )));
        }
        let mut evaluation = Evaluation::new(config, Span { start, end }, expired);
        evaluation.prepare(&self.expr, (start, end), step, self.source(reader))?;
        let mut series: HashMap<Interned, Vec<(i64, f64)>> = HashMap::new();
        let mut at = start;
        while at <= end {
            let vector = match evaluation.value(&self.expr, at)? {
                Value::Vector(vector) => vector,
                Value::Scalar(value) => {
                    vec![Instant { labels: evaluation.sets.intern(Labels::default()), value }]
                }
                Value::Text(_) => Vec::new(),
            };
            evaluation.made(vector.len())?;
            for Instant { labels, value } in vector {
                series.entry(labels).or_default().push((at, value));
            }
            at = at.saturating_add(step);
        }
        let series = series.into_iter();
        let mut series: Vec<Series> =
            series.map(|(labels, points)| Series { labels: labels.0, points }).collect();
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(series)
    }

    /// The series that have samples between two times, if this is a selector.
    pub fn series(&self, from: i64, to: i64, reader: &Reader<'_>) -> Vec<Arc<SeriesKey>> {
        let Expr::VectorSelector(selector) = &self.expr else { return Vec::new() };
        let keys = Matching::new(selector).keys(self.source(reader), from, to);
        let mut found = Vec::new();
        for keys in keys.chunks(KEYS_IN_A_LOOK) {
            let mut there = Vec::new();
            reader(&mut |history| {
                there = keys.iter().map(|key| history.holds(key, from, to)).collect();
            });
            let on_disk = |key| self.shelf.as_ref().is_some_and(|it| it.holds(key, from, to));
            let there = keys.iter().zip(there).filter(|(key, there)| *there || on_disk(key));
            found.extend(there.map(|(key, _)| key.clone()));
        }
        found
    }

    fn source<'a>(&'a self, memory: &'a Reader<'a>) -> Source<'a> {
        Source { memory, shelf: self.shelf.as_deref() }
    }
}

/// Whether the order of its elements means something.
fn is_ordered(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(paren) => is_ordered(&paren.expr),
        Expr::Call(call) => matches!(call.func.name, "sort" | "sort_desc"),
        Expr::Aggregate(aggregate) => {
            matches!(aggregate.op.id(), token::T_TOPK | token::T_BOTTOMK)
        }
        _ => false,
    }
}
