//! What every request handler may reach.

use std::collections::BTreeMap;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::{Semaphore, mpsc, watch};

use super::auth::Auth;
use super::counts::{Counts, Refusals};
use super::gate::{Gate, Reason};
use super::history::History;
use super::limits::ConnectionLimits;
use super::meter::Meter;
use super::pace::Paces;
use super::prometheus::Queue;
use super::tls::{Certificate, Handshakes};
use super::ws::{self, shard::Shards};
use super::{Config, HttpTotals, ReloadRequest, WebSocketConfig};
use crate::alert::Health;
use crate::api::Plugins;
use crate::audit::Book;
use crate::doctor::Setup;
use crate::hub::Archive;
use crate::notify;
use crate::pipeline;
use crate::query;
use crate::scheduler::Controls;
use crate::store::history::Shelf;

/// What every request handler may reach. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What is kept of the past, if somebody keeps it.
#[derive(Clone, Default)]
pub struct Past {
    /// The events that have left the hub's log.
    pub archive: Option<Arc<dyn Archive>>,
    /// The samples that have left the history in memory.
    pub shelf: Option<Arc<dyn Shelf>>,
}

/// See [`App`].
pub struct Inner {
    pub pipeline: pipeline::Handle,
    pub(super) controls: Controls,
    pub(super) meter: Meter,
    pub(super) limits: ConnectionLimits,
    pub(super) counts: Arc<Counts>,
    pub(super) gate: Gate,
    pub(super) auth: Auth,
    pub(super) paces: Paces,
    /// What TCP connections are shown; without it they speak no TLS.
    certificate: RwLock<Option<Arc<Certificate>>>,
    pub(super) handshakes: Handshakes,
    pub(super) reloads: mpsc::Sender<ReloadRequest>,
    pub(super) history: Arc<History>,
    pub(super) shards: Shards,
    pub(super) past: Past,
    pub(super) queue: Queue,
    settings: RwLock<(Config, WebSocketConfig)>,
    plugins: RwLock<Arc<Plugins>>,
    setup: RwLock<Setup>,
    notifier: RwLock<Option<notify::Handle>>,
    recordings: RwLock<Arc<BTreeMap<Arc<str>, Health>>>,
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
        past: Past,
        config: Config,
        websocket: WebSocketConfig,
        query: query::Config,
    ) -> io::Result<Self> {
        pipeline.hub.deflater.configure(websocket.compression());
        let history = Arc::new(History::new(pipeline.hub.clone(), past.archive.clone()));
        let counts = Arc::new(Counts::default());
        let auth = Auth::new(&config);
        let shards = Shards::start(&pipeline, &history, (&counts, &auth.audit), &websocket)?;
        Ok(Self(Arc::new(Inner {
            pipeline,
            controls,
            meter: Meter::default(),
            limits: ConnectionLimits::default(),
            counts,
            gate: Gate::new(&config),
            auth,
            paces: Paces::new(&config),
            certificate: RwLock::default(),
            handshakes: Handshakes::default(),
            reloads,
            history,
            shards,
            past,
            queue: Queue::new(query),
            settings: RwLock::new((config, websocket)),
            plugins: RwLock::default(),
            setup: RwLock::default(),
            notifier: RwLock::default(),
            recordings: RwLock::default(),
            examinations: Arc::new(Semaphore::new(1)),
            closing: watch::Sender::new(false),
        })))
    }

    /// HTTP requests so far.
    pub fn http_totals(&self) -> HttpTotals {
        self.meter.totals()
    }

    /// Open connections, and those among them that have not sent a whole request yet.
    pub fn connections(&self) -> (usize, usize) {
        (self.limits.open(), self.limits.fresh())
    }

    /// Handshakes that have become clients of the stream.
    pub fn upgrades(&self) -> u64 {
        self.counts.handshakes()
    }

    /// What was refused so far, and why.
    pub fn refusals(&self) -> [Refusals; 4] {
        self.counts.refusals()
    }

    /// Requests that were refused for whom they meant or where they came from.
    pub fn requests_refused(&self) -> impl Iterator<Item = (Reason, u64)> {
        self.gate.refused().into_iter()
    }

    /// Requests that were one too many a second: of an address, and of a token.
    pub fn requests_limited(&self) -> [u64; 2] {
        self.paces.refused()
    }

    /// What is dangerous about the addresses that it listens on, of which somebody has said that they
    /// are to be used all the same.
    pub fn exposures(&self) -> Vec<String> {
        let (config, is_safe) = (self.config(), self.auth_vitals().is_required);
        let exposed = self.setup().listeners.into_iter().filter_map(|(address, _)| {
            let danger = config.exposure(address.ip(), is_safe)?;
            Some(format!("other machines can reach {address} {danger}"))
        });
        exposed.collect()
    }

    /// TLS handshakes so far.
    pub fn handshakes(&self) -> &Handshakes {
        &self.handshakes
    }

    /// The certificate that the next TCP connection is shown.
    pub fn certificate(&self) -> Option<Arc<Certificate>> {
        self.certificate.read().clone()
    }

    /// Has TCP connections speak TLS with this certificate from now on, or none without one.
    /// Connections that are open live on, but for those by a client's certificate of authorities that
    /// are no longer asked.
    pub fn adopt_certificate(&self, certificate: Option<Certificate>) {
        let authorities = certificate.as_ref().and_then(|certificate| certificate.authorities);
        self.auth.ask_for_certificates(authorities);
        *self.certificate.write() = certificate.map(Arc::new);
    }

    /// Adopts new limits; connections take them up with their next request or message.
    pub fn configure(&self, config: Config, websocket: WebSocketConfig, query: query::Config) {
        self.shards.configure(&websocket);
        self.pipeline.hub.deflater.configure(websocket.compression());
        self.gate.configure(&config);
        self.auth.configure(&config);
        self.paces.configure(&config);
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

    /// The history on disk, if there is one.
    pub fn shelf(&self) -> Option<Arc<dyn Shelf>> {
        self.past.shelf.clone()
    }

    /// Shows how the recording rules are doing, by id.
    pub fn show_recordings(&self, health: BTreeMap<Arc<str>, Health>) {
        *self.recordings.write() = Arc::new(health);
    }

    /// How the recording rules are doing, by id.
    pub(super) fn recordings(&self) -> Arc<BTreeMap<Arc<str>, Health>> {
        self.recordings.read().clone()
    }

    /// Shows who tells of alerts.
    pub fn show_notifier(&self, notifier: notify::Handle) {
        *self.notifier.write() = Some(notifier);
    }

    /// Who tells of alerts, if somebody does.
    pub fn notifier(&self) -> Option<notify::Handle> {
        self.notifier.read().clone()
    }

    /// From now on it is kept in `book` what was changed by whom; those up to `last` are in it.
    pub fn keep_audit(&self, book: Arc<dyn Book>, last: u64) {
        self.auth.audit.keep(book, last);
    }

    /// Has the last of it written, and lets go of the book.
    pub async fn end_audit(&self) {
        self.auth.audit.end().await;
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

    pub(super) fn websocket(&self) -> WebSocketConfig {
        self.settings.read().1.clone()
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
