//! Composes the rooms into a running daemon: start, reload, stop.

mod control;
mod forward;
mod hang;
mod http_probe;
mod internal;
mod inventory;
mod listeners;
mod plugins;
mod reload;
mod service;
mod signals;
mod sockets;
mod standing;
mod status_line;
mod watchdog;

pub use plugins::Plugins;
pub use service::{Service, warn_of};
pub use signals::{Signal, Signals};
pub use sockets::{ListenError, Sockets};

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use forward::forward;
use hang::can_hang;
use listeners::Listeners;

use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::Setup;
use crate::hub::Hub;
use crate::pipeline::{self, Handle, Input, Limits};
use crate::scheduler::{Cadence, Controls, Scheduler, Settings};
use crate::server::{self, App, ReloadRequests};
use crate::telemetry::Telemetry;

/// Status messages follow the tick of the collectors by this much, to tell of what it brought.
const STATUS_DELAY: Duration = Duration::from_millis(200);

/// How long a start waits for collectors. One that hangs is ended by its own deadline, and a longer
/// deadline must not hold up the start.
const FIRST_COLLECTIONS: Duration = Duration::from_secs(30);

/// A running daemon.
pub struct Daemon {
    config: Config,
    telemetry: Option<Telemetry>,
    plugins: Plugins,
    app: App,
    scheduler: Scheduler,
    status: JoinHandle<()>,
    listeners: Listeners,
    reloads: ReloadRequests,
}

impl Daemon {
    /// Starts everything; `sockets` are open already, so that a taken port is known before.
    pub async fn start(
        config: Config,
        plugins: Plugins,
        sockets: Sockets,
        telemetry: Option<Telemetry>,
    ) -> Self {
        let clock = Clock::start();
        let epoch = format!("{:x}", clock.now().wall.as_nanosecond());
        let hub = Arc::new(Hub::new(epoch, &config.hub));
        let limits = limits(&config);
        let (handle, inputs) = Handle::new(&limits, config.hub.broadcast_buffer, hub, clock);
        tokio::spawn(can_hang("pipeline", pipeline::run(handle.clone(), inputs)));

        let controls = Controls::default();
        let (http, websocket) = (config.server.clone(), config.websocket.clone());
        let (requests, reloads) = server::reload_requests();
        let app = App::new(handle.clone(), controls.clone(), requests, http, websocket);
        plugins.bind(app.clone());
        app.show_plugins(plugins.inventory());
        let (events, received) = mpsc::channel(config.hub.broadcast_buffer);
        tokio::spawn(can_hang("scheduler", forward(received, handle.clone())));
        let mut scheduler = Scheduler::new(plugins.host(), events, clock, controls);
        scheduler.apply(wanted(&config, &plugins)).await;

        let endpoint = Arc::new(server::routes(app.clone()));
        let listeners = Listeners::start(sockets, endpoint, app.clone());
        let status = tokio::spawn(tick(handle, *config.status.interval));
        let daemon =
            Self { config, telemetry, plugins, app, scheduler, status, listeners, reloads };
        daemon.show_setup();
        daemon
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

    /// The TCP address that it listens on, if there is one.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listeners.address()
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
        self.status.abort();
    }
}

fn limits(config: &Config) -> Limits {
    let Config { store, tasks, alerts, .. } = config.clone();
    Limits { store, tasks, alerts }
}

fn wanted(config: &Config, plugins: &Plugins) -> Vec<Settings> {
    let collectors = plugins.collectors(config);
    let enabled = collectors.iter().filter(|instance| instance.enabled);
    enabled.map(|instance| plugins.settings(instance, config)).collect()
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
