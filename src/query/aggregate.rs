//! Many series into few: `sum`, `topk` and their like.

use std::collections::HashMap;

use promql_parser::parser::{AggregateExpr, LabelModifier, token};

use super::Error;
use super::evaluate::{Evaluation, Instant, Value, place_of};
use super::labels::{Interned, NAME};
use super::number::{self, Sum, compare, mean, quantile, variance};

impl Evaluation<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &AggregateExpr, at: i64) -> Result<Value, Error> {
        let parameter = aggregate.param.as_deref();
        let vector = self.vector(&aggregate.expr, at)?;
        let result = match aggregate.op.id() {
            token::T_TOPK | token::T_BOTTOMK => {
                let count = self.parameter(parameter, at)?;
                let is_top = aggregate.op.id() == token::T_TOPK;
                return Ok(Value::Vector(self.first_few(aggregate, vector, count, is_top)?));
            }
            token::T_COUNT_VALUES => {
                let label = parameter.map(|parameter| self.string(parameter)).transpose()?;
                return self.count_values(aggregate, vector, &label.unwrap_or_default());
            }
            token::T_QUANTILE => {
                let rank = self.parameter(parameter, at)?;
                self.fold(aggregate, vector, |values| quantile(rank, values))
            }
            token::T_SUM => self.fold(aggregate, vector, |values| Sum::of(values.iter().copied())),
            token::T_AVG => self.fold(aggregate, vector, |values| mean(values)),
            token::T_MIN => self.fold(aggregate, vector, |values| extreme(values, |a, b| a < b)),
            token::T_MAX => self.fold(aggregate, vector, |values| extreme(values, |a, b| a > b)),
            token::T_COUNT => self.fold(aggregate, vector, |values| values.len() as f64),
            token::T_GROUP => self.fold(aggregate, vector, |_| 1.0),
            token::T_STDDEV => self.fold(aggregate, vector, |values| variance(values).sqrt()),
            token::T_STDVAR => self.fold(aggregate, vector, |values| variance(values)),
            _ => return Err(Error::execution(format!("{} is not supported", aggregate.op))),
        };
        Ok(Value::Vector(result))
    }

    fn parameter(
        &mut self,
        parameter: Option<&promql_parser::parser::Expr>,
        at: i64,
    ) -> Result<f64, Error> {
        parameter.map_or(Ok(f64::NAN), |parameter| self.scalar(parameter, at))
    }

    /// The labels of the group that a series belongs to.
    fn group(&mut self, aggregate: &AggregateExpr, labels: &Interned) -> Interned {
        let modifier = aggregate.modifier.as_ref();
        self.sets.derive(place_of(aggregate), labels, |labels| match modifier {
            Some(LabelModifier::Include(by)) => {
                labels.without(|name| !by.labels.iter().any(|label| label == name))
            }
            Some(LabelModifier::Exclude(without)) => labels
                .without(|name| name == NAME || without.labels.iter().any(|label| label == name)),
            None => labels.without(|_| true),
        })
    }

    /// The groups, in the order of their first members.
    fn groups(
        &mut self,
        aggregate: &AggregateExpr,
        vector: Vec<Instant>,
    ) -> Vec<(Interned, Vec<Instant>)> {
        let mut groups: Vec<(Interned, Vec<Instant>)> = Vec::new();
        let mut places: HashMap<Interned, usize> = HashMap::new();
        for instant in vector {
            let group = self.group(aggregate, &instant.labels);
            let place = *places.entry(group.clone()).or_insert_with(|| {
                groups.push((group, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(instant);
        }
        groups
    }

    fn fold(
        &mut self,
        aggregate: &AggregateExpr,
        vector: Vec<Instant>,
        fold: impl Fn(&mut Vec<f64>) -> f64,
    ) -> Vec<Instant> {
        let groups = self.groups(aggregate, vector).into_iter();
        let fold = |(labels, members): (Interned, Vec<Instant>)| {
            let mut values = members.iter().map(|member| member.value).collect();
            Instant { labels, value: fold(&mut values) }
        };
        groups.map(fold).collect()
    }

    /// The largest or the smallest `count` of each group, the first one first; NaN is the last of all.
    fn first_few(
        &mut self,
        aggregate: &AggregateExpr,
        vector: Vec<Instant>,
        count: f64,
        is_top: bool,
    ) -> Result<Vec<Instant>, Error> {
        // The numbers that a 64-bit integer can hold.
        if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&count) {
            let count = number::text(count);
            return Err(Error::execution(format!("Scalar value {count} overflows int64")));
        }
        let count = if count < 1.0 { 0 } else { count as usize };
        let mut result = Vec::new();
        for (_, mut members) in self.groups(aggregate, vector) {
            members.sort_by(|a, b| {
                let order = compare(&a.value, &b.value);
                let is_number = |one: &Instant| !one.value.is_nan();
                match (is_number(a), is_number(b), is_top) {
                    (true, true, true) => order.reverse(),
                    (true, true, false) => order,
                    (a, b, _) => b.cmp(&a),
                }
            });
            members.truncate(count);
            result.extend(members);
        }
        Ok(result)
    }

    fn count_values(
        &mut self,
        aggregate: &AggregateExpr,
        vector: Vec<Instant>,
        label: &str,
    ) -> Result<Value, Error> {
        if !is_label(label) {
            return Err(Error::execution(format!("invalid label name {label:?}")));
        }
        let mut counts: Vec<Instant> = Vec::new();
        let mut places: HashMap<Interned, usize> = HashMap::new();
        for Instant { labels, value } in vector {
            let mut labels = (*self.group(aggregate, &labels).0).clone();
            labels.set(label, &number::text(value));
            let labels = self.sets.intern(labels);
            let place = *places.entry(labels.clone()).or_insert_with(|| {
                counts.push(Instant { labels, value: 0.0 });
                counts.len() - 1
            });
            counts[place].value += 1.0;
        }
        Ok(Value::Vector(counts))
    }
}

/// Whether a label may have this name.
pub(super) fn is_label(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(legal) && !name.as_bytes()[0].is_ascii_digit()
}

/// The value that none is better than; NaN is worse than any.
fn extreme(values: &[f64], is_better: fn(f64, f64) -> bool) -> f64 {
    let better =
        |best: f64, value: f64| if is_better(value, best) || best.is_nan() { value } else { best };
    values.iter().copied().reduce(better).unwrap_or(f64::NAN)
}
