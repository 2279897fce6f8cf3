//! Which alerts are meant, by their labels: `severity=low`, `device=~"sd.*"`.

use std::fmt;
use std::str::FromStr;

use regex::Regex;

use super::Alert;
use crate::sample::is_label_name;
use crate::severity::Severity;

/// Each regular expression may take megabytes once it is compiled.
const REGEX_BYTES_MAX: usize = 1 << 18;
/// Bytes that name and value may have. In quotes they may take more: a silence is kept as it is shown.
const TEXT_BYTES_MAX: usize = 1024;

/// A condition on one label; a label that an alert lacks counts as empty.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    operation: Operation,
    value: String,
}

#[derive(Debug, Clone)]
enum Operation {
    Equal,
    NotEqual,
    Like(Regex),
    Unlike(Regex),
}

/// Why a text is no matcher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    #[error(
        "{0:?} is no condition: write one such as severity=low, device!=\"sda\" or job=~\"a|b\""
    )]
    Form(String),
    #[error("{0:?}: {1}")]
    Regex(String, String),
}

impl Matcher {
    /// Whether this alert is meant. A level counts under our name for it and under its rule's.
    pub fn matches(&self, alert: &Alert) -> bool {
        self.holds(|name| alert.label(name), alert.severity)
    }

    /// The same of whatever has labels and a level.
    pub fn holds<'a>(
        &self,
        label: impl FnOnce(&str) -> Option<&'a str>,
        severity: Severity,
    ) -> bool {
        let label = label(&self.name).unwrap_or_default();
        let level = (self.name == "severity").then(|| severity.name());
        let is = |holds: &dyn Fn(&str) -> bool| holds(label) || level.is_some_and(holds);
        match &self.operation {
            Operation::Equal => is(&|text| text == self.value),
            Operation::NotEqual => !is(&|text| text == self.value),
            Operation::Like(regex) => is(&|text| regex.is_match(text)),
            Operation::Unlike(regex) => !is(&|text| regex.is_match(text)),
        }
    }
}

impl FromStr for Matcher {
    type Err = MatcherError;

    fn from_str(text: &str) -> Result<Self, MatcherError> {
        let form = || MatcherError::Form(crate::sample::brief(text));
        let end = text.find(['=', '!']).ok_or_else(form)?;
        let (name, rest) = (text[..end].trim(), &text[end..]);
        if !is_label_name(name) {
            return Err(form());
        }
        let operators = ["=~", "!~", "!=", "="];
        let operator = operators.into_iter().find(|it| rest.starts_with(it)).ok_or_else(form)?;
        let value = rest[operator.len()..].trim();
        let value: String = match value.strip_prefix('"') {
            Some(_) => serde_json::from_str(value).map_err(|_| form())?,
            None => value.to_owned(),
        };
        if name.len() + value.len() > TEXT_BYTES_MAX {
            return Err(form());
        }
        let regex = || {
            regex::RegexBuilder::new(&format!("^(?s:{value})$"))
                .size_limit(REGEX_BYTES_MAX)
                .build()
                .map_err(|_| {
                    let why = "this is no regular expression, or too large a one".to_owned();
                    MatcherError::Regex(crate::sample::brief(text), why)
                })
        };
        let operation = match operator {
            "=" => Operation::Equal,
            "!=" => Operation::NotEqual,
            "=~" => Operation::Like(regex()?),
            _ => Operation::Unlike(regex()?),
        };
        Ok(Self { name: name.to_owned(), operation, value })
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.operation {
            Operation::Equal => "=",
            Operation::NotEqual => "!=",
            Operation::Like(_) => "=~",
            Operation::Unlike(_) => "!~",
        };
        let value = serde_json::Value::from(self.value.as_str());
        write!(f, "{}{operator}{value}", self.name)
    }
}

/// Whether all of them hold.
pub(super) fn all(matchers: &[Matcher], alert: &Alert) -> bool {
    matchers.iter().all(|matcher| matcher.matches(alert))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::alert;

    #[test]
    fn an_alert_is_meant_by_its_labels() {
        let mut alert = alert("r");
        alert.labels.insert("device".to_owned(), "sda".to_owned());
        alert.labels.insert("severity".to_owned(), "warning".to_owned());
        let check = |text: &str, expected: bool| {
            let matcher: Matcher = text.parse().expect(text);
            assert_eq!(matcher.matches(&alert), expected, "{text}");
            let again: Matcher = matcher.to_string().parse().expect("its own text");
            assert_eq!(again, matcher);
        };
        check("device=sda", true);
        check("device = \"sda\"", true);
        check("device=\"sdb\"", false);
        check("device!=sdb", true);
        check("device=~sd.", true);
        check("device=~d", false);
        check("device!~\"sd[bc]\"", true);
        check("absent=", true);
        check("absent!=x", true);
        check("severity=medium", true);
        check("severity=warning", true);
        check("severity!=medium", false);
        check("alertname=r", true);
        check("rule_id=r", true);
    }

    #[test]
    fn the_longest_can_be_read_as_it_is_shown() {
        let matcher: Matcher = format!("a={}", "\u{1}".repeat(1_023)).parse().expect("as long");
        assert_eq!(matcher.to_string().parse(), Ok(matcher));
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in ["", "device", "=x", "1a=x", "a\"=x", "a=~(", "a=\"x", "a!x"] {
            assert!(text.parse::<Matcher>().is_err(), "{text}");
        }
        let huge = format!("a=~{}", "x{1000}".repeat(30));
        assert!(huge.parse::<Matcher>().is_err());
        assert!(format!("a={}", "x".repeat(1_024)).parse::<Matcher>().is_err());
    }
}
