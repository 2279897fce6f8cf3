//! Tables of what was measured, as Markdown.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use super::comparison::{Comparison, Turns};
use super::options::Topic;
use super::side::{Idle, Outcome};

/// What the figures were measured on.
pub fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (kernel, load) = (read("/proc/sys/kernel/osrelease"), read("/proc/loadavg"));
    let load = load.split(' ').next().unwrap_or_default();
    format!("{model}, {cores} cores, Linux {}, load before {load}\n", kernel.trim())
}

/// The title of a table, and its head.
pub fn heading(topic: Topic) -> String {
    let title = match topic {
        Topic::All => "Every client gets every message (400 bytes)",
        Topic::Few => "Ten clients get each message (400 bytes); the others want other tasks",
        Topic::Deflate => "Compressed and plain messages (900 bytes before compression)",
        Topic::Tls => "Messages over TLS and plain ones (400 bytes)",
    };
    format!(
        "\n{title}\n\n\
         | Clients | Messages | Server | CPU s per million | CPU ms per message | Deliveries/s | p50 | p99 | bytes each |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
}

/// What has come of a comparison: two lines and their ratio for each scenario.
pub fn rows(comparison: &Comparison, idle: [Option<Idle>; 2], measured: &[Turns]) -> String {
    let mut text = String::new();
    let clients = comparison.sides[0].clients;
    for Turns { scenario, turns } in measured {
        let sums = [0, 1].map(|side| {
            turns.iter().fold(Outcome::default(), |mut sum, turn| {
                sum.add(&turn[side]);
                sum
            })
        });
        for (plan, sum) in comparison.sides.iter().zip(&sums) {
            let start = format!("| {clients} | {} | {}", scenario.name, plan.name);
            text += &format!("{start} | {} |\n", figures(sum));
        }
        let mut ratios: Vec<f64> = turns
            .iter()
            .map(|[one, other]| other.cpu_per_million() / one.cpu_per_million())
            .collect();
        ratios.sort_by(f64::total_cmp);
        let [wait, other_wait] = sums.each_ref().map(|sum| sum.waits.percentile(99.0));
        // Compressed texts do not say when they were published.
        let waits = other_wait.zip(wait).map_or("–".to_owned(), |(other, one)| {
            format!("{:.2}", other.as_secs_f64() / one.as_secs_f64())
        });
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "| {clients} | {} | {} : {} | {:.2} (pairs {:.2} to {:.2}) | | {:.2} | | {waits} | |",
            scenario.name,
            comparison.sides[1].name,
            comparison.sides[0].name,
            ratios[ratios.len() / 2],
            ratios[0],
            ratios[ratios.len() - 1],
            rate(&sums[1]) / rate(&sums[0]),
        );
    }
    for (plan, idle) in comparison.sides.iter().zip(idle) {
        if let Some(Idle { resident, kernel, handshake }) = idle {
            let _ = writeln!(
                text,
                "| {clients} | none | {} | idle: {:.2} KB resident a connection, \
                 {:.2} KB in the kernel at both ends; handshake: {:.0} µs of CPU | | | | | |",
                plan.name,
                resident / 1e3,
                kernel / 1e3,
                handshake * 1e6,
            );
        }
    }
    text
}

fn figures(sum: &Outcome) -> String {
    let mut text = format!(
        "{:.3} | {:.2} | {:.0} | {} | {} | {:.0}",
        sum.cpu_per_million(),
        sum.cpu_ms_per_message(),
        rate(sum),
        duration(sum.waits.percentile(50.0)),
        duration(sum.waits.percentile(99.0)),
        sum.bytes as f64 / sum.deliveries as f64,
    );
    if sum.missing > 0 || sum.repeated > 0 {
        text += &format!(" ({} missing, {} repeated)", sum.missing, sum.repeated);
    }
    text
}

fn rate(sum: &Outcome) -> f64 {
    sum.deliveries as f64 / sum.elapsed.as_secs_f64()
}

fn duration(value: Option<Duration>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value < Duration::from_millis(1) => format!("{} µs", value.as_micros()),
        Some(value) => format!("{:.1} ms", value.as_secs_f64() * 1e3),
    }
}
