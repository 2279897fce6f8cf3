//! What every request handler may reach.

use std::io;
use std::ops::Deref;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::{Semaphore, mpsc, watch};

use super::gate::{Gate, Reason};
use super::history::History;
use super::limits::ConnectionLimits;
use super::meter::Meter;
use super::prometheus::Queue;
use super::ws::{self, shard::Shards};
use super::{Config, HttpTotals, ReloadRequest, WebSocketConfig};
use crate::api::Plugins;
use crate::doctor::Setup;
use crate::hub::Archive;
use crate::pipeline;
use crate::query;
use crate::scheduler::Controls;

/// What every request handler may reach. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// See [`App`].
pub struct Inner {
    pub pipeline: pipeline::Handle,
    pub(super) controls: Controls,
    pub(super) meter: Meter,
    pub(super) limits: ConnectionLimits,
    pub(super) gate: Gate,
    pub(super) reloads: mpsc::Sender<ReloadRequest>,
    pub(super) history: Arc<History>,
    pub(super) shards: Shards,
    pub(super) queue: Queue,
    settings: RwLock<(Config, WebSocketConfig)>,
    plugins: RwLock<Arc<Plugins>>,
    setup: RwLock<Setup>,
    /// One look at the daemon at a time.
    pub(super) examinations: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

impl App {
    /// The handlers' view of a daemon, and the threads that serve its clients.
    ///
    /// # Errors
    /// If those threads cannot be started.
    pub fn new(
        pipeline: pipeline::Handle,
        controls: Controls,
        reloads: mpsc::Sender<ReloadRequest>,
        archive: Option<Arc<dyn Archive>>,
        config: Config,
        websocket: WebSocketConfig,
        query: query::Config,
    ) -> io::Result<Self> {
        let history = Arc::new(History::new(pipeline.hub.clone(), archive));
        let shards = Shards::start(&pipeline, &history, &websocket)?;
        Ok(Self(Arc::new(Inner {
            pipeline,
            controls,
            meter: Meter::default(),
            limits: ConnectionLimits::default(),
            gate: Gate::new(&config),
            reloads,
            history,
            shards,
            queue: Queue::new(query),
            settings: RwLock::new((config, websocket)),
            plugins: RwLock::default(),
            setup: RwLock::default(),
            examinations: Arc::new(Semaphore::new(1)),
            closing: watch::Sender::new(false),
        })))
    }

    /// HTTP requests so far.
    pub fn http_totals(&self) -> HttpTotals {
        self.meter.totals()
    }

    /// Open connections, and those refused so far.
    pub fn connections(&self) -> (usize, u64) {
        (self.limits.open(), self.limits.refused())
    }

    /// Requests that were refused for whom they meant or where they came from.
    pub fn requests_refused(&self) -> impl Iterator<Item = (Reason, u64)> {
        self.gate.refused().into_iter()
    }

    /// Adopts new limits; connections take them up with their next request or message.
    pub fn configure(&self, config: Config, websocket: WebSocketConfig, query: query::Config) {
        self.shards.configure(&websocket);
        self.gate.configure(&config);
        *self.settings.write() = (config, websocket);
        self.queue.configure(query);
    }

    /// What has become of messages to WebSocket clients.
    pub fn stream(&self) -> &ws::Vitals {
        &self.shards.vitals
    }

    /// True once every thread of the clients has answered.
    pub async fn are_clients_served(&self) -> bool {
        self.shards.are_answering().await
    }

    /// Ends the threads of the clients, and cuts whoever is still connected. It may take a moment.
    pub fn cut(&self) {
        self.shards.cut();
    }

    /// Shows what plugins there are now: who is asked for them is not to wait until the plugin folders
    /// have been looked through.
    pub fn show_plugins(&self, plugins: Plugins) {
        *self.plugins.write() = Arc::new(plugins);
    }

    /// Shows how the daemon is set up now, to who asks what is wrong with it.
    pub fn show_setup(&self, setup: Setup) {
        *self.setup.write() = setup;
    }

    /// Ends every connection: requests in flight are answered, WebSocket clients get 1001. Returns
    /// when the last one is gone.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        self.shards.close();
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

    pub(super) fn plugins(&self) -> Arc<Plugins> {
        self.plugins.read().clone()
    }

    pub(super) fn setup(&self) -> Setup {
        self.setup.read().clone()
    }

    /// Returns when every connection is to end.
    pub(super) async fn closed(&self) {
        let mut closing = self.closing.subscribe();
        // The sender is ours, so that it cannot be gone.
        let _ = closing.wait_for(|closing| *closing).await;
    }
}
