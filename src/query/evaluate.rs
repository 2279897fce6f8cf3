//! An expression at one time: selectors, ranges and subqueries, and the way to all the other parts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use promql_parser::parser::{
    AtModifier, Expr, MatrixSelector, Offset, SubqueryExpr, UnaryExpr, VectorSelector,
};

use super::labels::{Interned, LabelSets};
use super::select::{Selected, check_samples};
use super::window::Window;
use super::{Config, Error};
use crate::store::history::Point;

/// How far back an instant looks for the last sample of a series: Prometheus' own default.
pub(super) const LOOKBACK_MS: i64 = 300_000;
/// The step of a subquery that names none: Prometheus' own default of its evaluation interval.
pub(super) const SUBQUERY_STEP_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
/// Label sets that a query may make for each series that a selector may find.
const LABEL_SETS_PER_SERIES: usize = 16;
/// Between two looks at the clock.
const WORK_UNNOTICED: u32 = 256;

/// One element of an instant vector.
#[derive(Debug, Clone)]
pub(super) struct Instant {
    pub(super) labels: Interned,
    pub(super) value: f64,
}

/// What an expression is at one time.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar(f64),
    Text(String),
    Vector(Vec<Instant>),
}

/// The times of a query, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
}

/// The samples of one series in a range: labels, times and values.
type Ranged = (Interned, Vec<i64>, Vec<f64>);

/// A query at work.
pub(super) struct Evaluation<'a> {
    pub(super) config: &'a Config,
    pub(super) sets: LabelSets,
    span: Span,
    pub(super) expired: &'a dyn Fn() -> bool,
    /// The samples of each selector, by its address.
    pub(super) selected: HashMap<usize, Arc<Vec<Selected>>>,
    /// How many samples were read or made.
    pub(super) samples: usize,
    work: u32,
}

/// What tells one part of an expression from every other.
pub(super) fn place_of<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}

pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(config: &'a Config, span: Span, expired: &'a dyn Fn() -> bool) -> Self {
        let (sets, selected) = (LabelSets::default(), HashMap::new());
        Self { config, sets, span, expired, selected, samples: 0, work: 0 }
    }

    /// What the expression is at a time.
    pub(super) fn value(&mut self, expr: &Expr, at: i64) -> Result<Value, Error> {
        self.work(1)?;
        if self.sets.len() > self.config.max_series.saturating_mul(LABEL_SETS_PER_SERIES) {
            return Err(Error::execution("the query makes too many label sets (query.max_series)"));
        }
        match expr {
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, at),
            Expr::Unary(unary) => self.negated(unary, at),
            Expr::Binary(binary) => self.binary(binary, at),
            Expr::Paren(paren) => self.value(&paren.expr, at),
            Expr::NumberLiteral(number) => Ok(Value::Scalar(number.val)),
            Expr::StringLiteral(text) => Ok(Value::Text(text.val.clone())),
            Expr::VectorSelector(selector) => {
                let found = self.latest(selector, at)?;
                Ok(Value::Vector(found.into_iter().map(|(instant, _)| instant).collect()))
            }
            Expr::Call(call) => self.call(call, at),
            Expr::MatrixSelector(_) | Expr::Subquery(_) | Expr::Extension(_) => {
                Err(Error::execution("a range vector is no value here"))
            }
        }
    }

    pub(super) fn vector(&mut self, expr: &Expr, at: i64) -> Result<Vec<Instant>, Error> {
        match self.value(expr, at)? {
            Value::Vector(vector) => Ok(vector),
            _ => Err(Error::execution("expected an instant vector")),
        }
    }

    pub(super) fn scalar(&mut self, expr: &Expr, at: i64) -> Result<f64, Error> {
        match self.value(expr, at)? {
            Value::Scalar(value) => Ok(value),
            _ => Err(Error::execution("expected a scalar")),
        }
    }

    pub(super) fn string(&mut self, expr: &Expr) -> Result<String, Error> {
        match self.value(expr, self.span.start)? {
            Value::Text(text) => Ok(text),
            _ => Err(Error::execution("expected a string")),
        }
    }

    fn negated(&mut self, unary: &UnaryExpr, at: i64) -> Result<Value, Error> {
        match self.value(&unary.expr, at)? {
            Value::Scalar(value) => Ok(Value::Scalar(-value)),
            Value::Vector(vector) => {
                let vector = vector.into_iter();
                let negated = vector.map(|Instant { labels, value }| Instant {
                    labels: self.sets.nameless(&labels),
                    value: -value,
                });
                let negated = negated.collect();
                self.distinct(negated).map(Value::Vector)
            }
            Value::Text(_) => Err(Error::execution("a string has no negative")),
        }
    }

    /// The last sample of each series that a selector means, and its time.
    pub(super) fn latest(
        &mut self,
        selector: &VectorSelector,
        at: i64,
    ) -> Result<Vec<(Instant, i64)>, Error> {
        let at = self.time(selector.offset.as_ref(), selector.at.as_ref(), at);
        let Some(selected) = self.selected.get(&place_of(selector)) else { return Ok(Vec::new()) };
        let count = selected.len();
        let latest = |one: &Selected| {
            let index = one.times.partition_point(|time| *time <= at).checked_sub(1)?;
            let point = Point { at: one.times[index], value: one.values[index] };
            let hour = if point.at <= one.hourly_until { HOUR_MS } else { 0 };
            let is_there = point.at > at.saturating_sub(LOOKBACK_MS + hour) && !point.is_stale();
            let instant = Instant { labels: one.labels.clone(), value: point.value };
            is_there.then_some((instant, point.at))
        };
        let found = selected.iter().filter_map(latest).collect();
        self.work(count)?;
        Ok(found)
    }

    /// Calls a function with the samples of each series in the range that an expression is, and gives
    /// what it says of each.
    pub(super) fn windows(
        &mut self,
        expr: &Expr,
        at: i64,
        mut function: impl FnMut(&Window<'_>) -> Option<f64>,
    ) -> Result<Vec<Instant>, Error> {
        let mut result = Vec::new();
        match expr {
            Expr::Paren(paren) => return self.windows(&paren.expr, at, function),
            Expr::MatrixSelector(matrix) => {
                let (from, to) = self.bounds_of_matrix(matrix, at);
                let selected = self.selected.get(&place_of(&matrix.vs)).cloned();
                for one in selected.iter().flat_map(|all| all.iter()) {
                    let window = one.within(from, to);
                    self.work(1 + window.times.len() / 16)?;
                    if window.times.is_empty() {
                        continue;
                    }
                    if let Some(value) = function(&window) {
                        result.push(Instant { labels: one.labels.clone(), value });
                    }
                }
            }
            Expr::Subquery(subquery) => {
                let (series, from, to) = self.subquery(subquery, at)?;
                for (labels, times, values) in series {
                    let (times, values) = (&times[..], &values[..]);
                    let window = Window { times, values, weights: &[], from, to };
                    if let Some(value) = function(&window) {
                        result.push(Instant { labels, value });
                    }
                }
            }
            _ => return Err(Error::execution("expected a range vector")),
        }
        Ok(result)
    }

    /// The samples of a range as they are.
    pub(super) fn ranged(&mut self, expr: &Expr, at: i64) -> Result<Vec<Ranged>, Error> {
        match expr {
            Expr::Paren(paren) => self.ranged(&paren.expr, at),
            Expr::Subquery(subquery) => Ok(self.subquery(subquery, at)?.0),
            Expr::MatrixSelector(matrix) => {
                let (from, to) = self.bounds_of_matrix(matrix, at);
                let selected = self.selected.get(&place_of(&matrix.vs)).cloned();
                let series = selected.iter().flat_map(|all| all.iter()).map(|one| {
                    let Window { times, values, .. } = one.within(from, to);
                    (one.labels.clone(), times.to_vec(), values.to_vec())
                });
                Ok(series.filter(|(_, times, _)| !times.is_empty()).collect())
            }
            _ => Err(Error::execution("expected a range vector")),
        }
    }

    fn bounds_of_matrix(&self, matrix: &MatrixSelector, at: i64) -> (i64, i64) {
        let to = self.time(matrix.vs.offset.as_ref(), matrix.vs.at.as_ref(), at);
        (to.saturating_sub(milliseconds(matrix.range)), to)
    }

    /// The inner expression at every multiple of the step within the range.
    fn subquery(
        &mut self,
        subquery: &SubqueryExpr,
        at: i64,
    ) -> Result<(Vec<Ranged>, i64, i64), Error> {
        let to = self.time(subquery.offset.as_ref(), subquery.at.as_ref(), at);
        let from = to.saturating_sub(milliseconds(subquery.range));
        let step = subquery.step.map_or(SUBQUERY_STEP_MS, milliseconds).max(1);
        let mut series: Vec<Ranged> = Vec::new();
        let mut places: HashMap<Interned, usize> = HashMap::new();
        let mut made = 0;
        let mut time = from.div_euclid(step).saturating_add(1).saturating_mul(step);
        while time <= to {
            for Instant { labels, value } in self.vector(&subquery.expr, time)? {
                let place = *places.entry(labels.clone()).or_insert_with(|| {
                    series.push((labels, Vec::new(), Vec::new()));
                    series.len() - 1
                });
                series[place].1.push(time);
                series[place].2.push(value);
                made += 1;
            }
            check_samples(self.samples + made, self.config)?;
            time = time.saturating_add(step);
        }
        Ok((series, from, to))
    }

    /// The time that a modifier means.
    pub(super) fn time(
        &self,
        offset: Option<&Offset>,
        at_modifier: Option<&AtModifier>,
        at: i64,
    ) -> i64 {
        let at = match at_modifier {
            None => at,
            Some(AtModifier::Start) => self.span.start,
            Some(AtModifier::End) => self.span.end,
            Some(AtModifier::At(time)) => match time.duration_since(UNIX_EPOCH) {
                Ok(after) => milliseconds(after),
                Err(before) => -milliseconds(before.duration()),
            },
        };
        match offset {
            None => at,
            Some(Offset::Pos(offset)) => at.saturating_sub(milliseconds(*offset)),
            Some(Offset::Neg(offset)) => at.saturating_add(milliseconds(*offset)),
        }
    }

    /// That no two elements have the same labels.
    pub(super) fn distinct(&self, vector: Vec<Instant>) -> Result<Vec<Instant>, Error> {
        let mut seen = HashSet::with_capacity(vector.len());
        if vector.iter().all(|instant| seen.insert(&instant.labels)) {
            drop(seen);
            return Ok(vector);
        }
        Err(Error::execution("vector cannot contain metrics with the same labelset"))
    }

    /// Counts samples of the result.
    pub(super) fn made(&mut self, samples: usize) -> Result<(), Error> {
        self.samples += samples;
        check_samples(self.samples, self.config)
    }

    /// Counts work, and looks at the clock now and then.
    pub(super) fn work(&mut self, amount: usize) -> Result<(), Error> {
        self.work += amount.min(WORK_UNNOTICED as usize) as u32;
        if self.work >= WORK_UNNOTICED {
            self.work = 0;
            if (self.expired)() {
                return Err(Error::Timeout);
            }
        }
        Ok(())
    }
}

impl Selected {
    /// The samples in `(from, to]`.
    fn within(&self, from: i64, to: i64) -> Window<'_> {
        let first = self.times.partition_point(|time| *time <= from);
        let end = self.times.partition_point(|time| *time <= to).max(first);
        let (times, values) = (&self.times[first..end], &self.values[first..end]);
        Window {
            times,
            values,
            weights: self.weights.get(first..end).unwrap_or_default(),
            from,
            to,
        }
    }

    pub(super) fn drop_marks(&mut self) {
        let points = self.times.iter().zip(&self.values);
        let is_mark = |(at, value): (&i64, &f64)| Point { at: *at, value: *value }.is_stale();
        let marks: Vec<bool> = points.map(is_mark).collect();
        if !marks.contains(&true) {
            return;
        }
        drop_marked(&mut self.times, &marks);
        drop_marked(&mut self.values, &marks);
        drop_marked(&mut self.weights, &marks);
    }
}

fn drop_marked<T>(column: &mut Vec<T>, marks: &[bool]) {
    let mut marks = marks.iter();
    column.retain(|_| !marks.next().is_some_and(|mark| *mark));
}
