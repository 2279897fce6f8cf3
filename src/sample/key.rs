//! The identity of a series: a metric name and its labels.

use std::fmt;

/// A metric name with labels in the order of their names. Ordered by name first, so that a sorted
/// map holds each metric family in one run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    name: Box<str>,
    labels: Box<[(Box<str>, Box<str>)]>,
}

impl SeriesKey {
    /// The series `name{labels}`; of labels that share a name the first one stays.
    pub fn new<'a>(name: &str, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut labels: Vec<(Box<str>, Box<str>)> =
            labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        labels.sort_by(|a, b| a.0.cmp(&b.0));
        labels.dedup_by(|later, first| later.0 == first.0);
        Self { name: name.into(), labels: labels.into() }
    }

    /// The metric's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Label names and values, in the order of the names.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.labels.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The value of one label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels().find(|(label, _)| *label == name).map(|(_, value)| value)
    }

    /// The unit that the name ends in by Prometheus' conventions, such as "seconds" or "bytes";
    /// empty where it names none.
    pub fn unit(&self) -> &'static str {
        const UNITS: [&str; 11] = [
            "seconds", "bytes", "ratio", "percent", "celsius", "hertz", "volts", "amperes",
            "joules", "watts", "meters",
        ];
        let name = self.name.strip_suffix("_total").unwrap_or(&self.name);
        let last = name.rsplit('_').next().unwrap_or(name);
        UNITS.into_iter().find(|unit| *unit == last).unwrap_or("")
    }
}

impl fmt::Display for SeriesKey {
    /// As PromQL writes it: `name{a="b"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (index, (name, value)) in self.labels().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            write!(f, "{open}{name}=\"")?;
            value.chars().try_for_each(|character| write_escaped(f, character))?;
            f.write_str("\"")?;
        }
        if self.labels.is_empty() { Ok(()) } else { f.write_str("}") }
    }
}

/// Writes one character of a PromQL string. Its escapes are Go's: Rust's own `\u{7f}` is none.
fn write_escaped(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '"' | '\\' => write!(f, "\\{character}"),
        '\n' => f.write_str("\\n"),
        _ if character.is_control() => write!(f, "\\u{:04x}", u32::from(character)),
        _ => write!(f, "{character}"),
    }
}

/// Whether `name` may name a metric (letters, digits, `_`, `:`; no digit first).
pub fn is_metric_name(name: &str) -> bool {
    is_name(name, |byte| byte == b':')
}

/// Whether `name` may name a label (letters, digits, `_`; no digit first; not reserved by `__`).
pub fn is_label_name(name: &str) -> bool {
    is_name(name, |_| false) && !name.starts_with("__")
}

fn is_name(name: &str, also: impl Fn(u8) -> bool) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || also(byte);
    !name.is_empty() && name.bytes().all(legal) && !name.as_bytes()[0].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_and_unique() {
        let key = SeriesKey::new("up", [("b", "2"), ("a", "1"), ("b", "3")]);
        assert_eq!(key.to_string(), r#"up{a="1",b="2"}"#);
        assert_eq!(key.label("b"), Some("2"));
    }

    #[test]
    fn a_key_prints_as_promql_reads_it() {
        let check = |value: &str, expected: &str| {
            assert_eq!(SeriesKey::new("up", [("a", value)]).to_string(), expected);
        };
        assert_eq!(SeriesKey::new("up", []).to_string(), "up");
        check(r#"C:\ "x""#, r#"up{a="C:\\ \"x\""}"#);
        check("two\nlines", r#"up{a="two\nlines"}"#);
        check("\u{1b}[31m\u{7f}\0", r#"up{a="\u001b[31m\u007f\u0000"}"#);
        check("größe \u{200b}'", "up{a=\"größe \u{200b}'\"}");
    }

    #[test]
    fn units_come_from_the_name() {
        let unit = |name| SeriesKey::new(name, []).unit();
        assert_eq!(unit("node_cpu_seconds_total"), "seconds");
        assert_eq!(unit("node_memory_MemTotal_bytes"), "bytes");
        assert_eq!(unit("node_load1"), "");
    }

    #[test]
    fn names_follow_prometheus() {
        assert!(is_metric_name("node_load1") && is_metric_name("a:b"));
        assert!(!is_metric_name("") && !is_metric_name("1a") && !is_metric_name("a-b"));
        assert!(is_label_name("mode") && !is_label_name("__name__") && !is_label_name("a:b"));
    }
}
