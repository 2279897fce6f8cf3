//! Texts with places for an alert's labels and value, written as Prometheus has them:
//! `{{ $labels.device }} is at {{ $value | humanizePercentage }}`.

mod function;
mod parse;

use super::Labels;
use crate::query;
use function::Function;

/// Bytes of a text that was filled in; the rest is cut off.
const FILLED_BYTES_MAX: usize = 4096;

/// A text that was found sound.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template {
    parts: Vec<Part>,
}

/// Why a text is no template. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct TemplateError {
    line: usize,
    column: usize,
    message: String,
}

/// What a template is filled in with.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    pub labels: &'a Labels,
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Place(Node),
}

/// What stands between braces.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Labels,
    Label(String),
    Value,
    Text(String),
    Number(f64),
    Call(Function, Vec<Node>),
}

/// What a node comes to.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Number(f64),
    Text(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// With the place of what is not understood, by its name.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self { parts: parse::parts(text)? })
    }

    /// A text without places, whatever is in it.
    pub fn plain(text: &str) -> Self {
        Self { parts: vec![Part::Text(text.to_owned())] }
    }

    /// The text with its places filled in. What cannot be is said there.
    pub fn fill(&self, filling: Filling<'_>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            if text.len() > FILLED_BYTES_MAX {
                break;
            }
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Place(node) => match node.value(filling) {
                    Ok(value) => text.push_str(&value.text()),
                    Err(error) => text.push_str(&format!("<{error}>")),
                },
            }
        }
        text.truncate(text.floor_char_boundary(FILLED_BYTES_MAX));
        text
    }
}

impl Node {
    fn value(&self, filling: Filling<'_>) -> Result<Value, String> {
        Ok(match self {
            // As Go prints a map.
            Node::Labels => {
                let pairs: Vec<String> =
                    filling.labels.iter().map(|(name, text)| format!("{name}:{text}")).collect();
                Value::Text(format!("map[{}]", pairs.join(" ")))
            }
            Node::Label(name) => Value::Text(filling.labels.get(name).cloned().unwrap_or_default()),
            Node::Value => Value::Number(filling.value),
            Node::Text(text) => Value::Text(text.clone()),
            Node::Number(number) => Value::Number(*number),
            Node::Call(function, arguments) => {
                let arguments: Result<Vec<Value>, String> =
                    arguments.iter().map(|argument| argument.value(filling)).collect();
                function.call(&arguments?)?.shortened()
            }
        })
    }
}

impl Value {
    /// No longer than what is filled in may be: functions can double a text each time.
    fn shortened(self) -> Self {
        match self {
            Value::Text(mut text) => {
                text.truncate(text.floor_char_boundary(FILLED_BYTES_MAX));
                Value::Text(text)
            }
            number => number,
        }
    }

    fn text(&self) -> String {
        match self {
            Value::Number(number) => query::text(*number),
            Value::Text(text) => text.clone(),
        }
    }

    fn number(&self) -> Result<f64, String> {
        match self {
            Value::Number(number) => Ok(*number),
            Value::Text(text) => text.parse().map_err(|_| format!("{text:?} is not a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(text: &str, value: f64) -> String {
        let labels = [("device", "sda"), ("host", "größe")];
        let labels =
            labels.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Template::parse(text).expect(text).fill(Filling { labels: &labels, value })
    }

    #[test]
    fn places_are_filled_in() {
        let check = |text: &str, value: f64, expected: &str| {
            assert_eq!(fill(text, value), expected, "{text}");
        };
        check("plain } text", 0.0, "plain } text");
        check("{{ $labels.device }} is at {{$value}}%", 92.5, "sda is at 92.5%");
        check("{{ .Labels.host }}{{ .Value }}", 1e6, "größe1000000");
        check("{{ $labels.absent }}.", 0.0, ".");
        check("{{ $labels }}", 0.0, "map[device:sda host:größe]");
        check("{{ index $labels \"device\" }}", 0.0, "sda");
        check("a {{- $value -}} b", 1.0, "a1b");
        check("{{/* nothing */}}x", 1.0, "x");
        check("{{ printf \"%.2f and %s\" $value $labels.device }}", 1.005, "1.00 and sda");
        check("{{ $value | printf \"%.1f%%\" }}", 45.26, "45.3%");
        check("{{ printf \"%5.1f|%-4s|%q\" $value \"a\" `b` }}", 2.25, "  2.2|a   |\"b\"");
        check("{{ (humanize $value) | toUpper }}", 12_345.0, "12.35K");
        check("{{ $labels.device | title }}", 0.0, "Sda");
        check("{{ $labels.device | humanize }}", 0.0, "<\"sda\" is not a number>");
    }

    #[test]
    fn numbers_are_made_readable_as_prometheus_does() {
        let check = |function: &str, value: f64, expected: &str| {
            assert_eq!(fill(&format!("{{{{ $value | {function} }}}}"), value), expected);
        };
        for (value, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (1_234_567.0, "1.235M"),
            (0.12, "120m"),
            (-0.000_5, "-500u"),
            (f64::INFINITY, "+Inf"),
            (f64::NAN, "NaN"),
        ] {
            check("humanize", value, expected);
        }
        for (value, expected) in
            [(0.5, "0.5"), (1024.0, "1ki"), (1_048_576.0, "1Mi"), (-1_536.0, "-1.5ki")]
        {
            check("humanize1024", value, expected);
        }
        for (value, expected) in [(0.1234567, "12.35%"), (1.0, "100%"), (-1.0, "-100%")] {
            check("humanizePercentage", value, expected);
        }
        for (value, expected) in [
            (0.0, "0s"),
            (1.0, "1s"),
            (0.1, "100ms"),
            (59.5, "59.5s"),
            (60.0, "1m 0s"),
            (3_600.0, "1h 0m 0s"),
            (86_400.0, "1d 0h 0m 0s"),
            (-93_784.0, "-1d 2h 3m 4s"),
        ] {
            check("humanizeDuration", value, expected);
        }
        check("humanizeTimestamp", 1_435_065_584.128, "2015-06-23 13:19:44.128 +0000 UTC");
        check("printf \"%g\"", 1e-7, "1e-07");
    }

    #[test]
    fn what_grows_on_the_way_is_cut_off() {
        let doubled = format!("{{{{ \"\\\"\" {} }}}}", "| printf \"%q\" ".repeat(16));
        assert_eq!(fill(&doubled, 0.0).len(), FILLED_BYTES_MAX);
        let long = "{{ printf \"%100s\" $value }}".repeat(100);
        assert_eq!(fill(&long, 0.0).len(), FILLED_BYTES_MAX);
        let piped = format!("{{{{ $value {} }}}}", "| title ".repeat(17));
        let error = Template::parse(&piped).expect_err("too many pipes").to_string();
        assert_eq!(error, "1:139: too many functions one after the other");
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name_and_place() {
        let refusal = |text: &str| Template::parse(text).expect_err(text).to_string();
        let texts = [
            "a {{ $value",
            "{{ }}",
            "{{ query \"up\" }}",
            "x\n{{ if $value }}y{{ end }}",
            "{{ $externalLabels.x }}",
            "{{ $x := 1 }}",
            "{{ humanize }}",
            "{{ humanize $value $value }}",
            "{{ printf \"%d\" $value }}",
            "{{ printf \"%s\" }}",
            "{{ printf $value }}",
            "{{ $value | }}",
            "{{ ($value }}",
            "{{ \"a }}",
            "{{ $labels.1 }}",
            "{{ $value ; }}",
            "{{ 1 2 }}",
        ];
        let refusals = texts.map(|text| format!("{text:?}: {}", refusal(text)));
        insta::assert_snapshot!(refusals.join("\n"), @r#"
        "a {{ $value": 1:3: "{{" is not closed
        "{{ }}": 1:4: unexpected "}}"
        "{{ query \"up\" }}": 1:4: "query" is not supported here
        "x\n{{ if $value }}y{{ end }}": 2:4: "if" is not supported here
        "{{ $externalLabels.x }}": 1:4: "$externalLabels.x" is not supported here
        "{{ $x := 1 }}": 1:4: "$x" is not supported here
        "{{ humanize }}": 1:4: "humanize" has 0 arguments
        "{{ humanize $value $value }}": 1:4: "humanize" has 2 arguments
        "{{ printf \"%d\" $value }}": 1:4: printf: %d is not supported
        "{{ printf \"%s\" }}": 1:4: printf: 1 verbs for 0 arguments
        "{{ printf $value }}": 1:4: printf begins with a format in quotes
        "{{ $value | }}": 1:13: unexpected "}}"
        "{{ ($value }}": 1:12: unexpected "}}"
        "{{ \"a }}": 1:1: "{{" is not closed
        "{{ $labels.1 }}": 1:4: "$labels.1" is not supported here
        "{{ $value ; }}": 1:11: unexpected ";"
        "{{ 1 2 }}": 1:6: unexpected "2"
        "#);
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_refused_within_it(text: String, value: f64) {
            let labels = Labels::new();
            match Template::parse(&text) {
                Ok(template) => _ = template.fill(Filling { labels: &labels, value }),
                Err(error) => prop_assert!(error.line <= text.split('\n').count()),
            }
        }
    }
}
