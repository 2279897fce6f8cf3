//! What every request handler may reach.

use std::ops::Deref;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::{Semaphore, watch};

use super::limits::ConnectionLimits;
use super::meter::Meter;
use super::{Config, HttpTotals, WebSocketConfig};
use crate::hub::Archive;
use crate::pipeline;
use crate::scheduler::Controls;

/// Who reads old events occupies a thread; others wait.
const READERS: usize = 4;

/// What every request handler may reach. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// See [`App`].
pub struct Inner {
    pub pipeline: pipeline::Handle,
    pub(super) controls: Controls,
    pub(super) meter: Meter,
    pub(super) limits: ConnectionLimits,
    /// The events that have left the hub's log, if somebody keeps them; and how many may read them
    /// at once.
    pub(super) archive: Option<Arc<dyn Archive>>,
    pub(super) readers: Semaphore,
    settings: RwLock<(Config, WebSocketConfig)>,
    closing: watch::Sender<bool>,
}

impl App {
    /// The handlers' view of a daemon.
    pub fn new(
        pipeline: pipeline::Handle,
        controls: Controls,
        archive: Option<Arc<dyn Archive>>,
        config: Config,
        websocket: WebSocketConfig,
    ) -> Self {
        Self(Arc::new(Inner {
            pipeline,
            controls,
            meter: Meter::default(),
            limits: ConnectionLimits::default(),
            archive,
            readers: Semaphore::new(READERS),
            settings: RwLock::new((config, websocket)),
            closing: watch::Sender::new(false),
        }))
    }

    /// HTTP requests so far.
    pub fn http_totals(&self) -> HttpTotals {
        self.meter.totals()
    }

    /// Open connections, and those refused so far.
    pub fn connections(&self) -> (usize, u64) {
        (self.limits.open(), self.limits.refused())
    }

    /// Adopts new limits; connections take them up with their next request or message.
    pub fn configure(&self, config: Config, websocket: WebSocketConfig) {
        *self.settings.write() = (config, websocket);
    }

    /// Ends every connection: requests in flight are answered, WebSocket clients get 1001. Returns
    /// when the last one is gone.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        self.limits.drained().await;
    }
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    pub(super) fn config(&self) -> Config {
        self.settings.read().0.clone()
    }

    pub(super) fn websocket(&self) -> WebSocketConfig {
        self.settings.read().1.clone()
    }

    /// Returns when every connection is to end.
    pub(super) async fn closed(&self) {
        let mut closing = self.closing.subscribe();
        // The sender is ours, so that it cannot be gone.
        let _ = closing.wait_for(|closing| *closing).await;
    }
}
