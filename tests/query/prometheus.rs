//! The same samples in a real Prometheus, asked the same: `cargo xtask test promql`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use gz_monitor::api::{QueryData, encode};
use gz_monitor::query::{Config, Error, Query, Steps};
use gz_monitor::store::History;
use gz_monitor::store::history::Shelf;
use serde_json::Value;

use crate::on_disk::{Disk, in_memory};
use crate::script::{Metric, is_near, key};
use crate::support::until;

/// 2023-11-14T22:13:20Z.
pub const START_MS: i64 = 1_700_000_000_000;
const HOUR_MS: i64 = 3_600_000;
/// No whole number of any step, so that no sample of a subquery falls on the start of its range: there
/// Prometheus 2 and 3 differ.
pub const AT_MS: i64 = START_MS + HOUR_MS - 100_777;

/// Labels, the time between two samples in milliseconds, and their values.
type Source = (&'static str, &'static [(&'static str, &'static str)], i64, fn(i64) -> Option<f64>);

const SOURCES: [Source; 14] = [
    ("cpu_seconds_total", &[("cpu", "0"), ("mode", "idle")], 5000, |i| Some(4.7 * i as f64)),
    ("cpu_seconds_total", &[("cpu", "0"), ("mode", "user")], 5000, |i| Some(0.21 * i as f64)),
    ("cpu_seconds_total", &[("cpu", "1"), ("mode", "idle")], 5000, |i| Some(3.9 * i as f64 + 71.0)),
    ("cpu_seconds_total", &[("cpu", "1"), ("mode", "user")], 5000, |i| Some((i / 3) as f64)),
    // It began anew twice.
    ("bytes_total", &[("device", "eth0")], 5000, |i| Some((i % 301) as f64 * 1234.5 + 1e6)),
    ("bytes_total", &[("device", "eth1")], 15_000, |i| Some((i * i % 1009) as f64)),
    ("load", &[("host", "a")], 5000, |i| Some((i as f64 / 17.0).sin() * 3.0 + 2.0)),
    ("load", &[("host", "b")], 5000, |i| Some((i as f64 / 40.0).cos() - 0.4)),
    // It was away for some minutes.
    ("load", &[("host", "c")], 5000, |i| (!(200..330).contains(&i)).then_some(i as f64 % 7.0)),
    ("temperature", &[("sensor", "x"), ("host", "a")], 30_000, |i| Some(41.0 + (i % 5) as f64)),
    ("temperature", &[("sensor", "y"), ("host", "b")], 30_000, |i| Some(-(i as f64) / 2.0)),
    // It ended long ago.
    ("temperature", &[("sensor", "z"), ("host", "c")], 30_000, |i| (i < 60).then_some(20.0)),
    ("odd", &[("kind", "nan")], 60_000, |i| Some(if i % 2 == 0 { f64::NAN } else { i as f64 })),
    ("odd", &[("kind", "inf")], 60_000, |i| Some(if i % 2 == 0 { f64::INFINITY } else { 1.0 })),
];

pub const EXPRESSIONS: &str = include_str!("cases/prometheus.txt");

/// Every sample: series, time in milliseconds, value.
pub fn samples() -> Vec<(Metric, i64, f64)> {
    let mut samples = Vec::new();
    for (number, (name, labels, interval, value)) in SOURCES.iter().enumerate() {
        let mut metric: Metric =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        metric.insert("__name__".to_owned(), (*name).to_owned());
        for index in 0..HOUR_MS / interval {
            // Collections take a while, and not always the same.
            let late = (index * 7919 + number as i64 * 31) % 97 + 1;
            if let Some(value) = value(index) {
                samples.push((metric.clone(), START_MS + index * interval + late, value));
            }
        }
    }
    samples
}

/// OpenMetrics text wants the samples of a metric together.
fn open_metrics(samples: &[(Metric, i64, f64)]) -> String {
    let mut text = String::new();
    for (metric, at, value) in samples {
        let value = gz_monitor::query::text(*value);
        let _ = writeln!(text, "{} {value} {}", key(metric), *at as f64 / 1000.0);
    }
    text + "# EOF\n"
}

struct Prometheus {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    async fn start(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("samples.txt"), text).expect("a file");
        fs::write(path("prometheus.yml"), "").expect("a file");
        import(&path("samples.txt"), &path("data"));
        // A port that is free now; who takes it before Prometheus does makes the test fail.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
        let log = fs::File::create(path("log")).expect("a log");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", path("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", path("data").display()))
            .arg("--storage.tsdb.retention.time=100y")
            .arg(format!("--web.listen-address={free}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus starts: apt-get install prometheus");
        let url = format!("http://{free}");
        let ready = format!("{url}/-/ready");
        until("prometheus is ready", || async {
            let answer = reqwest::get(&ready).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        Self { child, url, _folder: folder }
    }

    async fn ask(&self, path: &str, form: &[(&str, String)]) -> Value {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(form);
        let url = format!("{}/api/v1/{path}?{}", self.url, query.finish());
        reqwest::get(url).await.expect("an answer").json().await.expect("JSON")
    }
}

fn import(text: &Path, data: &Path) {
    let mut command = Command::new("promtool");
    command.args(["tsdb", "create-blocks-from", "openmetrics"]).arg(text).arg(data);
    let output = command.output().expect("promtool starts: apt-get install prometheus");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What a result is, without the order of what has none: labels to times and values.
fn rows(data: &Value) -> Vec<(String, Vec<(f64, f64)>)> {
    let point = |point: &Value| {
        let value = point[1].as_str().expect("a text");
        (point[0].as_f64().expect("a time"), value.parse().expect("a number"))
    };
    let result = &data["result"];
    if data["resultType"] == "scalar" {
        return vec![(String::new(), vec![point(result)])];
    }
    let series = result.as_array().expect("a list").iter().map(|one| {
        let labels: BTreeMap<String, Value> =
            one["metric"].as_object().expect("labels").clone().into_iter().collect();
        let points = one["values"].as_array().cloned().unwrap_or(vec![one["value"].clone()]);
        (format!("{labels:?}"), points.iter().map(point).collect())
    });
    series.collect()
}

/// Where two results differ, if they do.
fn difference(ours: &Value, theirs: &Value, ordered: bool) -> Option<String> {
    if ours["resultType"] != theirs["resultType"] {
        return Some(format!("{} and not {}", ours["resultType"], theirs["resultType"]));
    }
    let (mut ours, mut theirs) = (rows(ours), rows(theirs));
    if !ordered {
        ours.sort_by(|a, b| a.0.cmp(&b.0));
        theirs.sort_by(|a, b| a.0.cmp(&b.0));
    }
    let names = |rows: &[(String, Vec<(f64, f64)>)]| -> Vec<String> {
        rows.iter().map(|row| row.0.clone()).collect()
    };
    if names(&ours) != names(&theirs) {
        return Some(format!("{:#?}\nand not {:#?}", names(&ours), names(&theirs)));
    }
    ours.iter().zip(&theirs).find_map(|((name, ours), (_, theirs))| {
        if ours.len() != theirs.len() {
            return Some(format!("{name}: {} points and not {}", ours.len(), theirs.len()));
        }
        let differ = |((at, one), (time, other)): &(&(f64, f64), &(f64, f64))| {
            // Where nothing is left of a difference, there may be a last digit of its parts.
            at != time || !(is_near(*one, *other) || (one - other).abs() < 1e-15)
        };
        let pair = ours.iter().zip(theirs).find(differ)?;
        Some(format!("{name}: {pair:?}"))
    })
}

/// Our own result, of what is in memory and perhaps on a disk.
pub fn ours(
    history: &History,
    shelf: Option<Arc<dyn Shelf>>,
    text: &str,
    steps: Option<(i64, i64, i64)>,
) -> Result<Value, Error> {
    let (config, reader) = (Config::default(), |look: &mut dyn FnMut(&History)| look(history));
    let query = Query::parse(text, &config)?.reaching(shelf);
    let data = match steps {
        None => QueryData::at(AT_MS, query.instant(AT_MS, &reader, &config, &|| false)?),
        Some((start, end, step)) => {
            let steps = Steps::new(start, end, step, &config)?;
            QueryData::over_time(query.range(steps, &reader, &config, &|| false)?)
        }
    };
    Ok(serde_json::from_str(&encode(&data)).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs prometheus: cargo xtask test promql"]
async fn every_expression_is_what_prometheus_makes_of_it() {
    let samples = samples();
    let disk = Disk::with(&samples).await;
    // In memory, on disk, and on disk but for the last 20 minutes.
    let sources = [
        (in_memory(&samples, i64::MIN), None),
        (in_memory(&samples, i64::MAX), Some(disk.shelf.clone())),
        (in_memory(&samples, AT_MS - 1_200_000), Some(disk.shelf.clone())),
    ];
    let prometheus = Prometheus::start(&open_metrics(&samples)).await;
    let ranges =
        [(AT_MS - 1_800_000, AT_MS, 60_000), (START_MS - 7_111, START_MS + 400_000, 13_000)];
    let seconds = |at: i64| (at as f64 / 1000.0).to_string();
    let (mut compared, mut differences) = (0, Vec::new());
    for text in EXPRESSIONS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        compared += 1;
        for steps in [None, Some(ranges[0]), Some(ranges[1])] {
            let mut form = vec![("query", text.to_owned())];
            let path = match steps {
                None => {
                    form.push(("time", seconds(AT_MS)));
                    "query"
                }
                Some((start, end, step)) => {
                    form.extend([("start", seconds(start)), ("end", seconds(end))]);
                    form.push(("step", seconds(step)));
                    "query_range"
                }
            };
            let theirs = prometheus.ask(path, &form).await;
            let ordered = steps.is_none() && text.starts_with("sort");
            for (place, (history, shelf)) in sources.iter().enumerate() {
                let ours = ours(history, shelf.clone(), text, steps);
                let found = match (ours, theirs["status"].as_str()) {
                    (Ok(ours), Some("success")) => difference(&ours, &theirs["data"], ordered),
                    (Err(_), Some("error")) => None,
                    (ours, _) => Some(format!("{ours:?}\nand not {theirs}")),
                };
                let found = found.map(|found| format!("{text} {steps:?} ({place}): {found}"));
                differences.extend(found);
            }
        }
    }
    assert!(compared >= 60, "{compared} expressions");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n\n"));
}
