//! What a sample costs the daemon, by the way it comes: inline, from a library in a child, from a
//! program that prints JSON. Processor time of the daemon's own thread, not of the child, and not
//! the time that is spent waiting for it.

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use gz_monitor::plugin::process::Wanted;
use gz_monitor::plugin::{Context, Isolation, PluginHost, Source};
use gz_monitor::sample::{BatchBuilder, Limits};
use gz_monitor_sdk::Host;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Map, Value, json};

const ROUNDS: usize = 101;
const SAMPLES: [usize; 3] = [10, 100, 1_000];
const LIMITS: Limits = Limits {
    samples: 100_000,
    labels: 32,
    text: 1_024,
    clock_skew: Duration::ZERO,
    keeps_non_finite: false,
};

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench -- --test` only wants to know that it runs.
    let rounds = if std::env::args().any(|argument| argument == "--test") { 2 } else { ROUNDS };
    let folder = tempfile::tempdir()?;
    let library = folder.path().join("libburst.so");
    fs::copy(build()?, &library)?;
    fs::set_permissions(&library, fs::Permissions::from_mode(0o755))?;
    let plugins = PluginHost::of(env!("CARGO_BIN_EXE_gz-monitor").into());
    if !plugins.discover(&[folder.path().to_owned()]) || plugins.get("burst").is_none() {
        return Err(format!("the library was not taken: {:?}", plugins.refused()).into());
    }
    let mut report = String::from("processor time of the daemon per sample, median, in µs\n");
    report += &format!("{:<18}{:>8}{:>8}{:>8}\n", "samples", SAMPLES[0], SAMPLES[1], SAMPLES[2]);
    for way in [Way::Inline, Way::Isolated, Way::Program] {
        report += &format!("{:<18}", way.name());
        for samples in SAMPLES {
            let source = way.start(&plugins, folder.path(), samples)?;
            report += &format!("{:>8.3}", median_us(source, samples, rounds)?);
        }
        report += "\n";
    }
    fs::write("/dev/stdout", report)?;
    Ok(())
}

#[derive(Clone, Copy)]
enum Way {
    Inline,
    Isolated,
    Program,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Inline => "inline",
            Way::Isolated => "isolated",
            Way::Program => "program (JSON)",
        }
    }

    fn start(
        self,
        plugins: &PluginHost,
        folder: &Path,
        samples: usize,
    ) -> Result<Box<dyn Source>, Box<dyn Error>> {
        let mut config = Map::new();
        let plugin = match self {
            Way::Inline | Way::Isolated => {
                config.insert("samples".to_owned(), samples.into());
                "burst"
            }
            Way::Program => {
                let script = script(folder, samples)?;
                config.insert("command".to_owned(), json!(["/bin/sh", script]));
                config.insert("mode".to_owned(), json!("request"));
                "command"
            }
        };
        let isolation = match self {
            Way::Inline => Isolation::Inline,
            Way::Isolated | Way::Program => Isolation::Process,
        };
        let host = Host::new(PathBuf::from("/"), |_, _| {});
        let (name, deadline) = (plugin.to_owned(), Duration::from_secs(10));
        let (max_samples, starts) = (LIMITS.samples, Arc::default());
        let wanted = Wanted::default();
        let context = Context { name, host, deadline, isolation, max_samples, wanted, starts };
        let plugin = plugins.get(plugin).ok_or("there is no such plugin")?;
        Ok(plugin.make(&config, context)?)
    }
}

/// A program that answers every request with the same samples, which it need not make anew: here
/// only the daemon is measured.
fn script(folder: &Path, samples: usize) -> Result<PathBuf, Box<dyn Error>> {
    let mut answer = String::new();
    for index in 0..samples {
        let labels = json!({ "device": format!("disk{index}"), "state": "busy" });
        let sample = json!({ "name": "burst_seconds_total", "labels": labels, "value": 1.5 });
        answer += &format!("{sample}\n");
    }
    let file = folder.join(format!("answer-{samples}"));
    fs::write(&file, answer + "{\"type\":\"end\"}\n")?;
    let script = folder.join(format!("program-{samples}.sh"));
    fs::write(&script, format!("while read -r request; do cat {}; done\n", file.display()))?;
    Ok(script)
}

/// The median cost of a sample in a collection of `samples`, in microseconds.
fn median_us(
    mut source: Box<dyn Source>,
    samples: usize,
    rounds: usize,
) -> Result<f64, Box<dyn Error>> {
    let mut builder = BatchBuilder::new(Vec::new(), LIMITS);
    let mut costs = Vec::new();
    for _ in 0..rounds {
        let before = thread_time_us();
        source.collect(&mut builder)?;
        let (batch, _) = builder.take(jiff::Timestamp::UNIX_EPOCH);
        costs.push((thread_time_us() - before) / samples as f64);
        if batch.len() < samples {
            return Err(format!("{} samples came, not {samples}", batch.len()).into());
        }
    }
    // The first round has to start the child.
    costs.remove(0);
    costs.sort_by(f64::total_cmp);
    Ok(costs[costs.len() / 2])
}

fn thread_time_us() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// Builds the example, optimised as the benchmark is, and says where it is.
fn build() -> Result<PathBuf, Box<dyn Error>> {
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let arguments = ["build", "--package=gz-monitor-sdk", "--example=burst", "--profile", profile];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()?;
    let messages = String::from_utf8(output.stdout)?;
    let built = messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_it = message["target"]["name"] == "burst";
        let file = message["filenames"][0].as_str().filter(|_| is_it)?;
        Some(PathBuf::from(file))
    });
    Ok(built.ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?)
}
