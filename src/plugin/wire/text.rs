//! A sample as a line of the Prometheus text format: `name{label="value"} number [timestamp]`.

use std::borrow::Cow;
use std::collections::HashMap;

use gz_monitor_sdk::Kind;

use super::{Malformed, Sample, kind_by_name, of_micros};

type Labels<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

pub(super) fn read<'a>(
    line: &'a str,
    types: &HashMap<String, Kind>,
) -> Result<Sample<'a>, Malformed> {
    let end = line.find(|c: char| c == '{' || c.is_ascii_whitespace());
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let (labels, rest) = match rest.trim_ascii_start().strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let mut words = rest.split_ascii_whitespace();
    let value = words.next().ok_or_else(|| Malformed("the value is missing".to_owned()))?;
    let value = number(value)?;
    // OpenMetrics may have an exemplar there, which begins with a #.
    let unix_ns = words.next().filter(|word| !word.starts_with('#')).map(unix_ns).transpose()?;
    let kind = types.get(name).copied().unwrap_or_else(|| kind_by_name(name));
    Ok(Sample { name: Cow::Borrowed(name), labels, value, kind, unix_ns })
}

/// What follows the opening brace: the labels, and what is behind the closing one.
fn labels(mut rest: &str) -> Result<(Labels<'_>, &str), Malformed> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if let Some(behind) = rest.strip_prefix('}') {
            return Ok((labels, behind));
        }
        let (name, behind) =
            rest.split_once('=').ok_or_else(|| Malformed("a label needs a \"=\"".to_owned()))?;
        let quoted = behind.trim_ascii_start().strip_prefix('"');
        let quoted = quoted
            .ok_or_else(|| Malformed(format!("the value of label {name:?} is not quoted")))?;
        let (value, behind) = unquote(quoted)?;
        labels.push((Cow::Borrowed(name.trim_ascii()), value));
        rest = behind.trim_ascii_start();
        rest = match rest.strip_prefix(',') {
            Some(behind) => behind,
            None if rest.starts_with('}') => rest,
            None => return Err(Malformed("a label is followed by neither , nor }".to_owned())),
        };
    }
}

/// What follows the opening quote: the text, and what is behind the closing one.
fn unquote(text: &str) -> Result<(Cow<'_, str>, &str), Malformed> {
    let plain = text.find(['"', '\\']).unwrap_or(text.len());
    if text[plain..].starts_with('"') {
        return Ok((Cow::Borrowed(&text[..plain]), &text[plain + 1..]));
    }
    let mut value = text[..plain].to_owned();
    let mut characters = text[plain..].char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((Cow::Owned(value), &text[plain + at + 1..])),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                // As Prometheus reads it: a backslash that escapes nothing is one.
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err(Malformed("a quote is not closed".to_owned()))
}

/// A whole number is milliseconds, as Prometheus writes it; one with a fraction is seconds, as
/// OpenMetrics does.
fn unix_ns(text: &str) -> Result<i64, Malformed> {
    if let Ok(milliseconds) = text.parse::<i64>() {
        return Ok(milliseconds.saturating_mul(1_000_000));
    }
    let seconds: Result<f64, _> = text.parse();
    seconds
        .map(|seconds| of_micros(seconds * 1e6))
        .map_err(|_| Malformed(format!("{text:?} is no time stamp")))
}

fn number(text: &str) -> Result<f64, Malformed> {
    // Rust reads every spelling of infinity and of no number that Prometheus writes.
    text.parse().map_err(|_| Malformed(format!("{text:?} is no number")))
}
