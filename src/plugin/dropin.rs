//! A collector of a library from a plugin folder: in a child, where it is to the daemon a program
//! that speaks the protocol, or in the daemon itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::child::Description;
use super::library::{self, Instance};
use super::process::{Config, Launcher, Mode, Program, REPORTED_SAMPLES};
use super::{Context, Factory, Failure, Isolation, Source};

/// Makes instances of one collector of a library.
pub struct DropIn {
    file: PathBuf,
    description: Description,
    revision: u64,
    launcher: Arc<Launcher>,
}

impl DropIn {
    /// The collector that `description` tells of, of the library `file` in this revision.
    pub fn new(
        file: PathBuf,
        description: Description,
        revision: u64,
        launcher: Arc<Launcher>,
    ) -> Self {
        Self { file, description, revision, launcher }
    }
}

impl Factory for DropIn {
    fn summary(&self) -> &str {
        &self.description.summary
    }

    fn interval(&self) -> Option<Duration> {
        let interval = Duration::from_millis(self.description.interval_ms.into());
        Some(interval).filter(|interval| !interval.is_zero())
    }

    fn revision(&self) -> u64 {
        self.revision
    }

    /// Only the library knows, and it says so when it is started.
    fn check(&self, _: &Map<String, Json>) -> Result<(), String> {
        Ok(())
    }

    fn make(
        &self,
        config: &Map<String, Json>,
        context: Context,
    ) -> Result<Box<dyn Source>, Failure> {
        if context.isolation == Isolation::Inline {
            return self.make_inline(config, context);
        }
        let file = self.file.to_str();
        let file = file.ok_or_else(|| Failure::Permanent("its path is not UTF-8".to_owned()))?;
        let command = [self.launcher.ourselves(), "plugin-host", file, &self.description.id];
        let root = context.host.path("");
        // What the daemon says of the child is part of its collection.
        let max_samples = context.max_samples.saturating_sub(REPORTED_SAMPLES);
        let init = json!({
            "type": "init", "config": config, "root": root, "max_samples": max_samples,
        });
        let program = Config { mode: Mode::Request, ..Config::of(command.map(str::to_owned)) };
        Ok(Box::new(Program::new(program, Some(init), context, self.launcher.clone())?))
    }
}

impl DropIn {
    /// Loads the library into this process, where it can do anything that we can.
    fn make_inline(
        &self,
        config: &Map<String, Json>,
        context: Context,
    ) -> Result<Box<dyn Source>, Failure> {
        let plugin = library::load(&self.file).map_err(|e| Failure::Permanent(e.to_string()))?;
        let found = plugin.collectors.into_iter().find(|c| c.id == self.description.id);
        let found = found.ok_or_else(|| Failure::Permanent("it has gone".to_owned()))?;
        let config = Json::Object(config.clone()).to_string();
        Ok(Box::new(Instance::new(found.functions, &config, context.host, context.max_samples)?))
    }
}
