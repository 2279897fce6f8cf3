//! One collector in `plugin check`: started, asked, given its configuration again and destroyed.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gz_monitor_sdk::{Host, Level, Reload};
use serde_json::{Map, Value as Json};

use crate::clock::Clock;
use crate::plugin::child::Description;
use crate::plugin::{DropIn, Factory as _, Failure, Source};
use crate::sample::{BatchBuilder, Rejected, Sample};
use crate::scheduler::{Config, Instance, Settings};
use crate::units::ByteSize;

/// What the daemon itself adds to the samples of a child (`plugin::process`).
const STARTS: &str = "gz_plugin_starts_total";
const MEMORY: &str = "gz_plugin_resident_memory_bytes";
/// Samples that are shown.
const SHOWN: usize = 20;

/// What came of one collector.
#[derive(Default)]
pub(super) struct Course {
    /// Of the last collection, without what the daemon adds.
    samples: Vec<Sample>,
    rejected: Rejected,
    times: Vec<Duration>,
    /// Resident bytes after the first collection and after the last.
    memory: Option<(f64, f64)>,
    error: Option<Failure>,
    /// Why there is nothing to measure on this machine.
    absent: Option<String>,
    /// What came of its configuration once more, if it got so far.
    reload: Option<Result<Reload, Failure>>,
    destroy: Option<Result<(), Failure>>,
}

impl Course {
    /// Takes a collector through its life, with nothing but the daemon's defaults.
    pub(super) fn take(
        description: &Description,
        factory: &DropIn,
        config: &Map<String, Json>,
        collections: u32,
    ) -> Self {
        let instance = Instance { config: config.clone(), ..Instance::of(&description.id) };
        let (interval, revision) = (factory.interval(), factory.revision());
        let settings = Settings::resolve(&instance, &Config::default(), interval, revision);
        let host = Host::new(settings.root.clone(), log);
        let mut course = Self::default();
        let mut source = match factory.make(config, settings.context(host, Arc::default())) {
            Ok(source) => source,
            Err(failure) => {
                course.error = Some(failure);
                return course;
            }
        };
        course.collect(&mut *source, settings.builder(), collections);
        let is_there = course.error.is_none() && course.absent.is_none();
        if is_there {
            course.reload = Some(source.reload(config));
        }
        let ended = source.end();
        // Of one that has ended already nothing can be said.
        if is_there && !matches!(course.reload, Some(Err(Failure::Poisoned(_)))) {
            course.destroy = Some(ended);
        }
        course
    }

    fn collect(&mut self, source: &mut dyn Source, mut batch: BatchBuilder, collections: u32) {
        for _ in 0..collections {
            let started = Instant::now();
            let result = source.collect(&mut batch);
            self.times.push(started.elapsed());
            let (samples, rejected) = batch.take(Clock::start().now().wall);
            self.rejected += &rejected;
            if let Some(now) = samples.iter().find(|sample| sample.key.name() == MEMORY) {
                let now = now.value.get();
                self.memory = Some(self.memory.map_or((now, now), |(first, _)| (first, now)));
            }
            let own = |sample: &Sample| ![STARTS, MEMORY].contains(&sample.key.name());
            self.samples = samples.into_iter().filter(own).collect();
            match result {
                Ok(()) => {}
                Err(Failure::Absent(reason)) => {
                    self.absent = Some(reason);
                    break;
                }
                Err(failure) => {
                    self.error = Some(failure);
                    break;
                }
            }
        }
    }

    /// Says how it went; whether it went well.
    pub(super) fn print(&self, collections: u32, out: &mut impl Write) -> io::Result<bool> {
        for sample in self.samples.iter().take(SHOWN) {
            writeln!(out, "  {} {}", sample.key, sample.value.get())?;
        }
        if self.samples.len() > SHOWN {
            writeln!(out, "  ... and {} more", self.samples.len() - SHOWN)?;
        }
        let has_ended = self.error.is_some() || self.absent.is_some();
        let done = self.times.len() - usize::from(has_ended).min(self.times.len());
        let count = self.samples.len();
        writeln!(
            out,
            "  collected   {done} of {collections} times, {count} samples the last time"
        )?;
        self.print_cost(out)?;
        match &self.reload {
            Some(Ok(Reload::Done)) => writeln!(out, "  reload      taken by the instance")?,
            Some(Ok(Reload::Restart)) => writeln!(out, "  reload      starts it anew")?,
            Some(Err(_)) | None => {}
        }
        if let Some(Ok(())) = self.destroy {
            writeln!(out, "  destroy     ended well")?;
        }
        if let Some(reason) = &self.absent {
            writeln!(out, "  note        nothing to measure on this machine: {reason}")?;
        } else if self.error.is_none() && count == 0 {
            writeln!(out, "  note        it has nothing to report")?;
        }
        let wrong = self.wrong();
        for fault in &wrong {
            writeln!(out, "  WRONG       {fault}")?;
        }
        Ok(wrong.is_empty())
    }

    fn print_cost(&self, out: &mut impl Write) -> io::Result<()> {
        let mut times = self.times.clone();
        times.sort();
        if let [.., longest] = times[..] {
            let (first, median) = (self.times[0], times[times.len() / 2]);
            writeln!(
                out,
                "  time        first {first:.1?}, median {median:.1?}, longest {longest:.1?}"
            )?;
        }
        if let Some((first, last)) = self.memory {
            let size = ByteSize(last as u64).approximate();
            let growth = ByteSize((last - first).max(0.0) as u64).approximate();
            writeln!(out, "  memory      {size} resident, grown by {growth} since the first time")?;
        }
        Ok(())
    }

    fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some((_, what)) = self.rejected.first() {
            let count = self.rejected.total();
            wrong.push(format!("{count} samples refused, the first because: {what}"));
        }
        wrong.extend(self.error.as_ref().map(ToString::to_string));
        if let Some(Err(failure)) = &self.reload {
            wrong.push(format!("reload of the same configuration: {failure}"));
        }
        if let Some(Err(failure)) = &self.destroy {
            wrong.push(format!("destroy: {failure}"));
        }
        wrong
    }
}

/// Where nobody reads standard error there is nothing to be done.
fn log(level: Level, text: &str) {
    let _ = writeln!(io::stderr().lock(), "  log         {level:?}: {text}");
}
