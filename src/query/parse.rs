//! From a text to an expression that can be evaluated; what cannot is refused with its place.

use std::fmt;
use std::sync::Arc;

use promql_parser::parser::{self, Expr, VectorSelector, token};

use super::{Config, Error, duration, place};
use crate::store::history::Shelf;

/// Deeper nesting is refused, so that evaluation fits any thread's stack.
const MAX_DEPTH: usize = 100;
/// The parser works through a text of so many tokens in a few milliseconds.
const MAX_TOKENS: usize = 2_000;

/// Each regular expression may take megabytes once it is compiled.
const MAX_REGEXES: usize = 32;

/// The functions that there are. Those of histograms, and those that Prometheus calls experimental,
/// are not among them.
pub(super) const FUNCTIONS: [&str; 65] = [
    "abs",
    "absent",
    "absent_over_time",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "avg_over_time",
    "ceil",
    "changes",
    "clamp",
    "clamp_max",
    "clamp_min",
    "cos",
    "cosh",
    "count_over_time",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "deg",
    "delta",
    "deriv",
    "exp",
    "floor",
    "hour",
    "idelta",
    "increase",
    "irate",
    "label_join",
    "label_replace",
    "last_over_time",
    "ln",
    "log10",
    "log2",
    "max_over_time",
    "min_over_time",
    "minute",
    "month",
    "pi",
    "predict_linear",
    "present_over_time",
    "quantile_over_time",
    "rad",
    "rate",
    "resets",
    "round",
    "scalar",
    "sgn",
    "sin",
    "sinh",
    "sort",
    "sort_desc",
    "sqrt",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
    "tan",
    "tanh",
    "time",
    "timestamp",
    "vector",
    "year",
];

/// An expression that was found sound.
#[derive(Clone)]
pub struct Query {
    pub(super) expr: Expr,
    /// Where there are samples that are no longer in memory.
    pub(super) shelf: Option<Arc<dyn Shelf>>,
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

impl Query {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`Error::Parse`] with the place, or [`Error::BadData`] if it is too long.
    pub fn parse(text: &str, config: &Config) -> Result<Self, Error> {
        if text.len() as u64 > *config.max_length {
            let message = format!(
                "the expression has {} bytes; there may be {} (query.max_length)",
                text.len(),
                *config.max_length
            );
            return Err(Error::BadData(message));
        }
        check_size(text)?;
        let expr = parser::parse(text).map_err(|message| place::refused(text, &message))?;
        Walk { text }.check(&expr, 1)?;
        Ok(Self { expr, shelf: None })
    }

    /// The same, of what is no longer in memory as well. To read it takes as long as a disk takes.
    pub fn reaching(self, shelf: Option<Arc<dyn Shelf>>) -> Self {
        Self { shelf, ..self }
    }

    /// Reads a selector, as `match[]` has it.
    ///
    /// # Errors
    /// As [`Self::parse`], and if it is another expression.
    pub fn parse_selector(text: &str, config: &Config) -> Result<Self, Error> {
        let query = Self::parse(text, config)?;
        match query.expr {
            Expr::VectorSelector(ref selector)
                if selector.offset.is_none() && selector.at.is_none() =>
            {
                Ok(query)
            }
            _ => Err(place::error(text, 0, "expected a series selector, such as up{job=\"x\"}")),
        }
    }
}

fn check_size(text: &str) -> Result<(), Error> {
    let tokens = place::tokens(text);
    if let Some(token) = tokens.get(MAX_TOKENS) {
        let message = format!("the expression has more than {MAX_TOKENS} words and signs");
        return Err(place::error(text, token.start, message));
    }
    duration::check(text, &tokens)?;
    let is_regex = |token: &&place::Token<'_>| matches!(token.text, "=~" | "!~");
    if let Some(token) = tokens.iter().filter(is_regex).nth(MAX_REGEXES) {
        let message = format!("there may be {MAX_REGEXES} regular expressions");
        return Err(place::error(text, token.start, message));
    }
    let refuse =
        |token: place::Token<'_>, message: String| Err(place::error(text, token.start, message));
    let mut open: Vec<(place::Token<'_>, &str)> = Vec::new();
    for token in tokens {
        let closing = match token.text {
            "(" => Some(")"),
            "[" => Some("]"),
            "{" => Some("}"),
            ")" | "]" | "}" if open.pop().is_none_or(|(_, closing)| closing != token.text) => {
                return refuse(token, format!("unexpected {:?}", token.text));
            }
            _ => None,
        };
        open.extend(closing.map(|closing| (token, closing)));
        if open.len() > MAX_DEPTH {
            return refuse(token, format!("brackets are nested more than {MAX_DEPTH} deep"));
        }
        if token.is_open_string() {
            return refuse(token, "this string does not end".to_owned());
        }
    }
    match open.pop() {
        Some((token, _)) => refuse(token, format!("{:?} is not closed", token.text)),
        None => Ok(()),
    }
}

struct Walk<'a> {
    text: &'a str,
}

impl Walk<'_> {
    fn check(&self, expr: &Expr, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            let message = format!("the expression is nested more than {MAX_DEPTH} deep");
            return Err(place::error(self.text, 0, message));
        }
        match expr {
            Expr::Aggregate(aggregate) => {
                if matches!(aggregate.op.id(), token::T_LIMITK | token::T_LIMIT_RATIO) {
                    return Err(self.unsupported(&aggregate.op.to_string()));
                }
                aggregate.param.iter().try_for_each(|param| self.check(param, depth + 1))?;
                self.check(&aggregate.expr, depth + 1)
            }
            Expr::Unary(unary) => self.check(&unary.expr, depth + 1),
            Expr::Binary(binary) => {
                let fill = binary.modifier.as_ref().map(|modifier| &modifier.fill_values);
                if fill.is_some_and(|fill| fill.lhs.is_some() || fill.rhs.is_some()) {
                    return Err(self.unsupported_word(&["fill", "fill_left", "fill_right"]));
                }
                self.check(&binary.lhs, depth + 1)?;
                self.check(&binary.rhs, depth + 1)
            }
            Expr::Paren(paren) => self.check(&paren.expr, depth + 1),
            Expr::Subquery(subquery) => self.check(&subquery.expr, depth + 1),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Ok(()),
            Expr::VectorSelector(selector) => self.check_selector(selector),
            Expr::MatrixSelector(matrix) => self.check_selector(&matrix.vs),
            Expr::Call(call) => {
                if !FUNCTIONS.contains(&call.func.name) {
                    return Err(self.unsupported(call.func.name));
                }
                call.args.args.iter().try_for_each(|argument| self.check(argument, depth + 1))
            }
            Expr::Extension(_) => Err(place::error(self.text, 0, "an extension is not supported")),
        }
    }

    fn check_selector(&self, selector: &VectorSelector) -> Result<(), Error> {
        if selector.matchers.or_matchers.is_empty() {
            return Ok(());
        }
        Err(self.unsupported_word(&["or"]))
    }

    fn unsupported(&self, name: &str) -> Error {
        let at = place::of_call(self.text, name);
        place::error(self.text, at, format!("{name} is not supported"))
    }

    fn unsupported_word(&self, words: &[&str]) -> Error {
        let places = words.iter().map(|word| (place::of_word(self.text, word), word));
        let (at, word) = places.max().unwrap_or((0, &""));
        place::error(self.text, at, format!("{word} is not supported here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WORDS: &[&str] = &[
        "up",
        " ",
        "\n",
        "(",
        ")",
        "{",
        "}",
        "[5m]",
        "[5m:1m]",
        "\"a\"",
        "'",
        "`",
        "=",
        "=~",
        "!~",
        ",",
        "1",
        "+",
        "-",
        "==",
        " bool ",
        " on ",
        "(a)",
        " by ",
        "sum",
        "topk",
        "rate",
        " offset ",
        "5m",
        " @ ",
        "start()",
        "# c",
        "\\",
        "é",
        ">",
        "and ",
        "group_left",
        ":",
        "NaN",
        "1e",
        "0x",
    ];

    fn refusal(text: &str) -> String {
        Query::parse(text, &Config::default()).expect_err(text).to_string()
    }

    #[test]
    fn what_is_refused_is_refused_at_its_place() {
        let texts = [
            "rate(up[5m]) +",
            "sum(up))",
            "sum(up]",
            "sum by (a, (up)",
            "up{a=b}",
            "up{a=\"b}",
            "sum(\n  up up\n)",
            "histogram_quantile(0.9, up)",
            "abs(limitk(3, up))",
            "{a=\"1\" or b=\"2\"}",
            "1 + rate(up)",
            "up[5m] + 1",
            "1 + nosuch(up)",
            "1 == 2",
            "up{a=~\"(\"}",
            "{a=~\".*\"}",
            "",
            "foo offset",
            "a on (x) b",
            "a + fill(0) b",
            "rate(x[5q])",
            "x{a!b}",
            "1 + topk(x)",
            "x[5m",
            "x ! y",
            "\u{1F600}",
            "sum(x) by",
        ];
        let refusals = texts.map(|text| format!("{text:?}: {}", refusal(text)));
        insta::assert_snapshot!(refusals.join("\n"), @r#"
        "rate(up[5m]) +": 1:15: parse error: unexpected end of input
        "sum(up))": 1:8: parse error: unexpected ")"
        "sum(up]": 1:7: parse error: unexpected "]"
        "sum by (a, (up)": 1:8: parse error: "(" is not closed
        "up{a=b}": 1:6: parse error: unexpected identifier 'b' in label matching, expected string
        "up{a=\"b}": 1:6: parse error: this string does not end
        "sum(\n  up up\n)": 2:6: parse error: unexpected "up"
        "histogram_quantile(0.9, up)": 1:1: parse error: histogram_quantile is not supported
        "abs(limitk(3, up))": 1:5: parse error: limitk is not supported
        "{a=\"1\" or b=\"2\"}": 1:8: parse error: or is not supported here
        "1 + rate(up)": 1:5: parse error: expected type matrix in call to function 'rate', got vector
        "up[5m] + 1": 1:1: parse error: binary expression must contain only scalar and instant vector types
        "1 + nosuch(up)": 1:5: parse error: unknown function with name 'nosuch'
        "1 == 2": 1:1: parse error: comparisons between scalars must use BOOL modifier
        "up{a=~\"(\"}": 1:7: parse error: illegal regex for (
        "{a=~\".*\"}": 1:1: parse error: vector selector must contain at least one non-empty matcher
        "": 1:1: parse error: no expression found in input
        "foo offset": 1:1: parse error: unexpected end of input in offset, expected duration
        "a on (x) b": 1:3: parse error: unexpected "on"
        "a + fill(0) b": 1:5: parse error: fill is not supported here
        "rate(x[5q])": 1:8: parse error: bad number or duration syntax: 5q
        "x{a!b}": 1:4: parse error: unexpected character after '!' inside braces: 'b'
        "1 + topk(x)": 1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1
        "x[5m": 1:2: parse error: "[" is not closed
        "x ! y": 1:3: parse error: unexpected character after '!': ' '
        "😀": 1:1: parse error: unexpected character: '😀'
        "sum(x) by": 1:10: parse error: unexpected end of input
        "#);
    }

    #[test]
    fn what_is_too_much_is_refused_and_overflows_no_stack() {
        let check = |text: String, expected: &str| {
            let refusal = refusal(&text);
            assert!(refusal.contains(expected), "{refusal}");
        };
        check("(".repeat(1_900), "nested more than");
        check(format!("{}1{}", "(".repeat(900), ")".repeat(900)), "nested more than");
        check(format!("{}up", "-".repeat(1_900)), "nested more than");
        check(format!("1{}", "+1".repeat(900)), "nested more than");
        check(format!("up{}", "^up".repeat(900)), "nested more than");
        check(format!("1{}", "+1".repeat(4_000)), "words and signs");
        check(format!("x{{{}}}", "a=~\"b\",".repeat(33)), "there may be 32 regular expressions");
        check("a".repeat(20_000), "query.max_length");
    }

    #[test]
    fn every_function_is_one_of_the_parsers() {
        for name in FUNCTIONS {
            // With no argument it is refused for their number at the most.
            let message = parser::parse(&format!("{name}()")).err().unwrap_or_default();
            assert!(!message.contains("unknown function"), "{name}: {message}");
        }
    }

    #[test]
    fn numbers_beyond_all_bounds_are_no_panic() {
        for text in [
            "x[99999999999999999y]",
            "x[9999999999y]",
            "x offset 99999999999y",
            "x offset -9999999y",
            "x @ 1e300",
            "x @ -1e15",
            "x @ NaN",
            "rate(x[5m:0s])",
            "x[5m:999999999y]",
            "1e999",
            "0x",
            "x{a=\"\\xff\"}",
        ] {
            let _ = Query::parse(text, &Config::default());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_query_or_refused_at_a_place_in_it(
            text in prop_oneof![
                any::<String>(),
                prop::collection::vec(prop::sample::select(WORDS), 0..12).prop_map(|words| words.concat()),
            ],
        ) {
            if let Err(Error::Parse { line, column, .. }) = Query::parse(&text, &Config::default()) {
                let lines: Vec<&str> = text.split('\n').collect();
                prop_assert!(line <= lines.len(), "{line} of {text:?}");
                prop_assert!(column <= lines[line - 1].chars().count() + 1, "{column} of {text:?}");
            }
        }
    }

    #[test]
    fn a_selector_is_nothing_else() {
        let check = |text: &str| Query::parse_selector(text, &Config::default()).is_ok();
        assert!(check("up") && check("{a=\"b\"}") && check("up{a!=\"\"}"));
        assert!(!check("up + 1") && !check("up[5m]") && !check("up offset 5m") && !check("1"));
    }
}
