//! Composes the rooms into a running daemon: start, reload, stop.

mod alert_series;
mod certificate;
mod control;
mod forward;
mod hang;
mod http_probe;
mod internal;
mod inventory;
mod listeners;
mod looking;
mod notifier;
mod notify_series;
mod plugins;
mod recording;
mod reload;
mod service;
mod signals;
mod sockets;
mod standing;
mod status_line;
mod stream;
mod task_series;
mod tokens;
mod watchdog;

pub use plugins::Plugins;
pub use reload::ReloadError;
pub use service::{Service, warn_of};
pub use signals::{Signal, Signals};
pub use sockets::{ListenError, Sockets};
pub use tokens::tokens_file;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use certificate::CertificateKeeper;
use forward::forward;
use hang::can_hang;
use listeners::Listeners;

use crate::alert::Rules;
use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::Setup;
use crate::evaluator::Evaluator;
use crate::hub::Hub;
use crate::notify;
use crate::persist::{self, Folder, Storage};
use crate::pipeline::{self, Handle, Input, Kept, Limits};
use crate::scheduler::{Cadence, Controls, Scheduler, Settings};
use crate::server::{self, App, Listener, ReloadRequests, TlsError, TokensFileError};
use crate::telemetry::Telemetry;

/// Status messages follow the tick of the collectors by this much, to tell of what it brought.
const STATUS_DELAY: Duration = Duration::from_millis(200);

/// Between two looks at what time has done to tasks.
const BETWEEN_SWEEPS: Duration = Duration::from_millis(500);

/// How long a start waits for collectors. One that hangs is ended by its own deadline, and a longer
/// deadline must not hold up the start.
const FIRST_COLLECTIONS: Duration = Duration::from_secs(30);
/// At the end, how long a disk that hangs is waited for.
const STORAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// A running daemon.
pub struct Daemon {
    config: Config,
    telemetry: Option<Telemetry>,
    plugins: Plugins,
    app: App,
    storage: Storage,
    notifier: notify::Handle,
    scheduler: Scheduler,
    status: JoinHandle<()>,
    evaluator: Evaluator,
    listeners: Listeners,
    certificate: CertificateKeeper,
    reloads: ReloadRequests,
}

/// Why a daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Storage(#[from] persist::Error),
    #[error("cannot start the thread of the database: {0}")]
    Thread(#[from] std::io::Error),
    #[error("cannot start the threads of the clients: {0}")]
    Clients(#[source] std::io::Error),
    #[error("server.tls: {0}")]
    Tls(#[from] TlsError),
    #[error("server.auth.tokens_file: {0}")]
    Tokens(#[from] TokensFileError),
    /// The configuration knows nothing of the sockets that the service manager hands over.
    #[error(
        "other machines can reach {0} {1}; open another address in gz-monitor.socket, see to TLS (server.tls) and a token (`gz-monitor token create`), or say insecure = true"
    )]
    Exposed(SocketAddr, &'static str),
}

impl Daemon {
    /// Starts everything; `sockets` are open already, so that a taken port is known before.
    ///
    /// # Errors
    /// If the database is another daemon's.
    pub async fn start(
        config: Config,
        plugins: Plugins,
        sockets: Sockets,
        telemetry: Option<Telemetry>,
    ) -> Result<Self, StartError> {
        let clock = Clock::start();
        let folder = Folder::find(&config.storage, |name| std::env::var_os(name));
        let mut ready = tokio::task::block_in_place(|| {
            persist::open(&config.storage, &config.history, &folder, clock.now().wall)
        })?;
        let hub = Arc::new(Hub::on(ready.line.clone(), &config.hub));
        let limits = limits(&config);
        let queue = config.hub.broadcast_buffer;
        let records = std::mem::take(&mut ready.records);
        let kept = Kept { records, recent: std::mem::take(&mut ready.recent) };
        let (handle, inputs) = Handle::new(&limits, kept, queue, hub, clock);
        let (steps, stored) = mpsc::channel(config.storage.queue);
        tokio::spawn(can_hang("pipeline", pipeline::run(handle.clone(), inputs, steps)));
        let evaluator = Evaluator::start(handle.clone(), ready.shelf.clone(), |rounds| {
            tokio::spawn(can_hang("evaluator", rounds))
        });
        let past = server::Past { archive: ready.archive.clone(), shelf: ready.shelf.clone() };
        let notifications = std::mem::take(&mut ready.notifications);
        let mut storage = ready.start(handle.clone(), stored)?;
        let means = notifier::means(&handle, &past, storage.ledger.take(), notifications, &plugins);
        let notifier = notify::start(&config.notify, means);

        let controls = Controls::default();
        let (http, websocket) = (config.server.clone(), config.websocket.clone());
        let (requests, reloads) = server::reload_requests();
        let query = config.query.clone();
        let app =
            App::new(handle.clone(), controls.clone(), requests, past, http, websocket, query)
                .map_err(StartError::Clients)?;
        let tls = &config.server.tls;
        let certificate =
            tokio::task::block_in_place(|| CertificateKeeper::start(app.clone(), tls))?;
        let tokens = tokio::task::block_in_place(|| tokens::load(&config))?;
        app.adopt_tokens(tokens.file, tokens.tokens).await;
        refuse_exposed(&config, &sockets, &app)?;
        tokio::spawn(app.clone().watch_tokens());
        if let Some((book, last)) = storage.audit.take() {
            app.keep_audit(book, last);
        }
        plugins.bind(app.clone(), storage.vitals.clone());
        app.show_plugins(plugins.inventory());
        app.show_notifier(notifier.clone());
        let (events, received) = mpsc::channel(config.hub.broadcast_buffer);
        tokio::spawn(can_hang("scheduler", forward(received, handle.clone())));
        let mut scheduler = Scheduler::new(plugins.host(), events, clock, controls);
        scheduler.apply(wanted(&config, &plugins)).await;

        let endpoint = Arc::new(server::routes(app.clone()));
        let listeners = Listeners::start(sockets, endpoint, app.clone());
        tokio::spawn(sweep(handle.clone()));
        let status = tokio::spawn(tick(handle, *config.status.interval));
        let daemon = Self {
            config,
            telemetry,
            plugins,
            app,
            storage,
            notifier,
            scheduler,
            status,
            evaluator,
            listeners,
            certificate,
            reloads,
        };
        daemon.show_setup();
        daemon.warn_of_exposure();
        Ok(daemon)
    }

    /// Shows what a look at this daemon has to know.
    fn show_setup(&self) {
        let settings = wanted(&self.config, &self.plugins);
        let children = settings
            .iter()
            .filter_map(|one| Some((one.name.clone(), one.lent_to_child()?.clone())));
        self.app.show_setup(Setup {
            folders: self.config.plugins.folders.clone(),
            children: children.collect(),
            listeners: self.listeners.addresses(),
            max_connections: self.config.server.max_connections,
            is_journal: self.telemetry.as_ref().is_some_and(|telemetry| telemetry.is_journal),
        });
    }

    /// Tells of addresses that other machines can reach though they should not.
    fn warn_of_exposure(&self) {
        for danger in self.app.exposures() {
            tracing::warn!(name: "insecure", "{danger}; it is so because of server.insecure");
        }
    }

    /// The TCP address that it listens on, if there is one.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listeners.address()
    }

    /// Whether what comes by TCP speaks TLS.
    pub fn speaks_tls(&self) -> bool {
        self.app.certificate().is_some()
    }

    /// Looks after the certificate; gives what is to be said about it.
    async fn look_at_certificate(&mut self) -> Option<String> {
        self.certificate.look().await
    }

    /// Every address and path that it listens on, as text.
    pub fn places(&self) -> Vec<String> {
        self.listeners.places()
    }

    /// Waits until every collector has ended its first collection, well or badly, but no longer than
    /// [`FIRST_COLLECTIONS`]. Returns those that have not.
    async fn first_collections(&self) -> Vec<String> {
        let settings = wanted(&self.config, &self.plugins);
        let mut late: Vec<String> = settings.into_iter().map(|settings| settings.name).collect();
        let begin = Instant::now();
        while begin.elapsed() < FIRST_COLLECTIONS {
            late.retain(|name| {
                self.app.pipeline.read(|state, _| !state.collectors.has_reported(name))
            });
            if late.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        late
    }

    /// Ends: no new connections, what is in flight is done, clients are told, and collectors are
    /// ended in good order.
    pub async fn stop(mut self) {
        self.listeners.stop();
        let limit = *self.config.server.shutdown_timeout;
        let clients = tokio::time::timeout(limit, self.app.close());
        let (closed, ()) = tokio::join!(clients, self.scheduler.end());
        if closed.is_err() {
            let (open, _) = self.app.connections();
            tracing::warn!(open, "connections were cut: they did not end within the time-out");
        }
        // What is left of the clients is cut; a thread of theirs ends as soon as it has looked up.
        tokio::task::block_in_place(|| self.app.cut());
        self.status.abort();
        drop(self.evaluator);
        self.app.pipeline.end().await;
        // Storage is not closed before these have let go of it.
        self.notifier.end().await;
        let _ = tokio::time::timeout(STORAGE_TIMEOUT, self.app.end_audit()).await;
        if tokio::time::timeout(STORAGE_TIMEOUT, self.storage.ended()).await.is_err() {
            tracing::warn!("the database was not closed in order: the disk does not answer");
        }
    }
}

/// An address that other machines can reach takes TLS and a token, whoever has opened it.
fn refuse_exposed(config: &Config, sockets: &Sockets, app: &App) -> Result<(), StartError> {
    let is_required = app.auth_vitals().is_required;
    for address in sockets.main.iter().filter_map(Listener::address) {
        let danger = config.server.exposure(address.ip(), is_required);
        if let Some(danger) = danger.filter(|_| !config.server.insecure) {
            return Err(StartError::Exposed(address, danger));
        }
    }
    Ok(())
}

fn limits(config: &Config) -> Limits {
    let Config { store, tasks, groups, .. } = config.clone();
    // What is wrong with rules was refused when the configuration was read.
    let (rules, _) = Rules::read(&config.alerts, &config.query);
    Limits { store, tasks, groups, rules: Arc::new(rules) }
}

fn wanted(config: &Config, plugins: &Plugins) -> Vec<Settings> {
    let collectors = plugins.collectors(config);
    let enabled = collectors.iter().filter(|instance| instance.enabled);
    enabled.map(|instance| plugins.settings(instance, config)).collect()
}

/// Has tasks looked at again and again, until the pipeline ends.
async fn sweep(pipeline: Handle) {
    let mut clock = tokio::time::interval(BETWEEN_SWEEPS);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        clock.tick().await;
        if pipeline.send(Input::Sweep).await.is_err() {
            return;
        }
    }
}

/// Has the status sent at every interval.
async fn tick(pipeline: Handle, interval: Duration) {
    loop {
        let now = pipeline.clock.now().uptime;
        let next = Cadence::new(interval).after(now) + STATUS_DELAY;
        tokio::time::sleep(next - now).await;
        if pipeline.send(Input::Tick).await.is_err() {
            return;
        }
    }
}
