//! Functions by their names.

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Call, Expr};

use super::Error;
use super::calendar;
use super::evaluate::{Evaluation, Instant, Value};
use super::labels::{Interned, Labels, NAME};
use super::number::{compare, greatest, least};

impl Evaluation<'_> {
    pub(super) fn call(&mut self, call: &Call, at: i64) -> Result<Value, Error> {
        let seconds = at as f64 / 1000.0;
        let arguments = &call.args.args[..];
        let argument = |index: usize| -> Result<&Expr, Error> {
            let argument = arguments.get(index).map(|argument| &**argument);
            argument
                .ok_or_else(|| Error::execution(format!("{} lacks an argument", call.func.name)))
        };
        let vector = match call.func.name {
            "time" => return Ok(Value::Scalar(seconds)),
            "pi" => return Ok(Value::Scalar(std::f64::consts::PI)),
            "scalar" => {
                let vector = self.vector(argument(0)?, at)?;
                let only = if vector.len() == 1 { vector[0].value } else { f64::NAN };
                return Ok(Value::Scalar(only));
            }
            "vector" => {
                let value = self.scalar(argument(0)?, at)?;
                vec![Instant { labels: self.sets.intern(Labels::default()), value }]
            }
            "timestamp" => self.timestamps(argument(0)?, at)?,
            "absent" => {
                let is_empty = self.vector(argument(0)?, at)?.is_empty();
                self.absence(argument(0)?, is_empty)
            }
            "absent_over_time" => {
                let is_empty = self.windows(argument(0)?, at, |_| Some(1.0))?.is_empty();
                self.absence(argument(0)?, is_empty)
            }
            name @ ("sort" | "sort_desc") => {
                let mut vector = self.vector(argument(0)?, at)?;
                sort(&mut vector, name == "sort_desc");
                vector
            }
            "label_replace" => self.label_replace(arguments, at)?,
            "label_join" => self.label_join(arguments, at)?,
            "round" => {
                let to = match arguments.get(1) {
                    Some(to) => self.scalar(to, at)?,
                    None => 1.0,
                };
                let inverse = 1.0 / to;
                self.map(argument(0)?, at, |value| (value * inverse + 0.5).floor() / inverse)?
            }
            name @ ("clamp" | "clamp_min" | "clamp_max") => self.clamp(name, arguments, at)?,
            "quantile_over_time" => {
                let rank = self.scalar(argument(0)?, at)?;
                let vector =
                    self.windows(argument(1)?, at, |window| Some(window.quantile(rank)))?;
                self.renamed(vector)
            }
            "predict_linear" => {
                let ahead = self.scalar(argument(1)?, at)?;
                let vector = self.windows(argument(0)?, at, |window| window.forecast(at, ahead))?;
                self.renamed(vector)
            }
            name => match (elementary(name), calendar::part(name)) {
                (Some(function), _) => self.map(argument(0)?, at, function)?,
                (None, Some(part)) if arguments.is_empty() => {
                    let value = part(seconds);
                    vec![Instant { labels: self.sets.intern(Labels::default()), value }]
                }
                (None, Some(part)) => self.map(argument(0)?, at, part)?,
                (None, None) => {
                    let vector = self.windows(argument(0)?, at, |window| window.plain(name))?;
                    if name == "last_over_time" { vector } else { self.renamed(vector) }
                }
            },
        };
        self.distinct(vector).map(Value::Vector)
    }

    /// Each value by itself, without the metric's name.
    fn map(
        &mut self,
        expr: &Expr,
        at: i64,
        function: impl Fn(f64) -> f64,
    ) -> Result<Vec<Instant>, Error> {
        let mut vector = self.vector(expr, at)?;
        vector.iter_mut().for_each(|instant| instant.value = function(instant.value));
        Ok(self.renamed(vector))
    }

    fn renamed(&mut self, mut vector: Vec<Instant>) -> Vec<Instant> {
        for instant in &mut vector {
            instant.labels = self.sets.nameless(&instant.labels);
        }
        vector
    }

    /// When each value was read; of a value that was made that is now.
    fn timestamps(&mut self, expr: &Expr, at: i64) -> Result<Vec<Instant>, Error> {
        let vector = match unwrapped(expr) {
            Expr::VectorSelector(selector) => {
                let found = self.latest(selector, at)?.into_iter();
                let of = |(instant, time): (Instant, i64)| Instant {
                    value: time as f64 / 1000.0,
                    ..instant
                };
                found.map(of).collect()
            }
            other => {
                let mut vector = self.vector(other, at)?;
                vector.iter_mut().for_each(|instant| instant.value = at as f64 / 1000.0);
                vector
            }
        };
        Ok(self.renamed(vector))
    }

    fn clamp(
        &mut self,
        name: &str,
        arguments: &[Box<Expr>],
        at: i64,
    ) -> Result<Vec<Instant>, Error> {
        let [vector, bounds @ ..] = arguments else {
            return Err(Error::execution(format!("{name} lacks an argument")));
        };
        let mut scalars = Vec::new();
        for bound in bounds {
            scalars.push(self.scalar(bound, at)?);
        }
        match (name, &scalars[..]) {
            ("clamp", [low, high]) if high < low => Ok(Vec::new()),
            ("clamp", [low, high]) => {
                self.map(vector, at, |value| greatest(*low, least(*high, value)))
            }
            ("clamp_min", [low]) => self.map(vector, at, |value| greatest(*low, value)),
            ("clamp_max", [high]) => self.map(vector, at, |value| least(*high, value)),
            _ => Err(Error::execution(format!("{name} lacks an argument"))),
        }
    }

    /// One where there is nothing, with the labels that a selector would have had.
    fn absence(&mut self, expr: &Expr, is_empty: bool) -> Vec<Instant> {
        if !is_empty {
            return Vec::new();
        }
        let labels = self.labels_of_absent(expr);
        vec![Instant { labels, value: 1.0 }]
    }

    fn labels_of_absent(&mut self, expr: &Expr) -> Interned {
        let selector = match unwrapped(expr) {
            Expr::VectorSelector(selector) => selector,
            Expr::MatrixSelector(matrix) => &matrix.vs,
            _ => return self.sets.intern(Labels::default()),
        };
        let matchers = &selector.matchers.matchers;
        let is_alone = |matcher: &&Matcher| {
            matchers.iter().filter(|other| other.name == matcher.name).count() == 1
        };
        let mut labels = Labels::default();
        for matcher in matchers.iter().filter(is_alone) {
            if matcher.op == MatchOp::Equal && matcher.name != NAME {
                labels.set(&matcher.name, &matcher.value);
            }
        }
        self.sets.intern(labels)
    }
}

/// By value; what is no number comes last either way.
fn sort(vector: &mut [Instant], descending: bool) {
    vector.sort_by(|a, b| match (a.value.is_nan(), b.value.is_nan()) {
        (false, false) if descending => compare(&b.value, &a.value),
        (false, false) => compare(&a.value, &b.value),
        (a, b) => a.cmp(&b),
    });
}

/// Without the brackets around it.
pub(super) fn unwrapped(mut expr: &Expr) -> &Expr {
    while let Expr::Paren(paren) = expr {
        expr = &paren.expr;
    }
    expr
}

/// The function of one number that has this name.
pub(super) fn elementary(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "exp" => f64::exp,
        "sqrt" => f64::sqrt,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sgn" => |value| {
            if value > 0.0 {
                1.0
            } else if value < 0.0 {
                -1.0
            } else {
                value
            }
        },
        "deg" => f64::to_degrees,
        "rad" => f64::to_radians,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "asin" => f64::asin,
        "acos" => f64::acos,
        "atan" => f64::atan,
        "sinh" => f64::sinh,
        "cosh" => f64::cosh,
        "tanh" => f64::tanh,
        // That of std calls hypot(3) of glibc 2.35, which Enterprise Linux 9 does not have.
        "asinh" => libm::asinh,
        "acosh" => f64::acosh,
        "atanh" => f64::atanh,
        _ => return None,
    })
}
