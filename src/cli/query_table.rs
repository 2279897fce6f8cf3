//! The result of a query as a table for a person at a terminal.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::Value;

use crate::query::{NAME, text};
use crate::sample::{SeriesKey, rfc3339};

/// A column of numbers.
const NUMBER: usize = 12;
/// Digits that a person can take in.
const DIGITS: i32 = 6;

/// `data` as the daemon answered it. A series that does not fit beside its numbers in `width` columns
/// has a line of its own above them.
pub(super) fn print(out: &mut impl Write, data: &Value, width: usize) -> io::Result<()> {
    let result = &data["result"];
    let list = result.as_array().map(Vec::as_slice).unwrap_or_default();
    match data["resultType"].as_str() {
        Some("scalar") => writeln!(out, "{}", number(&list.get(1).map_or(f64::NAN, value))),
        Some("string") => writeln!(out, "{}", list.get(1).and_then(Value::as_str).unwrap_or("")),
        _ if list.is_empty() => writeln!(out, "Nothing: no series has a value for this."),
        Some("vector") => {
            let rows = list.iter().map(|one| (one, vec![value(&one["value"][1])]));
            table(out, &["VALUE"], rows.collect(), width)
        }
        _ => {
            let rows = list.iter().map(|one| (one, summary(&one["values"])));
            table(out, &["MIN", "MEAN", "MAX", "LAST"], rows.collect(), width)?;
            write_span(out, list)
        }
    }
}

fn value(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// The least, the mean, the greatest and the last of what are numbers.
fn summary(points: &Value) -> Vec<f64> {
    let points = points.as_array().map(Vec::as_slice).unwrap_or_default();
    let all: Vec<f64> = points.iter().map(|point| value(&point[1])).collect();
    let numbers: Vec<f64> = all.iter().copied().filter(|value| !value.is_nan()).collect();
    let (least, greatest) = (f64::min as fn(f64, f64) -> f64, f64::max as fn(f64, f64) -> f64);
    let of = |fold| numbers.iter().copied().reduce(fold).unwrap_or(f64::NAN);
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    vec![of(least), mean, of(greatest), all.last().copied().unwrap_or(f64::NAN)]
}

fn table(
    out: &mut impl Write,
    columns: &[&str],
    rows: Vec<(&Value, Vec<f64>)>,
    width: usize,
) -> io::Result<()> {
    let rows: Vec<(String, Vec<f64>)> =
        rows.into_iter().map(|(one, values)| (series(&one["metric"]), values)).collect();
    let numbers = columns.len() * (NUMBER + 2);
    let room = width.saturating_sub(numbers);
    let fitting = rows.iter().map(|(name, _)| name.chars().count()).filter(|name| *name <= room);
    let first = fitting.max().unwrap_or_default().max("SERIES".len());
    write!(out, "{:first$}", "SERIES")?;
    columns.iter().try_for_each(|column| write!(out, "  {column:>NUMBER$}"))?;
    writeln!(out)?;
    for (name, values) in &rows {
        if name.chars().count() > first {
            writeln!(out, "{name}")?;
            write!(out, "{:first$}", "")?;
        } else {
            write!(out, "{name:first$}")?;
        }
        values.iter().try_for_each(|value| write!(out, "  {:>NUMBER$}", number(value)))?;
        writeln!(out)?;
    }
    Ok(())
}

fn write_span(out: &mut impl Write, list: &[Value]) -> io::Result<()> {
    let points = || list.iter().filter_map(|one| one["values"].as_array()).flatten();
    let times = || points().filter_map(|point| point[0].as_f64());
    let at = |seconds: f64| Timestamp::from_millisecond((seconds * 1000.0) as i64).map(rfc3339);
    let (first, last) = (times().reduce(f64::min), times().reduce(f64::max));
    if let (Some(Ok(first)), Some(Ok(last))) = (first.map(at), last.map(at)) {
        let (points, series) = (points().count(), list.len());
        writeln!(out, "\n{points} points of {series} series, {first} to {last}")?;
    }
    Ok(())
}

/// The series as PromQL writes it, without what could steer the terminal.
fn series(metric: &Value) -> String {
    let labels = metric.as_object().into_iter().flatten();
    let labels = labels.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let name = metric[NAME].as_str().unwrap_or_default();
    let key = SeriesKey::new(name, labels.filter(|(name, _)| *name != NAME)).to_string();
    if key.is_empty() { "{}".to_owned() } else { key }
}

/// Six digits of it: all of a number that is whole and not too large.
fn number(value: &f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() || magnitude == 0.0 || (value.fract() == 0.0 && magnitude < 1e12) {
        return text(*value);
    }
    if !(1e-4..1e12).contains(&magnitude) {
        return format!("{value:.5e}");
    }
    let decimals = DIGITS - 1 - magnitude.log10().floor() as i32;
    let rounded = format!("{value:.*}", decimals.max(0) as usize);
    match rounded.split_once('.') {
        Some(_) => rounded.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => rounded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn printed(data: &Value) -> String {
        let mut out = Vec::new();
        print(&mut out, data, 80).expect("memory takes all");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_vector_at_80_columns() {
        let of = |labels: Value, value: &str| json!({"metric": labels, "value": [0, value]});
        let text = printed(&json!({"resultType": "vector", "result": [
            of(json!({"__name__": "node_load1"}), "0.6499999999999999"),
            of(json!({"cpu": "0", "mode": "idle"}), "0.9866666666666667"),
            of(json!({"device": "/dev/mapper/a-long-name", "fstype": "ext4", "mountpoint": "/var/lib/x"}), "8123456789012"),
            of(json!({"name": "\u{1b}[31m"}), "+Inf"),
            of(json!({}), "0.00001234"),
        ]}));
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text, @r#"
        SERIES                        VALUE
        node_load1                     0.65
        {cpu="0",mode="idle"}      0.986667
        {device="/dev/mapper/a-long-name",fstype="ext4",mountpoint="/var/lib/x"}
                                 8.12346e12
        {name="\u001b[31m"}            +Inf
        {}                       1.23400e-5
        "#);
    }

    #[test]
    fn a_range_is_summed_up() {
        let values = json!([[1000, "1"], [1015.5, "NaN"], [1030, "2.5"], [1045, "2"]]);
        let text = printed(&json!({"resultType": "matrix", "result": [
            {"metric": {"__name__": "up"}, "values": values},
            {"metric": {"job": "a"}, "values": [[1000, "NaN"]]},
        ]}));
        insta::assert_snapshot!(text, @r#"
        SERIES              MIN          MEAN           MAX          LAST
        up                    1       1.83333           2.5             2
        {job="a"}           NaN           NaN           NaN           NaN

        5 points of 2 series, 1970-01-01T00:16:40.000Z to 1970-01-01T00:17:25.000Z
        "#);
    }

    #[test]
    fn what_is_no_table() {
        let check = |data: Value, expected: &str| assert_eq!(printed(&data), expected);
        check(json!({"resultType": "scalar", "result": [0, "1.5"]}), "1.5\n");
        check(json!({"resultType": "string", "result": [0, "x"]}), "x\n");
        let nothing = "Nothing: no series has a value for this.\n";
        check(json!({"resultType": "vector", "result": []}), nothing);
    }
}
