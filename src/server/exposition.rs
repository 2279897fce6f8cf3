//! `/metrics`: the latest value of every series, as Prometheus text or OpenMetrics.

use std::fmt::Write as _;

use http::header;
use poem::web::Data;
use poem::{Request, Response, handler};

use super::App;
use crate::catalog;
use crate::sample::SeriesKey;
use crate::store::Store;

/// A text format that Prometheus reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text exposition 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The one that an `Accept` header asks for.
    fn negotiate(accept: &str) -> Self {
        let wanted = accept.split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0"));
            kind.eq_ignore_ascii_case("application/openmetrics-text") && !refused
        });
        if wanted { Format::OpenMetrics } else { Format::Prometheus }
    }

    fn content_type(self) -> &'static str {
        match self {
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// `GET /metrics`.
#[handler]
pub(super) fn metrics(request: &Request, Data(app): Data<&App>) -> Response {
    let accept = request.header(header::ACCEPT).unwrap_or_default();
    let format = Format::negotiate(accept);
    let text = app.pipeline.read(|state, _| expose(&state.store, format));
    Response::builder().content_type(format.content_type()).body(text)
}

/// Every series of the store, family by family.
pub fn expose(store: &Store, format: Format) -> String {
    let mut text = String::with_capacity(store.len() * 80);
    let mut family = "";
    for (key, series) in store.iter() {
        if key.name() != family {
            family = key.name();
            write_head(&mut text, key, series.value.kind(), format);
        }
        write_series(&mut text, key);
        text.push(' ');
        write_number(&mut text, series.value.get());
        text.push('\n');
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

fn write_head(text: &mut String, key: &SeriesKey, kind: &str, format: Format) {
    let name = key.name();
    let (family, kind) = match (format, kind) {
        (Format::Prometheus, kind) => (name, kind),
        // OpenMetrics names the family of a counter without the suffix, and has no counters else.
        (Format::OpenMetrics, "counter") => match name.strip_suffix("_total") {
            Some(family) => (family, "counter"),
            None => (name, "unknown"),
        },
        (Format::OpenMetrics, kind) => (name, kind),
    };
    // Writing to a String cannot fail.
    if let Some(help) = catalog::help(name) {
        let _ = writeln!(text, "# HELP {family} {help}");
    }
    let _ = writeln!(text, "# TYPE {family} {kind}");
    let unit = key.unit();
    if format == Format::OpenMetrics && !unit.is_empty() && family.ends_with(unit) {
        let _ = writeln!(text, "# UNIT {family} {unit}");
    }
}

fn write_series(text: &mut String, key: &SeriesKey) {
    text.push_str(key.name());
    for (index, (name, value)) in key.labels().enumerate() {
        text.push(if index == 0 { '{' } else { ',' });
        text.push_str(name);
        text.push_str("=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    if key.labels().len() > 0 {
        text.push('}');
    }
}

fn write_number(text: &mut String, number: f64) {
    let _ = match number {
        f64::INFINITY => write!(text, "+Inf"),
        f64::NEG_INFINITY => write!(text, "-Inf"),
        number => write!(text, "{number}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Batch, BatchBuilder, Limits, Moment, Outcome, Value};
    use crate::store;
    use std::time::Duration;

    fn store() -> Store {
        let limits = Limits {
            samples: 100,
            labels: 10,
            text: 100,
            clock_skew: Duration::ZERO,
            keeps_non_finite: true,
        };
        let mut builder = BatchBuilder::new(Vec::new(), limits);
        builder.push("b_seconds_total", &[("mode", "a\"b\\c\nd")], Value::Counter(1.5));
        builder.push("a_bytes", &[("y", "2"), ("x", "1")], Value::Gauge(f64::INFINITY));
        builder.push("a_bytes", &[], Value::Gauge(f64::NAN));
        builder.push("odd", &[], Value::Counter(1e21));
        builder.push("node_forks_total", &[], Value::Counter(3.0));
        let (samples, rejected) = builder.take(jiff::Timestamp::UNIX_EPOCH);
        let batch = Batch {
            collector: "c".into(),
            at: Moment { wall: jiff::Timestamp::UNIX_EPOCH, uptime: Duration::ZERO },
            duration: Duration::ZERO,
            samples,
            rejected,
            outcome: Outcome::Ok,
            broken: false,
        };
        let mut store = Store::new(&store::Config::default());
        store.apply(&batch);
        store
    }

    #[test]
    fn prometheus_text() {
        insta::assert_snapshot!(expose(&store(), Format::Prometheus), @r#"
        # TYPE a_bytes gauge
        a_bytes NaN
        a_bytes{x="1",y="2"} +Inf
        # TYPE b_seconds_total counter
        b_seconds_total{mode="a\"b\\c\nd"} 1.5
        # HELP node_forks_total Processes and threads started (processes of /proc/stat).
        # TYPE node_forks_total counter
        node_forks_total 3
        # TYPE odd counter
        odd 1000000000000000000000
        "#);
    }

    #[test]
    fn open_metrics() {
        insta::assert_snapshot!(expose(&store(), Format::OpenMetrics), @r#"
        # TYPE a_bytes gauge
        # UNIT a_bytes bytes
        a_bytes NaN
        a_bytes{x="1",y="2"} +Inf
        # TYPE b_seconds counter
        # UNIT b_seconds seconds
        b_seconds_total{mode="a\"b\\c\nd"} 1.5
        # HELP node_forks Processes and threads started (processes of /proc/stat).
        # TYPE node_forks counter
        node_forks_total 3
        # TYPE odd unknown
        odd 1000000000000000000000
        # EOF
        "#);
    }

    #[test]
    fn the_accept_header_decides() {
        let check = |accept, expected| assert_eq!(Format::negotiate(accept), expected, "{accept}");
        check("", Format::Prometheus);
        check("text/plain", Format::Prometheus);
        check(
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2",
            Format::OpenMetrics,
        );
        check("application/openmetrics-text;q=0, */*", Format::Prometheus);
    }
}
