//! A new configuration while running: what changed is applied, everything else goes on.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;

use super::{Daemon, Listening, limits, tick, wanted};
use crate::config::{self, Changes, Config};
use crate::pipeline::Input;

/// Why a configuration that is valid could not be applied; the old one is still in force.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
}

impl Daemon {
    /// Applies what `new` changes. What can fail comes first, so that a failure changes nothing.
    ///
    /// # Errors
    /// [`ReloadError`], with the old configuration in force.
    pub async fn reload(&mut self, new: Config) -> Result<Changes, ReloadError> {
        let changes = config::diff(&self.config, &new);
        let old = &self.config;
        if (new.server.host, new.server.port) != (old.server.host, old.server.port) {
            self.listen((new.server.host, new.server.port).into()).await?;
        }
        if let Some(telemetry) = &self.telemetry {
            telemetry.set_level(new.log.level);
        }
        self.app.configure(new.server.clone(), new.websocket.clone(), new.query.clone());
        self.app.pipeline.hub.configure(&new.hub);
        if limits(&new) != limits(&self.config) {
            let limits = Box::new(limits(&new));
            // The pipeline is gone only when the daemon is.
            let _ = self.app.pipeline.send(Input::Configure(limits)).await;
        }
        if new.status != self.config.status {
            self.status.abort();
            self.status = tokio::spawn(tick(self.app.pipeline.clone(), *new.status.interval));
        }
        self.app.show_plugins(self.plugins.inventory());
        self.scheduler.apply(wanted(&new, &self.plugins)).await;
        self.warn_of_what_waits(&new);
        self.config = new;
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
        }
    }

    /// Serves a new address, and then no longer the old one; its connections live on.
    async fn listen(&mut self, address: SocketAddr) -> Result<(), ReloadError> {
        let failed = |error| ReloadError::Listen { address, error };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let listening = Listening::start(listener, self.endpoint.clone(), self.app.clone());
        let old = std::mem::replace(&mut self.listener, listening.map_err(failed)?);
        old.stop.send_replace(true);
        tracing::info!(address = %self.listener.address, "listening on a new address");
        Ok(())
    }

    fn warn_of_what_waits(&self, new: &Config) {
        if new.hub.broadcast_buffer != self.config.hub.broadcast_buffer {
            tracing::warn!(key = "hub.broadcast_buffer", "takes effect at the next start");
        }
        if new.log.format != self.config.log.format {
            tracing::warn!(key = "log.format", "takes effect at the next start");
        }
    }
}
