//! A new configuration while running: what changed is applied, everything else goes on.

use std::time::Duration;

use serde_json::json;

use super::{Daemon, ListenError, limits, tick, tokens, wanted};
use crate::config::Change;
use crate::config::{self, Changes, Config};
use crate::pipeline::Input;
use crate::server::{TlsError, TokensFileError};
use crate::store::CollectorState;

/// Why a configuration that is valid cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("server.tls: {0}")]
    Tls(#[from] TlsError),
    #[error("server.auth.tokens_file: {0}")]
    Tokens(#[from] TokensFileError),
}

impl Daemon {
    /// Applies what `new` changes. What can fail comes first, so that a failure changes nothing.
    ///
    /// # Errors
    /// [`ReloadError`], with the old configuration in force.
    pub async fn reload(&mut self, new: Config) -> Result<Changes, ReloadError> {
        let mut changes = config::diff(&self.config, &new);
        let tls = &new.server.tls;
        let certificate = tokio::task::block_in_place(|| self.certificate.load(tls))?;
        let tokens = tokio::task::block_in_place(|| tokens::load(&new))?;
        self.listeners.adopt(&self.config.server, &new.server)?;
        for (key, told) in self.certificate.adopt(certificate) {
            let [old, new] = told.map(|text| Some(json!(text?)));
            // The name of another file is in there already.
            changes.values.push(Change { path: key.to_owned(), old, new });
            changes.sections.insert("server".to_owned());
        }
        if let Some(telemetry) = &self.telemetry {
            telemetry.set_level(new.log.level);
        }
        self.app.configure(new.server.clone(), new.websocket.clone(), new.query.clone());
        self.app.adopt_tokens(tokens.file, tokens.tokens).await;
        self.app.pipeline.hub.configure(&new.hub);
        if limits(&new) != limits(&self.config) {
            let limits = Box::new(limits(&new));
            // The pipeline is gone only when the daemon is.
            let _ = self.app.pipeline.send(Input::Configure(limits)).await;
        }
        self.storage.configure(&new.history);
        self.notifier.configure(new.notify.clone()).await;
        if new.status != self.config.status {
            self.status.abort();
            self.status = tokio::spawn(tick(self.app.pipeline.clone(), *new.status.interval));
        }
        self.app.show_plugins(self.plugins.inventory());
        self.scheduler.release(&self.absent()).await;
        self.scheduler.apply(wanted(&new, &self.plugins)).await;
        // Who asks after the reload is to see it done.
        if self.scheduler.probe().is_answered().await {
            let _ = self.app.pipeline.applied().await;
        }
        self.warn_of_what_waits(&new);
        self.config = new;
        self.show_setup();
        self.warn_of_exposure();
        Ok(changes)
    }

    /// How long to wait between two looks at the plugin folders.
    pub fn rescan_interval(&self) -> Duration {
        *self.config.plugins.rescan
    }

    /// Looks at the plugin folders: what is new is started, what has changed is started anew, what
    /// is gone is stopped.
    pub async fn rescan(&mut self) {
        let (host, folders) = (self.plugins.host(), self.config.plugins.folders.clone());
        let look = tokio::task::spawn_blocking(move || host.discover(&folders));
        let changed = look.await.unwrap_or(false);
        // A look for a configuration that was not applied may have come before.
        self.app.show_plugins(self.plugins.inventory());
        if changed {
            tracing::info!("the plugin folders have changed");
            self.scheduler.apply(wanted(&self.config, &self.plugins)).await;
            self.show_setup();
        }
    }

    /// Collectors that have nothing to measure. A reload is how somebody says that they may now.
    fn absent(&self) -> Vec<String> {
        self.app.pipeline.read(|state, _| {
            let all = state.collectors.iter();
            let absent = all.filter(|(_, status)| status.state == CollectorState::Absent);
            absent.map(|(name, _)| name.to_owned()).collect()
        })
    }

    fn warn_of_what_waits(&self, new: &Config) {
        if new.hub.broadcast_buffer != self.config.hub.broadcast_buffer {
            tracing::warn!(key = "hub.broadcast_buffer", "takes effect at the next start");
        }
        if new.websocket.shards != self.config.websocket.shards {
            tracing::warn!(key = "websocket.shards", "takes effect at the next start");
        }
        if new.storage != self.config.storage {
            tracing::warn!(key = "storage", "takes effect at the next start");
        }
        if new.log.format != self.config.log.format {
            tracing::warn!(key = "log.format", "takes effect at the next start");
        }
    }
}
