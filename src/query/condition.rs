//! An expression as the condition of a rule.

use promql_parser::parser::value::ValueType;
use promql_parser::parser::{BinaryExpr, Expr, token};

use super::Query;

impl Query {
    /// Whether it has a value, or elements with values, at one time.
    pub fn is_condition(&self) -> bool {
        matches!(self.expr.value_type(), ValueType::Vector | ValueType::Scalar)
    }

    /// The same comparison, with 1 for an element for which it holds and 0 for one for which it does
    /// not; none if it is no comparison of a vector.
    pub fn as_truth(mut self) -> Option<Self> {
        let comparison = comparison_mut(&mut self.expr)?;
        comparison.modifier.get_or_insert_default().return_bool = true;
        (self.expr.value_type() == ValueType::Vector).then_some(self)
    }

    /// The number that it is compared with last.
    pub fn threshold(&self) -> Option<f64> {
        let mut expr = &self.expr;
        while let Expr::Paren(paren) = expr {
            expr = &paren.expr;
        }
        let Expr::Binary(binary) = expr else { return None };
        match &*binary.rhs {
            Expr::NumberLiteral(number) if is_comparison(binary) => Some(number.val),
            Expr::Unary(unary) if is_comparison(binary) => match &*unary.expr {
                Expr::NumberLiteral(number) => Some(-number.val),
                _ => None,
            },
            _ => None,
        }
    }

    /// What it compares, as text; all of it, if it compares nothing.
    pub fn compared(&self) -> String {
        match &self.expr {
            Expr::Binary(binary) if is_comparison(binary) => binary.lhs.to_string(),
            other => other.to_string(),
        }
    }
}

fn comparison_mut(expr: &mut Expr) -> Option<&mut BinaryExpr> {
    match expr {
        Expr::Paren(paren) => comparison_mut(&mut paren.expr),
        Expr::Binary(binary) if is_comparison(binary) => Some(binary),
        _ => None,
    }
}

fn is_comparison(binary: &BinaryExpr) -> bool {
    matches!(
        binary.op.id(),
        token::T_EQLC | token::T_NEQ | token::T_GTR | token::T_GTE | token::T_LSS | token::T_LTE
    )
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn query(text: &str) -> Query {
        Query::parse(text, &Config::default()).expect(text)
    }

    #[test]
    fn the_bound_of_a_condition_is_the_number_that_it_ends_in() {
        let check = |text: &str, expected: Option<f64>| {
            assert_eq!(query(text).threshold(), expected, "{text}");
        };
        check("up == 0", Some(0.0));
        check("(avg(x) > 90)", Some(90.0));
        check("x < -5", Some(-5.0));
        check("x > y", None);
        check("x + 5", None);
        check("x > 5 and y < 3", None);
    }

    #[test]
    fn only_a_comparison_is_a_truth() {
        assert!(query("x < 5").as_truth().is_some() && query("(x == bool 5)").as_truth().is_some());
        assert!(query("x").as_truth().is_none() && query("x + 1").as_truth().is_none());
        assert!(query("1 == bool 1").as_truth().is_none());
        assert!(query("x").is_condition() && query("1").is_condition());
        assert!(!query("x[5m]").is_condition() && !query("\"x\"").is_condition());
    }

    #[test]
    fn what_is_compared_is_told() {
        assert_eq!(query("a / b * 100 > 5").compared(), "a / b * 100");
        assert_eq!(query("up").compared(), "up");
    }
}
