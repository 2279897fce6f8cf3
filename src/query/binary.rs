//! Operators between two values: arithmetic, comparison, sets, and how series find their partners.

use std::collections::{HashMap, HashSet};

use promql_parser::parser::token::{self, TokenId};
use promql_parser::parser::{BinModifier, BinaryExpr, LabelModifier, VectorMatchCardinality};

use super::Error;
use super::evaluate::{Evaluation, Instant, Value, place_of};
use super::labels::{Interned, Labels, NAME};

/// An operator and how it is to be applied.
#[derive(Clone, Copy)]
struct Operator<'a> {
    id: TokenId,
    return_bool: bool,
    matching: Option<&'a LabelModifier>,
    /// Where its results are remembered.
    place: usize,
}

impl Evaluation<'_> {
    pub(super) fn binary(&mut self, binary: &BinaryExpr, at: i64) -> Result<Value, Error> {
        let default = BinModifier::default();
        let modifier = binary.modifier.as_ref().unwrap_or(&default);
        let operator = Operator {
            id: binary.op.id(),
            return_bool: modifier.return_bool,
            matching: modifier.matching.as_ref(),
            place: place_of(binary),
        };
        let (left, right) = (self.value(&binary.lhs, at)?, self.value(&binary.rhs, at)?);
        match (left, right) {
            (Value::Scalar(left), Value::Scalar(right)) => {
                let (value, keep) = operator.apply(left, right);
                let is_comparison = operator.is_comparison();
                Ok(Value::Scalar(if is_comparison { f64::from(u8::from(keep)) } else { value }))
            }
            (Value::Vector(vector), Value::Scalar(scalar)) => {
                self.with_scalar(operator, vector, scalar, false)
            }
            (Value::Scalar(scalar), Value::Vector(vector)) => {
                self.with_scalar(operator, vector, scalar, true)
            }
            (Value::Vector(left), Value::Vector(right)) => match operator.id {
                token::T_LAND | token::T_LOR | token::T_LUNLESS => {
                    Ok(Value::Vector(self.sets(operator, left, right)))
                }
                _ => self.vectors(operator, &modifier.card, left, right),
            },
            _ => Err(Error::execution("this operator has no meaning for these operands")),
        }
    }

    fn with_scalar(
        &mut self,
        operator: Operator<'_>,
        vector: Vec<Instant>,
        scalar: f64,
        scalar_first: bool,
    ) -> Result<Value, Error> {
        let mut result = Vec::with_capacity(vector.len());
        for Instant { labels, value } in vector {
            let (left, right) = if scalar_first { (scalar, value) } else { (value, scalar) };
            let (made, keep) = operator.apply(left, right);
            // A comparison lets the series' own value pass, on whichever side it stands.
            let made = if operator.is_comparison() { value } else { made };
            let (value, keep) = operator.as_bool(made, keep);
            if keep {
                let labels =
                    if operator.drops_name() { self.sets.nameless(&labels) } else { labels };
                result.push(Instant { labels, value });
            }
        }
        self.distinct(result).map(Value::Vector)
    }

    /// `and`, `or` and `unless`.
    fn sets(
        &mut self,
        operator: Operator<'_>,
        left: Vec<Instant>,
        right: Vec<Instant>,
    ) -> Vec<Instant> {
        let (base, other) = match operator.id {
            token::T_LOR => (right, &left),
            _ => (left.clone(), &right),
        };
        let known: HashSet<Interned> =
            other.iter().map(|one| self.signature(operator, &one.labels)).collect();
        let wanted = operator.id == token::T_LAND;
        let base = base.into_iter();
        let kept =
            base.filter(|one| known.contains(&self.signature(operator, &one.labels)) == wanted);
        match operator.id {
            token::T_LOR => left.iter().cloned().chain(kept).collect(),
            _ => kept.collect(),
        }
    }

    /// Every other operator: each series finds the one that has the same labels.
    fn vectors(
        &mut self,
        operator: Operator<'_>,
        cardinality: &VectorMatchCardinality,
        left: Vec<Instant>,
        right: Vec<Instant>,
    ) -> Result<Value, Error> {
        let swapped = matches!(cardinality, VectorMatchCardinality::OneToMany(_));
        let (many, one) = if swapped { (right, left) } else { (left, right) };
        if many.is_empty() || one.is_empty() {
            return Ok(Value::Vector(Vec::new()));
        }
        let partners = self.partners(operator, one, swapped)?;
        let grouped = cardinality.labels();
        let (mut result, mut used) = (Vec::new(), HashSet::new());
        for Instant { labels, value } in many {
            let signature = self.signature(operator, &labels);
            let Some(partner) = partners.get(&signature) else { continue };
            let (left, right) =
                if swapped { (partner.value, value) } else { (value, partner.value) };
            let (made, keep) = operator.apply(left, right);
            let (value, keep) = operator.as_bool(made, keep);
            if !keep {
                continue;
            }
            let made = match grouped {
                None => self.paired(operator, &labels),
                Some(names) => self.grouped(operator, &labels, &partner.labels, &names.labels),
            };
            if grouped.is_none() && !used.insert(signature) {
                return Err(Error::execution(
                    "multiple matches for labels: many-to-one matching must be explicit \
                     (group_left/group_right)",
                ));
            }
            if grouped.is_some() && !used.insert(made.clone()) {
                return Err(Error::execution(
                    "multiple matches for labels: grouping labels must ensure unique matches",
                ));
            }
            result.push(Instant { labels: made, value });
        }
        self.distinct(result).map(Value::Vector)
    }

    /// The series of the side that has one of each, by what they are found by.
    fn partners(
        &mut self,
        operator: Operator<'_>,
        one: Vec<Instant>,
        swapped: bool,
    ) -> Result<HashMap<Interned, Instant>, Error> {
        let mut partners: HashMap<Interned, Instant> = HashMap::with_capacity(one.len());
        for instant in one {
            let signature = self.signature(operator, &instant.labels);
            if let Some(other) = partners.get(&signature) {
                let side = if swapped { "left" } else { "right" };
                return Err(Error::execution(format!(
                    "found duplicate series for the match group {} on the {side} hand-side of the \
                     operation: [{}, {}];many-to-many matching not allowed: matching labels must be \
                     unique on one side",
                    signature.0, instant.labels.0, other.labels.0
                )));
            }
            partners.insert(signature, instant);
        }
        Ok(partners)
    }

    /// The labels by which a series finds its partner.
    fn signature(&mut self, operator: Operator<'_>, labels: &Interned) -> Interned {
        let matching = operator.matching;
        self.sets.derive(operator.place, labels, |labels| match matching {
            Some(LabelModifier::Include(on)) => {
                labels.without(|name| !on.labels.iter().any(|label| label == name))
            }
            Some(LabelModifier::Exclude(ignoring)) => labels
                .without(|name| name == NAME || ignoring.labels.iter().any(|label| label == name)),
            None => labels.without(|name| name == NAME),
        })
    }

    /// The labels of a result of one series and another.
    fn paired(&mut self, operator: Operator<'_>, labels: &Interned) -> Interned {
        let matching = operator.matching;
        self.sets.derive(operator.place + 1, labels, |labels| {
            labels.without(|name| match matching {
                _ if name == NAME && operator.drops_name() => true,
                Some(LabelModifier::Include(on)) => !on.labels.iter().any(|label| label == name),
                Some(LabelModifier::Exclude(ignoring)) => {
                    ignoring.labels.iter().any(|label| label == name)
                }
                None => false,
            })
        })
    }

    /// The labels of a result of one of many, with those `names` that the one brings.
    fn grouped(
        &mut self,
        operator: Operator<'_>,
        many: &Interned,
        one: &Interned,
        names: &[String],
    ) -> Interned {
        let mut labels: Labels = many.0.without(|name| name == NAME && operator.drops_name());
        for name in names {
            labels.set(name, one.0.get(name));
        }
        self.sets.intern(labels)
    }
}

impl Operator<'_> {
    fn is_comparison(self) -> bool {
        token::TokenType::new(self.id).is_comparison_operator()
    }

    /// Whether what it makes is no longer what the metric's name says.
    fn drops_name(self) -> bool {
        self.return_bool || !self.is_comparison()
    }

    /// The value, and whether a comparison lets it pass.
    fn apply(self, left: f64, right: f64) -> (f64, bool) {
        match self.id {
            token::T_ADD => (left + right, true),
            token::T_SUB => (left - right, true),
            token::T_MUL => (left * right, true),
            token::T_DIV => (left / right, true),
            token::T_MOD => (left % right, true),
            token::T_POW => (left.powf(right), true),
            token::T_ATAN2 => (left.atan2(right), true),
            token::T_EQLC => (left, left == right),
            token::T_NEQ => (left, left != right),
            token::T_GTR => (left, left > right),
            token::T_LSS => (left, left < right),
            token::T_GTE => (left, left >= right),
            token::T_LTE => (left, left <= right),
            _ => (f64::NAN, false),
        }
    }

    fn as_bool(self, value: f64, keep: bool) -> (f64, bool) {
        if self.return_bool { (f64::from(u8::from(keep)), true) } else { (value, keep) }
    }
}
