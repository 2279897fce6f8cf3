//! A program as a source of samples.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::child::{Child, Stop, Until};
use super::launch::Launcher;
use super::stderr::StandardError;
use super::{Config, Mode};
use crate::plugin::wire::Ending;
use crate::plugin::{Context, Failure, Source};
use crate::sample::{BatchBuilder, Value};
use serde_json::Value as Json;

/// After its output has ended, a program has this long to end itself.
const END_TIMEOUT: Duration = Duration::from_millis(500);

/// A program as a source of samples: run for each collection, or kept running.
pub(in crate::plugin) struct Program {
    config: Config,
    /// The first line that it is written.
    init: Option<Json>,
    context: Context,
    launcher: Arc<Launcher>,
    log: StandardError,
    child: Option<Child>,
    starts: u64,
}

impl Program {
    /// A program that is not running yet, and is written `init` when it starts.
    pub(in crate::plugin) fn new(
        config: Config,
        init: Option<Json>,
        context: Context,
        launcher: Arc<Launcher>,
    ) -> Self {
        let log = StandardError::new(context.host.clone());
        Self { config, init, context, launcher, log, child: None, starts: 0 }
    }

    fn start(&mut self) -> Result<Child, Failure> {
        let root = self.context.host.path("");
        let root = root.to_string_lossy();
        let variables =
            [("GZ_MONITOR_COLLECTOR", &*self.context.name), ("GZ_MONITOR_ROOT", &*root)];
        let failed = |error: std::io::Error| {
            Failure::Transient(format!("{} cannot be started: {error}", self.config.command[0]))
        };
        let process = self.launcher.start(&self.config, &variables).map_err(failed)?;
        self.starts += 1;
        let mut child = Child::new(process, &self.config).map_err(failed)?;
        if let Some(init) = &self.init {
            // If it is gone already, reading tells how it ended.
            let _ = child.ask(&format!("{init}\n"));
        }
        Ok(child)
    }

    /// One run, from its start to its end.
    fn once(&mut self, out: &mut BatchBuilder, deadline: Instant) -> Result<(), Failure> {
        let mut child = self.start()?;
        child.close_stdin();
        match child.read(Until::Eof, deadline, out, &mut self.log) {
            Stop::Eof => {
                let status = child.wait_until((Instant::now() + END_TIMEOUT).max(deadline));
                let well = status.is_some_and(|status| status.success());
                child.finish(well, out, &mut self.log);
                if well { Ok(()) } else { Err(self.ended(status)) }
            }
            stop => Err(self.stopped(&stop)),
        }
    }

    /// What has come since the last time.
    fn stream(&mut self, out: &mut BatchBuilder, deadline: Instant) -> Result<(), Failure> {
        let mut child = match self.child.take() {
            Some(child) => child,
            None => {
                let mut child = self.start()?;
                child.close_stdin();
                child
            }
        };
        match child.read(Until::Drained, deadline, out, &mut self.log) {
            Stop::Drained => {
                self.child = Some(child);
                Ok(())
            }
            Stop::Eof => {
                let status = child.wait_until(Instant::now() + END_TIMEOUT);
                child.finish(false, out, &mut self.log);
                Err(self.ended(status))
            }
            stop => Err(self.stopped(&stop)),
        }
    }

    /// A question and its answer.
    fn request(&mut self, out: &mut BatchBuilder, deadline: Instant) -> Result<(), Failure> {
        let mut child = match self.child.take() {
            Some(child) => child,
            None => self.start()?,
        };
        // If it is gone the pipe is broken, and reading tells how it ended.
        let _ = child.ask("{\"type\":\"collect\"}\n");
        match child.read(Until::End, deadline, out, &mut self.log) {
            Stop::End(ending) => {
                self.child = Some(child);
                self.judge(ending)
            }
            Stop::Eof => {
                let status = child.wait_until(Instant::now() + END_TIMEOUT);
                child.finish(false, out, &mut self.log);
                Err(self.ended(status))
            }
            stop => Err(self.stopped(&stop)),
        }
    }

    fn judge(&mut self, ending: Ending) -> Result<(), Failure> {
        match ending {
            Ending::Ok | Ending::NoData(_) => Ok(()),
            Ending::Config(text) => Err(Failure::Permanent(text)),
            Ending::Failed(text) => Err(Failure::Transient(text)),
            Ending::Poisoned(text) => {
                self.child = None;
                Err(Failure::Transient(text))
            }
        }
    }

    fn ended(&self, status: Option<ExitStatus>) -> Failure {
        let status = status.map_or("closed its output".to_owned(), |status| {
            // "exit status: 3", "signal: 11 (SIGSEGV) (core dumped)"
            format!("ended with {status}")
        });
        Failure::Transient(match self.log.last() {
            Some(last) => format!("{status}; its last words: {last}"),
            None => status,
        })
    }

    fn stopped(&self, stop: &Stop) -> Failure {
        Failure::Transient(match stop {
            Stop::Excess => format!(
                "printed more than {} in one collection, and was killed",
                self.config.max_output
            ),
            _ => format!("did not answer within {:?}, and was killed", self.context.deadline),
        })
    }

    /// What the daemon sees of the program, whatever the program says.
    fn report(&self, out: &mut BatchBuilder) {
        let labels = [("collector", &*self.context.name)];
        let starts = Value::Counter(self.starts as f64);
        out.push("gz_plugin_starts_total", &labels, starts);
        if let Some(bytes) = self.child.as_ref().and_then(Child::resident_bytes) {
            out.push("gz_plugin_resident_memory_bytes", &labels, Value::Gauge(bytes));
        }
    }
}

impl Source for Program {
    fn collect(&mut self, out: &mut BatchBuilder) -> Result<(), Failure> {
        let deadline = Instant::now() + self.context.deadline;
        let result = match self.config.mode {
            Mode::Once => self.once(out, deadline),
            Mode::Stream => self.stream(out, deadline),
            Mode::Request => self.request(out, deadline),
        };
        self.report(out);
        result
    }
}
