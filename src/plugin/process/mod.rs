//! Programs as collectors: started, fed, read, bounded and, when their time is up, killed.
//!
//! `plugin = "command"`, or for short `command = ["/path", "argument"]`. The program is never run by
//! a shell. It gets a process group of its own, limits (setrlimit(2)), an environment of listed
//! variables, none of the daemon's capabilities but those that its entry names, and dies with the daemon
//! (`PR_SET_PDEATHSIG`, prctl(2)).

mod child;
mod config;
mod errand;
mod finish;
mod launch;
mod lent;
mod output;
mod source;
mod stderr;

pub use config::{Config, Mode};
pub use errand::Errand;
pub(super) use finish::finish;
pub use launch::{Launcher, Limits, exec};
pub use lent::Wanted;
pub(super) use source::{Program, REPORTED_SAMPLES};

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::{Context, Factory, Failure, Source};

/// A program that is told to end, by the end of its standard input, has this long before it is killed.
pub const GRACE: Duration = Duration::from_secs(1);

/// Makes sources of programs.
pub struct Command {
    launcher: Arc<Launcher>,
}

impl Command {
    /// A factory whose programs `launcher` starts.
    pub fn new(launcher: Arc<Launcher>) -> Self {
        Self { launcher }
    }
}

impl Factory for Command {
    fn summary(&self) -> &str {
        "Any program that prints samples"
    }

    fn interval(&self) -> Option<Duration> {
        None
    }

    /// It does nothing before it is told which program.
    fn is_stock(&self) -> bool {
        false
    }

    fn check(&self, config: &Map<String, Json>) -> Result<(), String> {
        Config::parse(config).map(drop)
    }

    fn make(
        &self,
        config: &Map<String, Json>,
        context: Context,
    ) -> Result<Box<dyn Source>, Failure> {
        let config = Config::parse(config).map_err(Failure::Permanent)?;
        Ok(Box::new(Program::new(config, None, context, self.launcher.clone())?))
    }
}
