//! A route's condition on one label: `job=web`, `host=~"web.*"`.

use std::str::FromStr;

use regex::{Regex, RegexBuilder};

use super::Notice;
use crate::sample::is_label_name;

/// What a compiled expression may take.
const REGEX_BYTES_MAX: usize = 1 << 18;

/// A condition; a label that an alert lacks counts as empty.
#[derive(Debug, Clone)]
pub struct Matcher {
    label: String,
    /// Whether it is turned round.
    is_not: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Equal(String),
    Like(Regex),
}

impl Matcher {
    /// Whether it holds.
    pub fn holds(&self, alert: &Notice) -> bool {
        let label = alert.label(&self.label);
        let is = match &self.test {
            Test::Equal(text) => text == label,
            Test::Like(regex) => regex.is_match(label),
        };
        is != self.is_not
    }
}

impl FromStr for Matcher {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form =
            || format!("{text:?} is no condition: write one such as job=web or host=~\"web.*\"");
        let end = text.find(['=', '!']).ok_or_else(form)?;
        let (label, rest) = (text[..end].trim(), &text[end..]);
        let operators =
            [("=~", false, true), ("!~", true, true), ("!=", true, false), ("=", false, false)];
        let (operator, is_not, is_like) =
            operators.into_iter().find(|(sign, ..)| rest.starts_with(sign)).ok_or_else(form)?;
        if !is_label_name(label) {
            return Err(form());
        }
        let value = rest[operator.len()..].trim();
        let value: String = match value.starts_with('"') {
            true => serde_json::from_str(value).map_err(|_| form())?,
            false => value.to_owned(),
        };
        let test = if is_like {
            let regex = RegexBuilder::new(&format!("^(?s:{value})$"));
            let regex = { regex }.size_limit(REGEX_BYTES_MAX).build();
            let why = |_| format!("{text:?}: this is no regular expression, or too large a one");
            Test::Like(regex.map_err(why)?)
        } else {
            Test::Equal(value)
        };
        Ok(Self { label: label.to_owned(), is_not, test })
    }
}

#[cfg(test)]
mod tests {
    use super::super::notice::tests::firing;
    use super::*;
    use crate::severity::Severity;

    #[test]
    fn an_alert_is_meant_by_its_labels() {
        let mut alert = firing("r", Severity::Medium);
        alert.labels.insert("device".to_owned(), "sda".to_owned());
        let check = |text: &str, expected: bool| {
            let matcher: Matcher = text.parse().expect(text);
            assert_eq!(matcher.holds(&alert), expected, "{text}");
        };
        check("device=sda", true);
        check("device = \"sda\"", true);
        check("device!=sdb", true);
        check("device=~sd.", true);
        check("device=~d", false);
        check("device!~\"sd[bc]\"", true);
        check("absent=", true);
        check("severity=medium", true);
        for text in ["", "device", "=x", "1a=x", "a=~(", "a=\"x", "a!x"] {
            assert!(text.parse::<Matcher>().is_err(), "{text}");
        }
    }
}
