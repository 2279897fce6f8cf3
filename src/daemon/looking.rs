//! Plugins that look at the daemon: they are known before it runs, and work once it does.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::persist::Vitals;
use crate::plugin::{Context, Factory, Failure, Source};
use crate::server::App;

/// The daemon, once it runs.
pub(super) type Running = Arc<OnceLock<(App, Arc<Vitals>)>>;

/// Makes sources that look at the daemon.
pub(super) struct Looking {
    pub(super) running: Running,
    pub(super) summary: &'static str,
    pub(super) make: fn(&App, &Arc<Vitals>, Context) -> Box<dyn Source>,
}

impl Factory for Looking {
    fn summary(&self) -> &str {
        self.summary
    }

    fn interval(&self) -> Option<Duration> {
        None
    }

    fn check(&self, config: &Map<String, Json>) -> Result<(), String> {
        let unknown = config.keys().next();
        unknown.map_or(Ok(()), |key| Err(format!("unknown key {key:?}; there are none")))
    }

    fn make(&self, _: &Map<String, Json>, context: Context) -> Result<Box<dyn Source>, Failure> {
        match self.running.get() {
            Some((app, storage)) => Ok((self.make)(app, storage, context)),
            None => Err(Failure::Permanent("there is no running daemon to look at".to_owned())),
        }
    }
}
