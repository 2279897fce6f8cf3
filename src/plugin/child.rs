//! Inside `gz-monitor plugin-host`: one collector of a library, speaking the protocol of programs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use gz_monitor_abi::{Descriptor, Kind, Plugin};
use gz_monitor_sdk::{Host, Level, Reload};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, poll};
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
    /// JSON Schema of its configuration, unparsed; empty if there is none.
    pub config_schema: String,
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
        config_schema: collector.config_schema,
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
    Reload {
        config: serde_json::Value,
    },
}

/// What an instance is started with.
#[derive(Deserialize)]
struct Start {
    config: serde_json::Value,
    root: PathBuf,
    /// Samples that one collection may bring.
    max_samples: usize,
}

/// Serves one collector of a library until the daemon closes our input; then it is destroyed.
///
/// # Errors
/// Those of the pipes. What is wrong with the library is told to the daemon, not returned.
pub fn serve(file: &Path, collector: &str) -> io::Result<()> {
    let out = Output { pipe: take_stdout()?, broken: Ok(()) };
    let out = Arc::new(Mutex::new(out));
    let stdin = take_stdin()?;
    let watched = stdin.get_ref().try_clone()?;
    let mut requests =
        stdin.lines().map(|line| serde_json::from_str(&line?).map_err(io::Error::other));
    let Some(first) = requests.next() else { return Ok(()) };
    let Request::Init(start) = first? else {
        return Err(io::Error::other("the first request is not init"));
    };
    let host = {
        let out = out.clone();
        Host::new(start.root.clone(), move |level, text| out.lock().log(level, text))
    };
    cancel_at_end_of(watched, host.clone());
    let mut served = Served { file, collector, start, host, instance: None };
    for request in requests {
        let (status, message) = match request? {
            Request::Init(_) => return Err(io::Error::other("init came twice")),
            Request::Collect => served.collect(&out).map_or_else(status, |()| ok("ok")),
            Request::Reload { config } => match served.reload(&config) {
                Ok(Reload::Done) => ok("ok"),
                Ok(Reload::Restart) => ok("restart"),
                Err(failure) => status(failure),
            },
        };
        out.lock().end(status, &message)?;
    }
    // It may have something to say while it is destroyed.
    drop(served);
    out.lock().pipe.flush()
}

/// Tells a collection that is under way when our input is closed: nobody wants it any more.
fn cancel_at_end_of(input: File, host: Host) {
    let watch = move || {
        // No events are asked for: the end is told unasked.
        let mut fds = [PollFd::new(&input, PollFlags::empty())];
        if poll(&mut fds, None).is_ok() && fds[0].revents().contains(PollFlags::HUP) {
            host.set_cancelled(true);
        }
    };
    // Without the thread it goes on until it is killed.
    let _ = thread::Builder::new().stack_size(64 << 10).spawn(watch);
}

/// A collector of a library, started or not yet.
struct Served<'a> {
    file: &'a Path,
    collector: &'a str,
    start: Start,
    host: Host,
    instance: Option<Instance>,
}

impl Served<'_> {
    fn collect(&mut self, out: &Mutex<Output>) -> Result<(), Failure> {
        // What could not be started the last time is tried again.
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.make()?,
        };
        let result = instance.collect(&mut |sample| out.lock().sample(sample));
        out.lock().excess(instance.take_excess());
        self.instance = Some(instance);
        result
    }

    fn make(&self) -> Result<Instance, Failure> {
        let file = self.file;
        let plugin = library::load(file).map_err(|error| Failure::Permanent(error.to_string()))?;
        let found = plugin.collectors.into_iter().find(|c| c.id == self.collector);
        let found = found.ok_or_else(|| {
            let collector = self.collector;
            Failure::Permanent(format!("{} has no collector {collector:?}", file.display()))
        })?;
        let Start { config, max_samples, .. } = &self.start;
        Instance::new(found.functions, &config.to_string(), self.host.clone(), *max_samples)
    }

    fn reload(&mut self, config: &serde_json::Value) -> Result<Reload, Failure> {
        let instance = self.instance.as_mut();
        instance.map_or(Ok(Reload::Restart), |instance| instance.reload(&config.to_string()))
    }
}

fn ok(status: &'static str) -> (&'static str, String) {
    (status, String::new())
}

/// A failure as the protocol has it.
fn status(failure: Failure) -> (&'static str, String) {
    match failure {
        Failure::Permanent(text) => ("config", text),
        Failure::Absent(text) => ("absent", text),
        Failure::Transient(text) => ("unavailable", text),
        Failure::Poisoned(text) => ("panic", text),
    }
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

    fn excess(&mut self, count: u64) {
        if count > 0 {
            let message = "more than the collection may bring";
            self.write(&json!({
                "type": "refused", "reason": "limit", "count": count, "message": message,
            }));
        }
    }

    fn end(&mut self, status: &str, message: &str) -> io::Result<()> {
        self.write(&json!({ "type": "end", "status": status, "message": message }));
        std::mem::replace(&mut self.broken, Ok(()))?;
        self.pipe.flush()
    }
}
