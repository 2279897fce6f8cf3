//! What the document says of each message: its fields, all of them, and the type of each.

use serde_json::Value;

/// What a value must be.
pub type Check = fn(&Value) -> bool;
type Fields = &'static [(&'static str, Check)];

/// Asserts that `value` is an object of exactly these fields; of `optional` ones any may be absent.
fn object(value: &Value, fields: Fields, optional: Fields) {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    for (name, check) in fields {
        let field = object.get(*name).unwrap_or_else(|| panic!("no {name} in {value}"));
        assert!(check(field), "{name} is {field} in {value}");
    }
    for (name, field) in object {
        let known = fields.iter().chain(optional).find(|(known, _)| known == name);
        let (_, check) = known.unwrap_or_else(|| panic!("{name} is too much in {value}"));
        assert!(check(field), "{name} is {field} in {value}");
    }
}

/// Asserts the envelope of a message of the stream; its data.
pub fn broadcast<'a>(message: &'a Value, kind: &str) -> &'a Value {
    let fields: Fields =
        &[("type", text), ("seq", whole), ("timestamp", time), ("data", Value::is_object)];
    object(message, fields, &[]);
    assert_eq!(message["type"], kind, "{message}");
    &message["data"]
}

/// Asserts the envelope of a reply; its data.
pub fn reply<'a>(message: &'a Value, kind: &str) -> &'a Value {
    object(message, &[("type", text), ("timestamp", time), ("data", Value::is_object)], &[]);
    assert_eq!(message["type"], kind, "{message}");
    &message["data"]
}

pub fn initial_state(data: &Value) {
    let fields: Fields = &[
        ("system_status", Value::is_object),
        ("metrics_summary", Value::is_object),
        ("alert_stats", Value::is_object),
        ("active_tasks", Value::is_array),
        ("stream", Value::is_object),
    ];
    object(data, fields, &[]);
    system_status(&data["system_status"]);
    metrics(&data["metrics_summary"]);
    let stats: Fields = &[
        ("total_rules", whole),
        ("total_alerts", whole),
        ("firing_alerts", whole),
        ("resolved_alerts", whole),
        ("silenced_alerts", whole),
    ];
    object(&data["alert_stats"], stats, &[]);
    data["active_tasks"].as_array().expect("an array").iter().for_each(task);
    object(&data["stream"], &[("epoch", text), ("seq", whole)], &[]);
}

pub fn system_status(data: &Value) {
    let fields: Fields = &[
        ("status", |value| ["healthy", "warning", "critical"].iter().any(|name| value == name)),
        ("uptime", duration),
        ("active_tasks", whole),
        ("total_requests", whole),
        ("memory_usage", |value| value.is_null() || whole(value)),
        ("cpu_usage", |value| value.is_null() || percent(value)),
        ("disk_usage", |value| value.is_null() || percent(value)),
        ("network_io", Value::is_object),
    ];
    object(data, fields, &[]);
    let bytes: Check = |value| value.is_null() || whole(value);
    for name in ["bytes_in", "bytes_out"] {
        assert!(data["network_io"].get(name).is_some_and(bytes), "{name} in {data}");
    }
    assert_eq!(data["network_io"].as_object().map(|object| object.len()), Some(2), "{data}");
}

pub fn metrics(data: &Value) {
    let fields: Fields = &[
        ("active_tasks", whole),
        ("total_requests", whole),
        ("error_rate", percent),
        ("avg_response_time", duration),
        ("memory_usage_mb", |value| value.is_null() || value.is_number()),
        ("cpu_usage", |value| value.is_null() || percent(value)),
        ("uptime", duration),
    ];
    object(data, fields, &[]);
}

pub fn task(data: &Value) {
    let fields: Fields = &[
        ("id", text),
        ("name", text),
        ("status", |value| {
            let names = ["pending", "running", "completed", "failed", "cancelled"];
            names.iter().any(|name| value == name)
        }),
        ("progress", percent),
        ("start_time", time),
        ("updated_at", time),
    ];
    let optional: Fields =
        &[("end_time", time), ("details", |_| true), ("stop_requested", |value| value == true)];
    object(data, fields, optional);
}

fn texts(value: &Value) -> bool {
    value.as_object().is_some_and(|labels| labels.values().all(Value::is_string))
}

pub fn alert(data: &Value) {
    let fields: Fields = &[
        ("id", text),
        ("rule_id", text),
        ("rule_name", text),
        ("status", |value| ["firing", "silenced", "resolved"].iter().any(|name| value == name)),
        ("severity", |value| {
            ["info", "low", "medium", "high", "critical"].iter().any(|name| value == name)
        }),
        ("message", text),
        ("labels", texts),
        ("annotations", texts),
        ("value", |value| value.is_null() || value.is_number()),
        ("threshold", |value| value.is_null() || value.is_number()),
        ("starts_at", time),
    ];
    let optional: Fields = &[
        ("ends_at", time),
        ("acknowledgement", Value::is_object),
        ("silenced_by", text),
        ("flapping", |value| value == true),
    ];
    object(data, fields, optional);
    assert_eq!(data.get("ends_at").is_some(), data["status"] == "resolved", "{data}");
}

pub fn collector_update(data: &Value) {
    object(data, &[("collector", text), ("samples", Value::is_array)], &[]);
    let samples = data["samples"].as_array().expect("an array");
    assert!(!samples.is_empty(), "{data}");
    for sample in samples {
        let fields: Fields = &[
            ("name", text),
            ("labels", texts),
            ("value", |value| value.is_null() || value.is_number()),
            ("kind", |value| value == "gauge" || value == "counter"),
            ("unit", Value::is_string),
        ];
        object(sample, fields, &[]);
    }
}

pub fn error(data: &Value) {
    object(data, &[("code", text), ("message", text)], &[]);
}

pub fn pong(data: &Value) {
    object(data, &[("client_id", text)], &[]);
}

pub fn gap(data: &Value) {
    object(data, &[("from", whole), ("to", whole), ("reason", text)], &[]);
    assert_eq!(data["reason"], "retention");
}

pub fn client(value: &Value) {
    let fields: Fields = &[
        ("id", text),
        ("address", |value| value.as_str().is_some_and(is_socket_address)),
        ("connected_at", time),
        ("encoding", |value| value == "json" || value == "msgpack"),
        ("deflate", Value::is_boolean),
        ("filter", Value::is_object),
        ("encoding", text),
        ("deflate", Value::is_boolean),
        ("lag", whole),
        ("lag_bytes", whole),
        ("messages_sent", whole),
        ("bytes_sent", whole),
    ];
    object(value, fields, &[]);
}

fn is_socket_address(text: &str) -> bool {
    text.parse::<std::net::SocketAddr>().is_ok()
}

fn text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn whole(value: &Value) -> bool {
    value.is_u64()
}

fn percent(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| (0.0..=100.0).contains(&number))
}

/// RFC 3339 in UTC with milliseconds: `2024-01-10T10:00:00.250Z`.
fn time(value: &Value) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00.000Z";
    let Some(text) = value.as_str() else { return false };
    let fits = |(byte, form): (u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        other => byte == *other,
    };
    text.len() == FORM.len()
        && text.bytes().zip(FORM).all(fits)
        && text.parse::<jiff::Timestamp>().is_ok()
}

fn duration(value: &Value) -> bool {
    value.as_str().is_some_and(|text| seconds(text).is_some())
}

/// The seconds of a duration as the document writes it; `None` if it writes none so.
pub fn seconds(text: &str) -> Option<f64> {
    let (mut rest, mut parts) = (text, Vec::new());
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let is_plain = number == "0" || !number.starts_with('0');
        parts.push((number.parse::<u64>().ok().filter(|_| is_plain)?, unit));
        rest = tail;
    }
    match parts[..] {
        [(0, "s")] => Some(0.0),
        [(ns @ 1..1_000, "ns")] => Some(ns as f64 / 1e9),
        [(us @ 1..1_000, "us")] => Some(us as f64 / 1e6),
        [(ms @ 1..1_000, "ms")] => Some(ms as f64 / 1e3),
        [(s @ 1..60, "s")] => Some(s as f64),
        [(m @ 1..60, "m")] => Some(m as f64 * 60.0),
        [(m @ 1..60, "m"), (s @ 1..60, "s")] => Some((m * 60 + s) as f64),
        [(h @ 1.., "h")] => Some(h as f64 * 3600.0),
        [(h @ 1.., "h"), (m @ 1..60, "m")] => Some((h * 3600 + m * 60) as f64),
        _ => None,
    }
}

#[test]
fn durations_are_those_of_the_document() {
    let check = |text, expected| assert_eq!(seconds(text), expected, "{text:?}");
    check("2h30m", Some(9000.0));
    check("45s", Some(45.0));
    check("150ms", Some(0.15));
    check("0s", Some(0.0));
    for bad in ["", "5", "s", "60s", "1000ms", "1m500ms", "30m2h", "05s", "1d", "1.5s", "2h30m5s"] {
        check(bad, None);
    }
}
