//! A program as a source of samples.

use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gz_monitor_sdk::Reload;
use serde_json::{Map, Value as Json, json};

use super::child::{Child, Stop, Until};
use super::launch::Launcher;
use super::lent::{CREDENTIALS_DIRECTORY, Lent};
use super::stderr::StandardError;
use super::{Config, GRACE, Mode};
use crate::plugin::wire::Ending;
use crate::plugin::{Context, Failure, Source};
use crate::sample::{BatchBuilder, Limits, Value};

/// After its output has ended, a program that runs on has this long to end itself.
const END_TIMEOUT: Duration = Duration::from_millis(500);

/// Samples that the daemon adds to those of a program, at the most.
pub(in crate::plugin) const REPORTED_SAMPLES: usize = 2;

/// A program as a source of samples: run for each collection, or kept running.
pub(in crate::plugin) struct Program {
    config: Config,
    /// The first line that it is written.
    init: Option<Json>,
    context: Context,
    lent: Lent,
    launcher: Arc<Launcher>,
    log: StandardError,
    child: Option<Child>,
}

impl Program {
    /// A program that is not running yet, and is written `init` when it starts.
    ///
    /// # Errors
    /// If it wants what the daemon cannot lend it.
    pub(in crate::plugin) fn new(
        config: Config,
        init: Option<Json>,
        context: Context,
        launcher: Arc<Launcher>,
    ) -> Result<Self, Failure> {
        let log = StandardError::new(context.host.clone());
        let lent = Lent::find(&context.wanted, &context.host)?;
        Ok(Self { config, init, context, lent, launcher, log, child: None })
    }

    fn start(&mut self, deadline: Instant) -> Result<Child, Failure> {
        let root = self.context.host.path("");
        let root = root.to_string_lossy();
        let credentials = self.lent.credentials.as_ref().map(|folder| folder.to_string_lossy());
        let mut variables =
            vec![("GZ_MONITOR_COLLECTOR", &*self.context.name), ("GZ_MONITOR_ROOT", &*root)];
        variables.extend(credentials.as_deref().map(|folder| (CREDENTIALS_DIRECTORY, folder)));
        let failed = |error: std::io::Error| {
            Failure::Transient(format!("{} cannot be started: {error}", self.config.command[0]))
        };
        let kept = self.lent.capabilities;
        let process = self.launcher.start(&self.config, kept, &variables).map_err(failed)?;
        let mut child = Child::new(process, &self.config).map_err(failed)?;
        match self.config.mode {
            Mode::Once => child.close_stdin(),
            Mode::Stream => {
                child.close_stdin();
                child.output.runs_on();
            }
            Mode::Request => {}
        }
        if let Some(init) = &self.init {
            // If it is gone already, reading tells how it ended.
            let _ = child.ask(&format!("{init}\n"), deadline, &|| self.context.host.cancelled());
        }
        self.context.starts.fetch_add(1, Ordering::Relaxed);
        self.log.forget();
        Ok(child)
    }

    /// One collection of a running program.
    fn read(
        &mut self,
        mut child: Child,
        out: &mut BatchBuilder,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let log = &mut self.log;
        let cancelled = &|| self.context.host.cancelled();
        let (until, end_timeout) = match self.config.mode {
            Mode::Once => (Until::Eof, Duration::MAX),
            Mode::Stream => (Until::Drained, END_TIMEOUT),
            Mode::Request => (Until::End, END_TIMEOUT),
        };
        if self.config.mode == Mode::Request {
            child.request(&json!({ "type": "collect" }), deadline, out, log, cancelled);
        }
        match child.read(until, deadline, out, log, cancelled) {
            Stop::End | Stop::Drained => {
                let ending = child.output.take_ending();
                self.child = Some(child);
                self.judge(ending, deadline)
            }
            Stop::Eof => {
                let patience = Instant::now().checked_add(end_timeout).unwrap_or(deadline);
                let status = child.wait_until(patience.min(deadline), log, cancelled);
                let well = status.is_some_and(|status| status.success());
                child.output.finish(well, out, log);
                log.finish();
                match child.output.take_ending() {
                    Some(ending @ (Ending::Config(_) | Ending::Absent(_))) => {
                        self.judge(Some(ending), deadline)
                    }
                    ending if well && self.config.mode == Mode::Once => {
                        self.judge(ending, deadline)
                    }
                    _ => Err(self.ended(status)),
                }
            }
            Stop::Cancelled => {
                let failure = self.stopped(&Stop::Cancelled);
                self.child = Some(child);
                // Whoever has cancelled it asks nothing more of it.
                self.end().and(Err(failure))
            }
            stop => {
                child.output.finish(false, out, log);
                Err(self.stopped(&stop))
            }
        }
    }

    fn judge(&mut self, ending: Option<Ending>, deadline: Instant) -> Result<(), Failure> {
        let reason = |text: String| {
            if text.is_empty() { "it failed, and did not say why".to_owned() } else { text }
        };
        match ending {
            None | Some(Ending::Ok | Ending::NoData(_)) => Ok(()),
            Some(Ending::Absent(text)) if text.is_empty() => {
                Err(Failure::Absent("it did not say why".to_owned()))
            }
            Some(Ending::Absent(text)) => Err(Failure::Absent(text)),
            Some(Ending::Config(text)) => Err(Failure::Permanent(reason(text))),
            Some(Ending::Restart) => {
                Err(Failure::Transient("\"restart\" is no answer to this".to_owned()))
            }
            Some(Ending::Failed(text)) => Err(Failure::Transient(reason(text))),
            Some(Ending::Poisoned(text)) => {
                // What is broken may still be able to clear up.
                let _ = self.end_by(deadline.min(Instant::now() + GRACE));
                Err(Failure::Transient(reason(text)))
            }
        }
    }

    /// Ends what runs: in good order until `deadline`, if it can be told to end.
    fn end_by(&mut self, deadline: Instant) -> Result<(), Failure> {
        let Some(child) = self.child.take() else { return Ok(()) };
        if self.config.mode != Mode::Request {
            // It does not read its input, so that nothing can be said to it; dropped, it is killed.
            return Ok(());
        }
        let is_hurried = || self.launcher.is_hurried();
        child.end(deadline, &mut self.log, &is_hurried).map_err(Failure::Transient)
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
            Stop::Cancelled => "was ended, because nobody waits for it any more".to_owned(),
            _ => format!("did not answer within {:?}, and was killed", self.context.deadline),
        })
    }

    /// What the daemon sees of the program, whatever the program says. Pushed before what it says,
    /// which may be more than a collection may bring.
    fn report(&self, out: &mut BatchBuilder, resident_bytes: Option<f64>) {
        let labels = [("collector", &*self.context.name)];
        let starts = Value::Counter(self.context.starts.load(Ordering::Relaxed) as f64);
        out.push("gz_plugin_starts_total", &labels, starts);
        if let Some(bytes) = resident_bytes {
            out.push("gz_plugin_resident_memory_bytes", &labels, Value::Gauge(bytes));
        }
    }
}

impl Source for Program {
    fn collect(&mut self, out: &mut BatchBuilder) -> Result<(), Failure> {
        let deadline = Instant::now() + self.context.deadline;
        let running = self.child.take();
        let resident_bytes = running.as_ref().and_then(Child::resident_bytes);
        let child = running.map_or_else(|| self.start(deadline), Ok);
        self.report(out, resident_bytes);
        self.read(child?, out, deadline)
    }

    /// What speaks the whole protocol is asked; what is told nothing but `collect` is made anew.
    fn reload(&mut self, config: &Map<String, Json>) -> Result<Reload, Failure> {
        let Some(mut child) = self.child.take_if(|_| self.init.is_some()) else {
            return Ok(Reload::Restart);
        };
        let deadline = Instant::now() + self.context.deadline;
        let request = json!({ "type": "reload", "config": config });
        let limits = Limits::NONE;
        let mut unread = BatchBuilder::new(Vec::new(), limits);
        let (log, cancelled) = (&mut self.log, &|| self.context.host.cancelled());
        child.request(&request, deadline, &mut unread, log, cancelled);
        match child.read(Until::End, deadline, &mut unread, log, cancelled) {
            Stop::End => {}
            Stop::Eof => {
                let patience = deadline.min(Instant::now() + END_TIMEOUT);
                let status = child.wait_until(patience, log, cancelled);
                log.finish();
                return Err(Failure::Poisoned(self.ended(status).to_string()));
            }
            stop => return Err(Failure::Poisoned(self.stopped(&stop).to_string())),
        }
        let ending = child.output.take_ending();
        self.child = Some(child);
        match ending {
            Some(Ending::Restart) => Ok(Reload::Restart),
            Some(Ending::Poisoned(text)) => Err(Failure::Poisoned(text)),
            ending => {
                self.judge(ending, deadline)?;
                if let Some(init) = &mut self.init {
                    init["config"] = Json::Object(config.clone());
                }
                Ok(Reload::Done)
            }
        }
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.end_by(Instant::now() + GRACE)
    }
}
