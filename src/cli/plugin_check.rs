//! `gz-monitor plugin check`: tries a library out before the daemon gets it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gz_monitor_sdk::{Host, Level};
use serde_json::{Map, Value as Json};

use super::exit::Failure;
use crate::clock::Clock;
use crate::plugin::child::Description;
use crate::plugin::{
    self, Context, DropIn, Factory as _, Failure as Refusal, Isolation, PluginHost,
};
use crate::sample::{BatchBuilder, Limits, Rejected, Sample};
use crate::scheduler::Config;
use crate::units::ByteSize;

/// What the daemon itself adds to the samples of a child (`plugin::process`).
const STARTS: &str = "gz_plugin_starts_total";
const MEMORY: &str = "gz_plugin_resident_memory_bytes";

/// The flags of `plugin check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The library
    file: PathBuf,
    /// How often each collector collects, without a pause
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    collections: u32,
    /// The configuration that each collector gets
    #[arg(long, value_name = "JSON", default_value = "{}")]
    collector_config: String,
}

/// What the collections of one collector came to.
#[derive(Default)]
struct Course {
    /// Of the last collection, without what the daemon adds.
    samples: Vec<Sample>,
    rejected: Rejected,
    times: Vec<Duration>,
    /// Resident bytes after the first collection and after the last.
    memory: Option<(f64, f64)>,
    error: Option<String>,
    /// Why there is nothing to measure on this machine.
    absent: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config: Map<String, Json> =
        serde_json::from_str(&args.collector_config).map_err(|error| {
            Failure::Usage(format!("--collector-config is no JSON object: {error}"))
        })?;
    let file = args.file.canonicalize();
    let file = file.with_context(|| format!("cannot open {}", args.file.display()))?;
    let mut out = io::stdout().lock();
    let host = PluginHost::with_builtins();
    let collectors = host
        .open(&file)
        .map_err(|reason| anyhow::anyhow!("{} is no plugin: {reason}", file.display()))?;
    writeln!(out, "{}", file.display())?;
    note_rights(&file, &mut out)?;
    let mut good = true;
    for (description, factory) in &collectors {
        let name = &description.id;
        let (major, minor) = description.abi;
        let version = if description.version.is_empty() { "-" } else { &description.version };
        writeln!(out, "\n{name}: {}", description.summary)?;
        writeln!(out, "  version     {version}, for plugin ABI {major}.{minor}")?;
        if host.get(name).is_some() {
            writeln!(out, "  WRONG       a built-in plugin has this name")?;
            good = false;
        }
        let course = collect(description, factory, &config, args.collections);
        good &= print(&course, args.collections, &mut out)?;
    }
    writeln!(out, "\n{}", if good { "Nothing is wrong." } else { "Something is wrong." })?;
    if good { Ok(()) } else { Err(Failure::Silent(1)) }
}

/// The daemon would not touch a file, or a folder, that others can change.
fn note_rights(file: &Path, out: &mut impl Write) -> io::Result<()> {
    let folder = file.parent().unwrap_or(file);
    for path in [folder, file] {
        if let Err(reason) = plugin::trusted(path) {
            writeln!(out, "  note: the daemon would refuse {}: {reason}", path.display())?;
        }
    }
    Ok(())
}

fn collect(
    description: &Description,
    factory: &DropIn,
    config: &Map<String, Json>,
    collections: u32,
) -> Course {
    let Config { max_samples, max_labels, max_text, max_clock_skew, deadline, root, .. } =
        Config::default();
    let limits = Limits {
        samples: max_samples,
        labels: max_labels,
        text: max_text,
        clock_skew: *max_clock_skew,
    };
    let (name, deadline) = (description.id.clone(), *deadline);
    let host = Host::new(root, log);
    let context = Context { name, host, deadline, isolation: Isolation::Process };
    let mut course = Course::default();
    let mut source = match factory.make(config, context) {
        Ok(source) => source,
        Err(failure) => {
            course.error = Some(failure.to_string());
            return course;
        }
    };
    let mut batch = BatchBuilder::new(Vec::new(), limits);
    for _ in 0..collections {
        let started = Instant::now();
        let result = source.collect(&mut batch);
        course.times.push(started.elapsed());
        let (samples, rejected) = batch.take(Clock::start().now().wall);
        course.rejected += &rejected;
        if let Some(now) = samples.iter().find(|sample| sample.key.name() == MEMORY) {
            let now = now.value.get();
            course.memory = Some(course.memory.map_or((now, now), |(first, _)| (first, now)));
        }
        let own = |sample: &Sample| ![STARTS, MEMORY].contains(&sample.key.name());
        course.samples = samples.into_iter().filter(own).collect();
        match result {
            Ok(()) => {}
            Err(Refusal::Absent(reason)) => {
                course.absent = Some(reason);
                break;
            }
            Err(failure) => {
                course.error = Some(failure.to_string());
                break;
            }
        }
    }
    course
}

/// Says how it went; whether it went well.
fn print(course: &Course, collections: u32, out: &mut impl Write) -> io::Result<bool> {
    for sample in course.samples.iter().take(20) {
        writeln!(out, "  {} {}", sample.key, sample.value.get())?;
    }
    if course.samples.len() > 20 {
        writeln!(out, "  ... and {} more", course.samples.len() - 20)?;
    }
    let ended = course.error.is_some() || course.absent.is_some();
    let done = course.times.len() - usize::from(ended).min(course.times.len());
    let count = course.samples.len();
    writeln!(out, "  collected   {done} of {collections} times, {count} samples the last time")?;
    let mut times = course.times.clone();
    times.sort();
    if let [.., longest] = times[..] {
        let (median, longest) = (times[times.len() / 2], longest);
        let first = course.times[0];
        writeln!(
            out,
            "  time        first {first:.1?}, median {median:.1?}, longest {longest:.1?}"
        )?;
    }
    if let Some((first, last)) = course.memory {
        let (size, growth) = (ByteSize(last as u64).approximate(), (last - first).max(0.0) as u64);
        let growth = ByteSize(growth).approximate();
        writeln!(out, "  memory      {size} resident, grown by {growth} since the first time")?;
    }
    if let Some((_, what)) = course.rejected.first() {
        let count = course.rejected.total();
        writeln!(out, "  WRONG       {count} samples refused, the first because: {what}")?;
    }
    if let Some(error) = &course.error {
        writeln!(out, "  WRONG       {error}")?;
    }
    if let Some(reason) = &course.absent {
        writeln!(out, "  note        nothing to measure on this machine: {reason}")?;
    } else if course.error.is_none() && count == 0 {
        writeln!(out, "  note        it has nothing to report")?;
    }
    Ok(course.rejected.total() == 0 && course.error.is_none())
}

/// Where nobody reads standard error there is nothing to be done.
fn log(level: Level, text: &str) {
    let _ = writeln!(io::stderr().lock(), "  log         {level:?}: {text}");
}
