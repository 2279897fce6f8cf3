//! How the daemon stands, kept in the service manager's status line while it runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::status_line::StatusLine;
use crate::server::App;
use crate::systemd::notify;

/// How often the line is made anew; it is sent if it has changed.
const INTERVAL: Duration = Duration::from_secs(1);

/// What needs somebody's attention, one of each kind at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Concern {
    /// A reload was refused.
    Reload,
    /// A part of the daemon does not answer.
    Watchdog,
    /// The TLS certificate ends soon, or a new one is no good.
    Certificate,
}

/// How the daemon stands. Cheap to clone.
#[derive(Clone)]
pub(super) struct Standing {
    app: App,
    said: Arc<Mutex<Said>>,
}

/// What the numbers do not tell.
#[derive(Default)]
struct Said {
    concerns: BTreeMap<Concern, String>,
    addresses: Vec<String>,
    /// The line that the service manager has.
    told: String,
}

impl Standing {
    pub(super) fn new(app: App) -> Self {
        Self { app, said: Arc::default() }
    }

    /// Says where it listens now.
    pub(super) fn listens_on(&self, addresses: Vec<String>) {
        self.said.lock().addresses = addresses;
    }

    /// Begins or ends a concern.
    pub(super) fn concern(&self, kind: Concern, text: Option<String>) {
        let concerns = &mut self.said.lock().concerns;
        match text {
            Some(text) => concerns.insert(kind, text),
            None => concerns.remove(&kind),
        };
    }

    /// The line as it is now.
    pub(super) fn line(&self) -> String {
        let mut line = StatusLine::default();
        self.app.pipeline.read(|state, _| line.look(state));
        line.clients = self.app.pipeline.hub.clients.count();
        let said = self.said.lock();
        line.notes = said.concerns.values().cloned().collect();
        line.notes.extend(self.app.token_trouble());
        line.notes.extend(self.app.exposures());
        line.addresses.clone_from(&said.addresses);
        line.to_string()
    }

    /// Tells the service manager that the daemon is ready, or is so again after a reload.
    pub(super) fn ready(&self) {
        let line = self.line();
        notify::ready(&line);
        self.said.lock().told = line;
    }

    /// Keeps the service manager's line true, for ever.
    pub(super) async fn keep(self) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let line = self.line();
            if line != self.said.lock().told {
                notify::status(&line);
                self.said.lock().told = line;
            }
        }
    }
}
