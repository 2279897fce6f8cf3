//! Inside `gz-monitor plugin-host`: one collector of a library, speaking the protocol of programs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gz_monitor_abi::{Descriptor, Kind, Plugin};
use gz_monitor_sdk::Level;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Failure;
use super::library::{self, Instance, LoadError};

/// One collector of a library, as `plugin-host FILE` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    pub id: String,
    pub version: String,
    pub summary: String,
    /// What its author suggests; 0 leaves it to the daemon.
    pub interval_ms: u32,
    /// Major and minor version of the plugin interface.
    pub abi: (u32, u32),
}

/// The collectors of a library, or why it is no plugin.
pub type Described = Result<Vec<Description>, String>;

/// Prints what came of a look at a library, a [`Described`] as JSON.
///
/// # Errors
/// Those of the pipe.
pub fn print_description(file: &Path) -> io::Result<()> {
    let mut pipe = take_stdout()?;
    let described: Described = describe(file).map_err(|error| error.to_string());
    serde_json::to_writer(&mut pipe, &described)?;
    pipe.flush()
}

fn describe(file: &Path) -> Result<Vec<Description>, LoadError> {
    let Plugin { abi, collectors } = library::load(file)?;
    let describe = |collector: Descriptor| Description {
        id: collector.id,
        version: collector.version,
        summary: collector.summary,
        interval_ms: collector.interval_ms,
        abi,
    };
    Ok(collectors.into_iter().map(describe).collect())
}

/// Takes standard output for the protocol alone: what the library prints goes to standard error from
/// now on, where it cannot be taken for samples.
fn take_stdout() -> io::Result<BufWriter<File>> {
    let pipe = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdout(io::stderr().as_fd())?;
    Ok(BufWriter::with_capacity(32 << 10, pipe))
}

/// Takes standard input likewise: a library that reads finds nothing there.
fn take_stdin() -> io::Result<BufReader<File>> {
    let pipe = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdin(File::open("/dev/null")?.as_fd())?;
    Ok(BufReader::new(pipe))
}

/// What the daemon asks, one a line.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Request {
    /// Comes first, and once.
    Init(Start),
    Collect,
}

/// What an instance is started with.
#[derive(Deserialize)]
struct Start {
    config: serde_json::Value,
    root: PathBuf,
}

/// Serves one collector of a library until the daemon closes our input.
///
/// # Errors
/// Those of the pipes. What is wrong with the library is told to the daemon, not returned.
pub fn serve(file: &Path, collector: &str) -> io::Result<()> {
    let out = Output { pipe: take_stdout()?, broken: Ok(()) };
    let out = Arc::new(Mutex::new(out));
    let (mut settings, mut instance) = (None, None);
    for line in take_stdin()?.lines() {
        match serde_json::from_str(&line?).map_err(io::Error::other)? {
            Request::Init(start) => settings = Some(start),
            Request::Collect => {
                let Some(settings) = &settings else {
                    return Err(io::Error::other("collect came before init"));
                };
                let result = match &mut instance {
                    Some(instance) => collect(instance, &out),
                    // What could not be started the last time is tried again.
                    none => start(file, collector, settings, &out)
                        .and_then(|started| collect(none.insert(started), &out)),
                };
                out.lock().end(result)?;
            }
        }
    }
    Ok(())
}

fn collect(instance: &mut Instance, out: &Mutex<Output>) -> Result<(), Failure> {
    Instance::collect(instance, &mut |sample| out.lock().sample(sample))
}

fn start(
    file: &Path,
    collector: &str,
    settings: &Start,
    out: &Arc<Mutex<Output>>,
) -> Result<Instance, Failure> {
    let plugin = library::load(file).map_err(|error| Failure::Permanent(error.to_string()))?;
    let found = plugin.collectors.into_iter().find(|c| c.id == collector);
    let found = found.ok_or_else(|| {
        Failure::Permanent(format!("{} has no collector {collector:?}", file.display()))
    })?;
    let out = out.clone();
    let log = move |level, text: &str| out.lock().log(level, text);
    let host = gz_monitor_sdk::Host::new(settings.root.clone(), log);
    Instance::new(found.functions, &settings.config.to_string(), host)
}

/// The way to the daemon.
struct Output {
    pipe: BufWriter<File>,
    broken: io::Result<()>,
}

impl Output {
    fn sample(&mut self, sample: library::Sample<'_>) {
        let record = match sample {
            Err((reason, what)) => {
                json!({ "type": "refused", "reason": reason.name(), "message": what })
            }
            Ok(reading) => {
                let labels: BTreeMap<&str, &str> = reading.labels.iter().copied().collect();
                let kind = if reading.kind == Kind::Counter { "counter" } else { "gauge" };
                let value = match reading.value {
                    value if value.is_nan() => json!("NaN"),
                    f64::INFINITY => json!("+Inf"),
                    f64::NEG_INFINITY => json!("-Inf"),
                    value => json!(value),
                };
                let mut record =
                    json!({ "name": reading.name, "labels": labels, "value": value, "kind": kind });
                if let Some(unix_ns) = reading.unix_ns {
                    record["timestamp"] = json!(unix_ns as f64 / 1e6);
                }
                record
            }
        };
        self.write(&record);
    }

    fn log(&mut self, level: Level, text: &str) {
        let level = match level {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
        };
        self.write(&json!({ "type": "log", "level": level, "message": text }));
    }

    /// A failure is told at the end of the collection, because the library cannot mend it.
    fn write(&mut self, record: &serde_json::Value) {
        if self.broken.is_ok() {
            self.broken = writeln!(self.pipe, "{record}");
        }
    }

    fn end(&mut self, result: Result<(), Failure>) -> io::Result<()> {
        let (status, message) = match result {
            Ok(()) => ("ok", String::new()),
            Err(Failure::Permanent(text)) => ("config", text),
            Err(Failure::Absent(text)) => ("absent", text),
            Err(Failure::Transient(text)) => ("unavailable", text),
            Err(Failure::Poisoned(text)) => ("panic", text),
        };
        self.write(&json!({ "type": "end", "status": status, "message": message }));
        std::mem::replace(&mut self.broken, Ok(()))?;
        self.pipe.flush()
    }
}
