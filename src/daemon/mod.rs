//! Composes the rooms into a running daemon: start, reload, stop.

mod internal;
mod inventory;
mod plugins;
mod reload;
mod signals;

pub use plugins::Plugins;
pub use reload::ReloadError;
pub use signals::{Signal, Signals};

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::Response;
use poem::endpoint::BoxEndpoint;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::Config;
use crate::hub::Hub;
use crate::pipeline::{self, Handle, Input, Limits};
use crate::scheduler::{Cadence, Controls, Event, Scheduler, Settings};
use crate::server::{self, App};
use crate::telemetry::Telemetry;

/// Status messages follow the tick of the collectors by this much, to tell of what it brought.
const STATUS_DELAY: Duration = Duration::from_millis(200);

/// A running daemon.
pub struct Daemon {
    config: Config,
    telemetry: Option<Telemetry>,
    plugins: Plugins,
    app: App,
    scheduler: Scheduler,
    status: JoinHandle<()>,
    endpoint: Arc<BoxEndpoint<'static, Response>>,
    listener: Listening,
}

/// An address that is being served.
struct Listening {
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

impl Daemon {
    /// Starts everything; `listener` is bound already, so that a taken port is known before.
    ///
    /// # Errors
    /// If the listener has no address.
    pub async fn start(
        config: Config,
        plugins: Plugins,
        listener: TcpListener,
        telemetry: Option<Telemetry>,
    ) -> io::Result<Self> {
        let clock = Clock::start();
        let epoch = format!("{:x}", clock.now().wall.as_nanosecond());
        let hub = Arc::new(Hub::new(epoch, &config.hub));
        let limits = limits(&config);
        let (handle, inputs) = Handle::new(&limits, config.hub.broadcast_buffer, hub, clock);
        tokio::spawn(pipeline::run(handle.clone(), inputs));

        let controls = Controls::default();
        let (http, websocket) = (config.server.clone(), config.websocket.clone());
        let query = config.query.clone();
        let app = App::new(handle.clone(), controls.clone(), http, websocket, query);
        plugins.bind(app.clone());
        app.show_plugins(plugins.inventory());
        let (events, received) = mpsc::channel(config.hub.broadcast_buffer);
        tokio::spawn(forward(received, handle.clone()));
        let mut scheduler = Scheduler::new(plugins.host(), events, clock, controls);
        scheduler.apply(wanted(&config, &plugins)).await;

        let endpoint = Arc::new(server::routes(app.clone()));
        let listener = Listening::start(listener, endpoint.clone(), app.clone())?;
        let status = tokio::spawn(tick(handle, *config.status.interval));
        Ok(Self { config, telemetry, plugins, app, scheduler, status, endpoint, listener })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// Ends: no new connections, what is in flight is done, clients are told.
    pub async fn stop(self) {
        self.listener.stop.send_replace(true);
        let limit = *self.config.server.shutdown_timeout;
        if tokio::time::timeout(limit, self.app.close()).await.is_err() {
            let (open, _) = self.app.connections();
            tracing::warn!(open, "connections were cut: they did not end within the time-out");
        }
        self.status.abort();
    }
}

impl Listening {
    fn start(
        listener: TcpListener,
        endpoint: Arc<BoxEndpoint<'static, Response>>,
        app: App,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(server::serve(listener, endpoint, app, stopped));
        Ok(Self { address, stop })
    }
}

fn limits(config: &Config) -> Limits {
    let Config { store, history, tasks, alerts, .. } = config.clone();
    Limits { store, history, tasks, alerts }
}

fn wanted(config: &Config, plugins: &Plugins) -> Vec<Settings> {
    let collectors = plugins.collectors(config);
    let enabled = collectors.iter().filter(|instance| instance.enabled);
    enabled.map(|instance| plugins.settings(instance, config)).collect()
}

/// From the scheduler to the pipeline.
async fn forward(mut events: mpsc::Receiver<Event>, pipeline: Handle) {
    while let Some(event) = events.recv().await {
        let input = match event {
            Event::Started { collector, plugin, interval } => {
                Input::Expect { collector, plugin, interval }
            }
            Event::Ended(batch) => Input::Batch(batch),
            Event::Removed { collector } => Input::Forget { collector },
        };
        if pipeline.send(input).await.is_err() {
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
